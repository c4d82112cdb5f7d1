import type { CamError } from "@camkit/cam-core";
import { UsageError } from "./errors.ts";
import type { Io } from "./io.ts";

/** One positional or option of a command: how it is written, and what its text becomes. */
export type Parameter<T> = {
  readonly form: "positional" | "positionals" | "option" | "options" | "flag";
  /** MODEL, NAME, FILE: what stands in the usage line. */
  readonly placeholder: string;
  readonly description: string;
  readonly required: boolean;
  /** Shown in the help. */
  readonly fallback?: string;
  /** `undefined` where it was left out. An option that was given several times arrives joined by commas. */
  readonly read: (given: string | readonly string[] | boolean | undefined) => T;
};

type Parameters = Readonly<Record<string, Parameter<unknown>>>;
export type Values<P extends Parameters> = {
  readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never;
};

/**
 * What a command answers. `main` prints `document` as the one JSON document of --json, else `text`; `exitCode` is for
 * partial success (1: some inputs failed, 130: interrupted), `error` for what --json should say beside the document.
 */
export type Outcome = {
  readonly document: unknown;
  readonly text: () => string;
  readonly exitCode?: number;
  readonly error?: CamError;
};

/** What a command is given besides its own arguments. */
export type Context = Io & { readonly json: boolean; readonly debug: boolean };

export type Command<P extends Parameters = Parameters> = {
  readonly summary: string;
  /** A paragraph for the command's own help. */
  readonly description?: string;
  /** Shown as it is, line by line, after the options. */
  readonly notes?: string;
  /** Keys are the options' names in camelCase (`topK` is `--top-k`); positionals in order. */
  readonly parameters: P;
  /** Shown in the help: at least one line that works. */
  readonly examples: readonly string[];
  readonly run: (values: Values<P>, context: Context) => Promise<Outcome>;
};

/** A command is one object in `commands/`, one line in `commands/index.ts`. It parses, calls a door, returns what to print. */
export function defineCommand<const P extends Parameters>(command: Command<P>): Command<P> {
  return command;
}

const parameter = <T>(parts: Parameter<T>): Parameter<T> => parts;

/** Positional arguments. */
export const positional = {
  one: (placeholder: string, description: string) =>
    parameter<string>({ form: "positional", placeholder, description, required: true, read: (given) => String(given) }),
  optional: (placeholder: string, description: string) =>
    parameter<string | undefined>({
      form: "positional",
      placeholder,
      description,
      required: false,
      read: (given) => given as string | undefined,
    }),
  many: (placeholder: string, description: string) =>
    parameter<readonly string[]>({
      form: "positionals",
      placeholder,
      description,
      required: true,
      read: (given) => given as readonly string[],
    }),
  any: (placeholder: string, description: string) =>
    parameter<readonly string[]>({
      form: "positionals",
      placeholder,
      description,
      required: false,
      read: (given) => (given as readonly string[] | undefined) ?? [],
    }),
};

/** Options. */
export const option = {
  text: (placeholder: string, description: string) =>
    parameter<string | undefined>({
      form: "option",
      placeholder,
      description,
      required: false,
      read: (given) => given as string | undefined,
    }),
  textOr: (placeholder: string, description: string, fallback: string) =>
    parameter<string>({
      form: "option",
      placeholder,
      description,
      required: false,
      fallback,
      read: (given) => (given as string | undefined) ?? fallback,
    }),
  required: (placeholder: string, description: string) =>
    parameter<string>({ form: "option", placeholder, description, required: true, read: (given) => String(given) }),
  oneOf: <const C extends string>(choices: readonly C[], description: string, fallback: C) =>
    parameter<C>({
      form: "option",
      placeholder: "NAME",
      description: `${description}: ${choices.join(", ")}`,
      required: false,
      fallback,
      read: (given) => {
        const chosen = (given as string | undefined) ?? fallback;
        if ((choices as readonly string[]).includes(chosen)) return chosen as C;
        throw new UsageError(`"${chosen}" is none of ${choices.join(", ")}`, { hint: `It says ${description}.` });
      },
    }),
  count: (placeholder: string, description: string, fallback?: number) =>
    parameter<number | undefined>({
      form: "option",
      placeholder,
      description,
      required: false,
      ...(fallback === undefined ? {} : { fallback: String(fallback) }),
      read: (given) => {
        if (given === undefined) return fallback;
        const value = Number(given);
        if (/^\d+$/.test(String(given)) && value >= 1 && Number.isSafeInteger(value)) return value;
        throw new UsageError(`${placeholder} is a whole number from 1 up, found "${given}"`);
      },
    }),
  number: (placeholder: string, description: string, fallback: number) =>
    parameter<number>({
      form: "option",
      placeholder,
      description,
      required: false,
      fallback: String(fallback),
      read: (given) => {
        const value = given === undefined ? fallback : Number(given);
        if (given !== "" && Number.isFinite(value)) return value;
        throw new UsageError(`${placeholder} is a number, found "${given}"`);
      },
    }),
  /** May be given several times, and is a list then: what it says may hold commas. */
  many: (placeholder: string, description: string) =>
    parameter<readonly string[]>({
      form: "options",
      placeholder,
      description,
      required: false,
      read: (given) => (given as readonly string[] | undefined) ?? [],
    }),
  flag: (description: string) =>
    parameter<boolean>({
      form: "flag",
      placeholder: "",
      description,
      required: false,
      read: (given) => given === true,
    }),
};
