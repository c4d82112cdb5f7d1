import { defineRules } from "../rule.ts";

export const reduce = defineRules({});
