#!/usr/bin/env node
import { exitCodes } from "./exit-codes.ts";

const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    if (interrupt.signal.aborted) process.exit(exitCodes.interrupted); // asked twice: leave now
    interrupt.abort();
    process.stderr.write("\ninterrupted: finishing the current run (again to quit at once)\n");
  });
// `camkit … | head` closes the pipe early, which is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.done);
  throw error;
});

process.exitCode = await run(process.argv.slice(2));

/** The engine is loaded here, so that a native library which this system can't load is said like any other error. */
async function run(argv: readonly string[]): Promise<number> {
  let cli: typeof import("./cli.ts");
  try {
    cli = await import("./cli.ts");
  } catch (error) {
    const message = `a library that camkit needs can't be loaded: ${(error as Error).message}`;
    const hint =
      "Install again, with npm, on this machine: onnxruntime-node and sharp bring a native part for each system.";
    if (argv.includes("--json"))
      process.stdout.write(`${JSON.stringify({ error: { code: "library", message, hint } }, null, 2)}\n`);
    else process.stderr.write(`camkit: ${message}\n  ${hint}\n`);
    if (argv.includes("--debug")) process.stderr.write(`${(error as Error).stack}\n`);
    return exitCodes.environment;
  }
  return cli.main(argv, { stdout: process.stdout, stderr: process.stderr, signal: interrupt.signal, env: process.env });
}
