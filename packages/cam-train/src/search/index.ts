export type { Candidate } from "./choose.ts";
export { type SearchConfig, searchSchema } from "./config.ts";
export { type SearchEvent, type SearchOptions, type SearchResult, search, searchFiles } from "./search.ts";
export { type Architecture, covidnetSpace, type SearchSpace, type Site } from "./space.ts";
