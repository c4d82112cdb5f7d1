import { defineRules } from "../rule.ts";

export const gather = defineRules({});
