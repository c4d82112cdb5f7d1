import { execFileSync, spawnSync } from "node:child_process";

/** What a program prints on stdout. Throws where it fails. */
export const run = (program: string, ...args: readonly string[]): string =>
  execFileSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"] });

/** The rules of the standard that dciodvfy says a file breaks. */
export function dicomErrors(path: string): string[] {
  const { stderr, error } = spawnSync("dciodvfy", [path], { encoding: "utf8", maxBuffer: 1 << 28 });
  if (error) throw error;
  // It names the object it took the file for, or it hasn't checked anything.
  if (!/^[A-Z][A-Za-z0-9]+$/m.test(stderr)) throw new Error(`dciodvfy doesn't know what ${path} is:\n${stderr}`);
  return stderr.split("\n").filter((line) => line.startsWith("Error"));
}

/** What dcentvfy says of files whose entities (patient, study, series, frame of reference, equipment) contradict each other. */
export function entityErrors(paths: readonly string[]): string[] {
  const { stderr, stdout, error } = spawnSync("dcentvfy", [...paths], { encoding: "utf8", maxBuffer: 1 << 28 });
  if (error) throw error;
  return `${stdout}${stderr}`.split("\n").filter((line) => line.startsWith("Error"));
}
