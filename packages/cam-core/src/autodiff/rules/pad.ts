import { defineRules } from "../rule.ts";

export const pad = defineRules({});
