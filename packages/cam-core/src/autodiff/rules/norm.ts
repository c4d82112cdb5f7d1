import { defineRules } from "../rule.ts";

export const norm = defineRules({});
