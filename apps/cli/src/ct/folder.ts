import { mkdir, readdir, readFile, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { fileError, writeAtomic } from "@camkit/cam-core";
import { describeOutput, type OutputKind, outputKinds } from "@camkit/medical";
import { toJson } from "../output.ts";
import { version } from "../version.ts";
import type { CtDocument } from "./result.ts";

const known: ReadonlySet<string> = new Set(outputKinds.map((kind) => describeOutput(kind).file));
const capture = /^SC\d{4,}\.dcm$/;

/**
 * Makes a folder one run's: takes away what the result.json of an earlier run lists, so that nothing of another scan or model is
 * left among the new files, and writes a result.json that says "unfinished" until the run's own replaces it. What no result.json
 * of ours lists stays. Throws FileError.
 */
export async function claimFolder(out: string, kinds: readonly OutputKind[]): Promise<void> {
  const result = join(out, "result.json");
  try {
    await mkdir(out, { recursive: true });
    const { files = [] } = (await resultIn(out)) ?? {};
    for (const { name } of files) if (known.has(name)) await remove(join(out, name));
  } catch (cause) {
    throw fileError(out, cause);
  }
  const files = kinds.map((kind) => ({ name: describeOutput(kind).file, what: describeOutput(kind).what }));
  await writeAtomic(result, `${toJson({ camkit: version, command: "ct", state: "unfinished", files })}\n`);
}

/** What this command left in a folder as result.json, finished or not; undefined where there is none of ours. */
export async function resultIn(out: string): Promise<(Partial<CtDocument> & Pick<CtDocument, "files">) | undefined> {
  try {
    const found: CtDocument = JSON.parse(await readFile(join(out, "result.json"), "utf8"));
    const ours = typeof found.camkit === "string" && found.command === "ct";
    return ours && found.files.every(({ name }) => typeof name === "string") ? found : undefined;
  } catch {
    return undefined;
  }
}

/** A file, or of a folder the captures in it, and the folder when nothing else is there. */
async function remove(path: string): Promise<void> {
  const inside = await readdir(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOTDIR" || cause.code === "ENOENT") return undefined;
    throw cause;
  });
  if (inside === undefined) return rm(path, { force: true });
  const ours = inside.filter((name) => capture.test(name));
  for (const name of ours) await rm(join(path, name), { force: true });
  if (ours.length === inside.length) await rmdir(path);
}
