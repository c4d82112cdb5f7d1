import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileError } from "@camkit/cam-core/data";
import { WatchLockedError } from "../../errors.ts";

type Holder = {
  readonly pid: number;
  readonly host: string;
  /** When the process started, in the kernel's ticks: numbers of processes are used again. */
  readonly started: string | undefined;
  readonly since: string;
};

/**
 * Makes this process the only watcher of a state folder, until the function that is returned is called or the process ends. What
 * a killed one left behind is cleared away. Throws WatchLockedError while another lives, FileError.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, "lock.json");
  const started = await startOf(process.pid);
  const self: Holder = { pid: process.pid, host: hostname(), started, since: new Date().toISOString() };
  const mine = join(folder, `.lock.${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(mine, `${JSON.stringify(self)}\n`, { flush: true } as object);
    // A link is made whole or not at all, and never over another.
    while (!(await linked(mine, path))) await clear(path, folder);
  } catch (cause) {
    throw cause instanceof WatchLockedError ? cause : fileError(path, cause);
  } finally {
    await rm(mine, { force: true });
  }
  return () => rm(path, { force: true });
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw cause;
  }
}

/** Takes a dead holder's lock away. Throws WatchLockedError where it lives, or may. */
async function clear(path: string, folder: string): Promise<void> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return; // gone in the meantime
  const holder = JSON.parse(text) as Holder;
  const who = `process ${holder.pid} on ${holder.host}, since ${holder.since}`;
  if (holder.host !== hostname())
    throw new WatchLockedError(folder, who, { hint: `If it has ended for certain, delete ${path}.` });
  if (await lives(holder)) throw new WatchLockedError(folder, who, { hint: "Stop it, or use another state folder." });
  // Two may see the same dead holder. Who renames a lock that isn't the one it read took a living one's: it goes back.
  const aside = join(folder, `.lock.${randomUUID()}`);
  await rename(path, aside).catch(() => {});
  const taken = await readFile(aside, "utf8").catch(() => text);
  if (taken !== text) await linked(aside, path);
  await rm(aside, { force: true });
}

async function lives({ pid, started }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM"; // somebody else's
  }
  return started === undefined || started === (await startOf(pid));
}

/** Field 22 of /proc/PID/stat, behind the name, which may hold anything; undefined where there is no such file system. */
async function startOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ")[19];
}
