import { join, resolve } from "node:path";
import { readSearchFile, type SearchEvent, search } from "@camkit/cam-train";
import { defineCommand, option, positional } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { significant } from "../format.ts";
import { openBar } from "../progress.ts";
import { table } from "../table.ts";

export default defineCommand({
  summary: "Search CovidNet3D's architecture on your data, by Gumbel-softmax.",
  description:
    "Learns which operation each cell computes, one sampled path per batch, then trains the best for a short time beside the usual network. Goes on where it was stopped. The architecture.json that it leaves goes into a training's network.cells.",
  parameters: {
    config: positional.one("CONFIG", "a YAML or JSON file: data, epochs, what may be chosen"),
    out: option.text("DIR", "the search's folder; default: the configuration's, else searches/NAME beside it"),
  },
  examples: ["camkit ct search search.yaml --out searches/lungs"],
  run: async ({ config: file, out }, io) => {
    const { config, folder } = await readSearchFile(file);
    const into = resolve(out ?? resolve(folder, config.out ?? join("searches", config.name ?? "search")));
    const bar = openBar(io, "{bar} {what} {value}/{total}{detail}", { what: "step", detail: "" });
    const onEvent = (event: SearchEvent) => {
      if (event.kind === "step")
        bar.show(event.step, event.steps, { what: "step", detail: ` · loss ${significant(event.loss)}` });
      else if (event.kind === "training" && event.event.kind === "step")
        bar.show(event.event.step, event.event.steps, {
          what: event.candidate,
          detail: ` · loss ${significant(event.event.loss)}`,
        });
      else {
        const line = lineOf(event);
        if (line !== undefined) bar.say(line);
      }
    };
    try {
      const found = await search(config, { out: into, folder, signal: io.signal, onEvent });
      if (found.state === "interrupted")
        return {
          document: { out: into, ...found },
          text: () => `interrupted after step ${found.step}; the same command goes on.`,
          exitCode: exitCodes.interrupted,
        };
      return { document: { out: into, ...found }, text: () => textOf(found, into) };
    } finally {
      bar.stop();
    }
  },
});

function lineOf(event: SearchEvent): string | undefined {
  switch (event.kind) {
    case "resumed":
      return `going on after step ${event.step} of ${event.steps}`;
    case "epoch":
      return `epoch ${event.epoch}  loss ${event.loss.toFixed(4)}  choices' loss ${event.alphaLoss.toFixed(4)}  undecided ${(100 * event.entropy).toFixed(0)} %`;
    case "candidate":
      return `candidate ${event.index + 1} of ${event.of}: ${event.name}`;
    default:
      return undefined;
  }
}

type Finished = Extract<Awaited<ReturnType<typeof search>>, { state: "finished" }>;

function textOf({ candidates, best, architecture, files }: Finished, out: string): string {
  const rows = candidates.map((candidate) => [
    candidate === best ? "*" : "",
    candidate.name,
    candidate.value.toFixed(4),
    candidate.loss.toFixed(4),
  ]);
  const columns = [
    { title: "" },
    { title: "network" },
    { title: "monitored", align: "right" as const },
    { title: "loss", align: "right" as const },
  ];
  const cells = Object.entries(architecture).map(([cell, op]) => [cell, op]);
  return [
    table(columns, rows),
    table([{ title: "cell" }, { title: "operation" }], cells),
    `written to ${out}\n${files.map((name) => `  ${name}`).join("\n")}`,
  ].join("\n\n");
}
