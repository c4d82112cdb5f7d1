import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readModel } from "../../model/read.ts";
import { sourceOf } from "../../model/source.ts";
import { writeModel } from "../../model/write.ts";

/** One operator test case: a folder with model.onnx and test_data_set_N/{input_I,output_I}.pb. */
export type NodeCase = {
  /** The folder's name, such as test_conv_with_strides_padding. */
  readonly name: string;
  /** The release of the onnx package that first has it in this form. */
  readonly version: string;
  readonly folder: string;
};

export type FoundCases = {
  /** Each once, oldest release first. */
  readonly cases: readonly NodeCase[];
  /** By release: how many cases it has, and how many of them no earlier release has in the same form. */
  readonly releases: readonly { readonly version: string; readonly cases: number; readonly first: number }[];
};

/** Where a release of the onnx package keeps its operators' cases. */
const inPackage = "onnx/backend/test/data/node";

/**
 * The cases of every release under `root`, which holds one folder per release with the package's own folders in it. A case
 * whose graph, opsets and data are those of an earlier release counts once: who produced the file doesn't matter.
 */
export function findCases(root: string): FoundCases {
  const versions = readdirSync(root)
    .filter((version) => existsSync(join(root, version, inPackage)))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const seen = new Set<string>();
  const cases: NodeCase[] = [];
  const releases = versions.map((version) => {
    const folder = join(root, version, inPackage);
    const names = readdirSync(folder)
      .filter((name) => existsSync(join(folder, name, "model.onnx")))
      .sort();
    const found = names.map((name): NodeCase => ({ name, version, folder: join(folder, name) }));
    const first = found.filter((one) => {
      const identity = identityOf(one.folder);
      return !seen.has(identity) && seen.add(identity);
    });
    cases.push(...first);
    return { version, cases: found.length, first: first.length };
  });
  return { cases, releases };
}

/** The data sets of a case, each as the paths of its inputs' and outputs' files in order. */
export function dataSets(folder: string): { inputs: string[]; outputs: string[] }[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith("test_data_set_"))
    .sort()
    .map((set) => ({ inputs: filesOf(join(folder, set), "input"), outputs: filesOf(join(folder, set), "output") }));
}

function filesOf(folder: string, kind: "input" | "output"): string[] {
  const number = (name: string) => Number(/\d+/.exec(name)?.[0]);
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${kind}_`) && name.endsWith(".pb"))
    .sort((a, b) => number(a) - number(b))
    .map((name) => join(folder, name));
}

function identityOf(folder: string): string {
  const hash = createHash("sha256").update(contentOf(readFileSync(join(folder, "model.onnx"))));
  for (const { inputs, outputs } of dataSets(folder))
    for (const file of [...inputs, ...outputs]) hash.update(readFileSync(file));
  return hash.digest("hex");
}

/** A model written anew, without its producer and version of the format; as it is where it can't be read. */
function contentOf(bytes: Uint8Array): Uint8Array {
  try {
    return writeModel({ ...readModel(sourceOf(bytes)), metadata: new Map() }).model;
  } catch {
    return bytes;
  }
}
