import { defineRules } from "../rule.ts";

export const conv = defineRules({});
