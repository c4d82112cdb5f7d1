import { testRules } from "./rules.ts";

testRules(0, 2);
