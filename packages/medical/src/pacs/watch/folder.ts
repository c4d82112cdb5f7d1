import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileError, readBytes, sha256Hex } from "@camkit/cam-core/data";
import { DicomError } from "../../errors.ts";
import { type InstanceHead, readHead } from "../head.ts";
import { type Arrival, imageClasses, type Stray, type WatchSource } from "./arrival.ts";

export type FolderOptions = {
  /** SOP classes that are processed; others are left alone. Default: images. */
  readonly sopClasses?: ReadonlySet<string>;
};

type Seen = { readonly stamp: string; readonly head: InstanceHead | undefined; readonly reason: string };

/**
 * Series that arrive in a folder and those under it, whatever the files' names; hidden ones, which other programs are still
 * writing, are left alone, and links aren't followed. A file is read again only when its size or time changes.
 */
export function folderSource(folder: string, { sopClasses = imageClasses }: FolderOptions = {}): WatchSource {
  let known = new Map<string, Seen>();
  return {
    name: folder,
    async poll(except) {
      const now = new Map<string, Seen>();
      for await (const { path, stamp } of files(folder, except)) {
        const before = known.get(path);
        now.set(path, before?.stamp === stamp ? before : await seen(path, stamp));
      }
      known = now;
      return sorted(now, sopClasses);
    },
  };
}

async function* files(folder: string, except: string, root = folder): AsyncGenerator<{ path: string; stamp: string }> {
  if (resolve(folder) === except) return;
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException): Dirent[] => {
    if (folder !== root && cause.code === "ENOENT") return []; // gone in the meantime
    throw fileError(folder, cause);
  });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith(".")) continue;
    if (entry.isDirectory()) yield* files(path, except, root);
    if (!entry.isFile()) continue;
    const found = await stat(path).catch(() => undefined);
    if (found) yield { path, stamp: `${found.size}:${found.mtimeMs}:${found.ino}` };
  }
}

async function seen(path: string, stamp: string): Promise<Seen> {
  try {
    const head = await readHead(path);
    const reason = head.seriesInstanceUid && head.studyInstanceUid ? "" : "has no Study or Series Instance UID";
    return { stamp, reason, head: reason === "" ? head : undefined };
  } catch (error) {
    // Also what is still being copied, or was taken away: it is said only when it stays so.
    const reason = error instanceof DicomError ? error.message.slice(path.length + 2) : (error as Error).message;
    return { stamp, head: undefined, reason };
  }
}

function sorted(all: ReadonlyMap<string, Seen>, sopClasses: ReadonlySet<string>) {
  const groups = new Map<string, [path: string, seen: Seen][]>();
  const strays: Stray[] = [];
  for (const [path, one] of all) {
    if (one.head === undefined) strays.push({ name: path, fingerprint: one.stamp, reason: one.reason });
    if (one.head === undefined || !sopClasses.has(one.head.sopClassUid)) continue;
    const key = `${one.head.studyInstanceUid}/${one.head.seriesInstanceUid}`;
    const group = groups.get(key);
    if (group) group.push([path, one]);
    else groups.set(key, [[path, one]]);
  }
  const series = [...groups.values()].map((group): Arrival => {
    const { studyInstanceUid, seriesInstanceUid } = group[0]![1].head!;
    group.sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      study: studyInstanceUid,
      series: seriesInstanceUid,
      count: group.length,
      fingerprint: sha256Hex(JSON.stringify(group.map(([path, { stamp }]) => [path, stamp]))),
      async *instances() {
        for (const [path] of group) yield { name: path, bytes: await readBytes(path) };
      },
    };
  });
  return { series, strays };
}
