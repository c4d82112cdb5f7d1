import { defineRules } from "../rule.ts";

export const shape = defineRules({});
