import { randomUUID } from "node:crypto";
import { link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
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
type Lock = { readonly number: number; readonly path: string; readonly holder: Holder };

/**
 * Makes this process the only watcher of a state folder, until the function that is returned is called or the process ends. What
 * a killed one left behind is cleared away. Throws WatchLockedError while another lives, FileError.
 *
 * Locks have numbers. Who finds only dead ones makes the next, which one process alone can, and looks once more: somebody
 * slower may have come to another number. Then both give way rather than both watch.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const started = await startOf(process.pid);
  const self: Holder = { pid: process.pid, host: hostname(), started, since: new Date().toISOString() };
  const mine = join(folder, `.lock.${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(mine, `${JSON.stringify(self)}\n`);
    for (;;) {
      const dead = await locks(folder);
      await refuseLiving(dead, folder);
      const path = join(folder, `lock.${1 + Math.max(0, ...dead.map(({ number }) => number))}.json`);
      if (!(await linked(mine, path))) continue;
      const others = (await locks(folder)).filter((lock) => lock.path !== path);
      await refuseLiving(others, folder).catch(async (locked) => {
        await rm(path, { force: true });
        throw locked;
      });
      for (const lock of dead) await rm(lock.path, { force: true });
      return () => rm(path, { force: true });
    }
  } catch (cause) {
    throw cause instanceof WatchLockedError ? cause : fileError(folder, cause);
  } finally {
    await rm(mine, { force: true });
  }
}

async function locks(folder: string): Promise<Lock[]> {
  const found: Lock[] = [];
  for (const name of await readdir(folder)) {
    const number = Number(/^lock\.(\d+)\.json$/.exec(name)?.[1]);
    const path = join(folder, name);
    const text = Number.isNaN(number) ? undefined : await readFile(path, "utf8").catch(() => undefined);
    if (text !== undefined) found.push({ number, path, holder: JSON.parse(text) as Holder });
  }
  return found;
}

/** A link is made whole or not at all, and never over another file. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw cause;
  }
}

async function refuseLiving(all: readonly Lock[], folder: string): Promise<void> {
  for (const { holder, path } of all) {
    const who = `process ${holder.pid} on ${holder.host}, since ${holder.since}`;
    if (holder.host !== hostname())
      throw new WatchLockedError(folder, who, { hint: `If it has ended for certain, delete ${path}.` });
    if (await lives(holder)) throw new WatchLockedError(folder, who, { hint: "Stop it, or use another state folder." });
  }
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
