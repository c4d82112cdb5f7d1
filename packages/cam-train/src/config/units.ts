import { ConfigError } from "../errors.ts";
import { foldsOf } from "./data.ts";
import { applied, checkConfig, type Raw, type ReadConfig, type Setting } from "./read.ts";
import type { Config } from "./schema.ts";

/** One training of several that belong together: a variant of a sweep, a fold, or a fold of a variant. */
export type Unit = {
  /** Its folder in the whole run's: `filters-32/fold-2`; empty for a run of one. */
  readonly name: string;
  /** What it has in common with its other folds. */
  readonly variant: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** From 0. */
  readonly fold: number | undefined;
  readonly config: Config;
};

/**
 * The trainings that a configuration asks for, one where it asks for no more. Throws ConfigError where a variant isn't a valid
 * configuration.
 *
 * @param ready resolves the paths of a configuration that was read
 */
export function unitsOf(read: ReadConfig, ready: (read: ReadConfig) => Config): Unit[] {
  return variantsOf(read).flatMap(({ name, settings, read: variant }) => {
    const config = ready(variant);
    const asked = foldsOf(config);
    const folds = asked?.only === undefined ? asked?.count : undefined;
    return Array.from({ length: folds ?? 1 }, (_, fold) => ({
      name: [name, ...(folds === undefined ? [] : [`fold-${fold + 1}`])].filter(Boolean).join("/"),
      variant: name,
      settings: Object.fromEntries(settings.map(({ key, value }) => [key, value])),
      fold: folds === undefined ? undefined : fold,
      config: { ...config, name: [config.name!, ...(folds === undefined ? [] : [`fold ${fold + 1}`])].join(", ") },
    }));
  });
}

type Variant = { readonly name: string; readonly settings: readonly Setting[]; readonly read: ReadConfig };

function variantsOf(read: ReadConfig): Variant[] {
  const { sweep } = read.config;
  if (sweep === undefined) return [{ name: "", settings: [], read }];
  const { sweep: _, ...base } = read.raw;
  const names = new Set<string>();
  const known = new Set<string>();
  return combinations(sweep).map((settings) => {
    const words = settings.map(({ key, value }) => `${key.split(".").at(-1)}-${wordOf(value)}`).join("_") || "base";
    if (known.has(JSON.stringify(settings))) throw new ConfigError(`sweep: "${words}" is there twice`);
    known.add(JSON.stringify(settings));
    let name = words; // long values are cut, and may then be alike
    for (let i = 2; names.has(name); i++) name = `${words}-${i}`;
    names.add(name);
    const raw: Raw = applied(base, settings);
    return { name, settings, read: checkConfig(raw, `${read.name} ${name}`, read.folder, () => `sweep, ${name}`) };
  });
}

/** Every combination of the values, the last key changing first; a list is taken as it is. */
function combinations(sweep: NonNullable<Config["sweep"]>): Setting[][] {
  const settings = (values: object) => Object.entries(values).map(([key, value]): Setting => ({ key, value }));
  if (Array.isArray(sweep)) return sweep.map(settings);
  return settings(sweep).reduce<Setting[][]>(
    (all, { key, value }) =>
      all.flatMap((chosen) => (value as unknown[]).map((each) => [...chosen, { key, value: each }])),
    [[]],
  );
}

/** A value as part of a folder's name. */
function wordOf(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text
    .replace(/["{}[\]]/g, "")
    .replace(/[^\p{L}\p{N}.+-]+/gu, "-")
    .slice(0, 40);
}
