import { defineRules } from "../rule.ts";

export const gridSample = defineRules({});
