/** CIFAKE: what its scripts use, packages don't. */

export { writeLists } from "./lists.ts";
