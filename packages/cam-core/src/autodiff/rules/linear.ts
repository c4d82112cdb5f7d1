import { defineRules } from "../rule.ts";

export const linear = defineRules({});
