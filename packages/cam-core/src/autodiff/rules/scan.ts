import { defineRules } from "../rule.ts";

export const scan = defineRules({});
