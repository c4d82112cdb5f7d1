import { CommanderError, Option, Command as Parser } from "commander";
import type { Command, Parameter, Values } from "./command.ts";
import { UsageError } from "./errors.ts";

type Parameters = Readonly<Record<string, Parameter<unknown>>>;

/** What the command line said: values for the command, and the switches that every command has. */
export type Parsed<P extends Parameters> = {
  readonly values: Values<P>;
  readonly json: boolean;
  readonly debug: boolean;
};

/** Reads a command's arguments. Help goes to `writeHelp`, then undefined is returned. Throws UsageError. */
export function parseArguments<P extends Parameters>(
  name: string,
  command: Command<P>,
  argv: readonly string[],
  writeHelp: (text: string) => void,
): Parsed<P> | undefined {
  const parser = parserOf(name, command as unknown as Command).configureOutput({
    writeOut: writeHelp,
    writeErr: () => {},
  });
  try {
    parser.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw usageError(error, name);
  }
  const given = parser.opts<Record<string, string | readonly string[] | boolean | undefined>>();
  const positionals = [...parser.processedArgs];
  const values = Object.fromEntries(
    Object.entries(command.parameters).map(([key, parameter]) => [
      key,
      parameter.read(parameter.form.startsWith("positional") ? positionals.shift() : given[key]),
    ]),
  );
  return { values: values as Values<P>, json: given.json === true, debug: given.debug === true };
}

function parserOf(name: string, command: Command): Parser {
  const parser = new Parser(`camkit ${name}`)
    .description([command.summary, command.description].filter(Boolean).join("\n\n"))
    .exitOverride()
    .helpOption("-h, --help", "this text")
    .configureHelp({ styleTitle: (title) => title });
  for (const [key, parameter] of Object.entries(command.parameters)) {
    const { form, placeholder, description } = parameter;
    if (form === "positionals")
      parser.argument(parameter.required ? `<${placeholder}...>` : `[${placeholder}...]`, description);
    else if (form === "positional")
      parser.argument(parameter.required ? `<${placeholder}>` : `[${placeholder}]`, description);
    else parser.addOption(optionOf(key, parameter));
  }
  parser
    .option("--json", "one JSON document on standard output and nothing else")
    .option("--debug", "with errors, show where in camkit they arose")
    .addHelpText(
      "after",
      `${command.notes ? `\n${command.notes}\n` : ""}\nExample${command.examples.length > 1 ? "s" : ""}:\n${command.examples.map((line) => `  ${line}`).join("\n")}`,
    );
  return parser;
}

function optionOf(key: string, { form, placeholder, description, required, fallback }: Parameter<unknown>): Option {
  const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const described = fallback === undefined ? description : `${description} (default: ${fallback})`;
  const option = new Option(form === "flag" ? flag : `${flag} <${placeholder}>`, described);
  if (required) option.makeOptionMandatory();
  // Given twice, an option is a list: nothing that was asked for is dropped in silence.
  if (form === "option")
    option.argParser((text: string, before: string | undefined) => (before ? `${before},${text}` : text));
  if (form === "options") option.argParser((text: string, before: readonly string[] = []) => [...before, text]);
  return option;
}

function usageError(error: CommanderError, name: string): UsageError {
  const [message = "", ...more] = error.message.replace(/^error: /, "").split("\n");
  const suggestion = more.join(" ").replace(/[()]/g, "").trim();
  return new UsageError(message.replaceAll("'", '"'), {
    hint: [suggestion, `See \`camkit ${name} --help\`.`].filter(Boolean).join(" "),
  });
}
