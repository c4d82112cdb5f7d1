/** The public door of cam-train. A test pins this list. */

export * from "./errors.ts";
