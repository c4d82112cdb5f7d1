import { defineRules } from "../rule.ts";

export const softmax = defineRules({});
