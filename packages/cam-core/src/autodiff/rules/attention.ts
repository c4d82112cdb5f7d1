import { defineRules } from "../rule.ts";

export const attention = defineRules({});
