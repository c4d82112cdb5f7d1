import { testRules } from "./rules.ts";

testRules(1, 2);
