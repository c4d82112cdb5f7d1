import { defineRules } from "../rule.ts";

export const pool = defineRules({});
