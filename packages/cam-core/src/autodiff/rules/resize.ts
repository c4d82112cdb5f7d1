import { defineRules } from "../rule.ts";

export const resize = defineRules({});
