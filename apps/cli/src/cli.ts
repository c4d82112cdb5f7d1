import { UnknownNameError } from "@camkit/cam-core";
import { parseArguments } from "./arguments.ts";
import type { Command, Parameter } from "./command.ts";
import { commands, type Listed } from "./commands/index.ts";
import { exitCodeOf, UsageError } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import { printError, printOutcome } from "./output.ts";
import { version } from "./version.ts";

/** Runs one command line and returns its exit code. Everything it says goes through `io`. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const json = argv.includes("--json");
  const debug = argv.includes("--debug");
  try {
    return await dispatch(argv, { ...io, json, debug });
  } catch (error) {
    printError(error, { ...io, json, debug });
    return exitCodeOf(error);
  }
}

async function dispatch(argv: readonly string[], io: Io & { json: boolean; debug: boolean }): Promise<number> {
  const at = argv.findIndex((word) => !word.startsWith("-"));
  const switches = at < 0 ? argv : argv.slice(0, at);
  const unknown = switches.find((word) => !["--json", "--debug", "--help", "-h", "--version", "-V"].includes(word));
  if (unknown !== undefined) throw new UsageError(`unknown option "${unknown}" before the command`, { hint: seeHelp });
  if (switches.includes("--version") || switches.includes("-V")) {
    printOutcome({ document: { version }, text: () => version }, io);
    return exitCodes.done;
  }
  const name = argv[at];
  const asksHelp = switches.includes("--help") || switches.includes("-h") || name === "help";
  if (name === undefined || (name === "help" && argv[at + 1] === undefined)) {
    if (!asksHelp)
      throw new UsageError("no command was given", { hint: `${seeHelp} Commands: ${names().join(", ")}.` });
    io.stdout.write(overview());
    return exitCodes.done;
  }
  const words = argv.slice(name === "help" ? at + 1 : at);
  const found = commandNamed(words);
  if (!found) throw new UnknownNameError("command", words[0]!, names());
  const command = (await found.load()).default as unknown as Command<Readonly<Record<string, Parameter<unknown>>>>;
  const rest = asksHelp ? ["--help"] : words.slice(found.name.split(" ").length);
  const parsed = parseArguments(found.name, command, rest, (text) => io.stdout.write(text));
  if (!parsed) return exitCodes.done;
  const outcome = await command.run(parsed.values, io);
  printOutcome(outcome, io);
  return outcome.exitCode ?? exitCodes.done;
}

/** A trade's command may have two words: `ct watch` is meant before `ct` with an input that is called watch. */
function commandNamed([first, second]: readonly string[]): Listed | undefined {
  return (
    commands.find((command) => command.name === `${first} ${second}`) ??
    commands.find((command) => command.name === first)
  );
}

const seeHelp = "See `camkit --help`.";

function names(): string[] {
  return commands.map((command) => command.name);
}

function overview(): string {
  const left = commands.map(({ name, usage }) => `${name} ${usage}`);
  const width = Math.max(...left.map((text) => text.length));
  const lines = commands.map(({ summary }, i) => `  ${left[i]!.padEnd(width)}  ${summary}`);
  return `camkit ${version}: where a network looked, from its ONNX file alone

Usage: camkit COMMAND … [options]

${lines.join("\n")}

  --help            this text, or after a command: its options, with an example
  --version         ${version}
  --json            one JSON document on standard output and nothing else
  --debug           with errors, show where in camkit they arose

MODEL is an .onnx file or the name of one that ships (camkit models). INPUT is a picture, a .npy tensor, NAME=FILE.npy
for a model with several inputs, or a folder of these.
Exit codes: 0 done, 1 failed on this input, 2 wrong usage, 3 missing in the environment, 130 interrupted.

Example:
  camkit explain scenes photo.png --out maps
`;
}
