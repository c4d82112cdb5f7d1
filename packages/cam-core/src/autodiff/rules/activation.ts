import { defineRules } from "../rule.ts";

export const activation = defineRules({});
