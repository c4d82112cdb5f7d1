import { defineRules } from "../rule.ts";

export const einsum = defineRules({});
