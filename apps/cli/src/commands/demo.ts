import { join, resolve } from "node:path";
import { AbortedError, writeAtomic } from "@camkit/cam-core";
import { defineCommand, option } from "../command.ts";
import { deviceOption, threadsOption } from "../common.ts";
import { demoPage } from "../demo/page.ts";
import type { Section } from "../demo/section.ts";
import { sections } from "../demo/sections.ts";
import { timeOf } from "../explain/provenance.ts";
import { toJson } from "../output.ts";
import { version } from "../version.ts";

export default defineCommand({
  summary: "Explain the samples that ship with camkit and write an HTML page of the results.",
  description: "Needs no network and no files of yours. The page opens from disk.",
  parameters: {
    out: option.textOr("DIR", "the folder to write to", "camkit-demo"),
    device: deviceOption,
    threads: threadsOption,
  },
  examples: ["camkit demo", "camkit demo --out /tmp/demo --json"],
  run: async ({ out, device, threads }, io) => {
    const made: Section[] = [];
    for (const make of sections) {
      if (io.signal.aborted) throw new AbortedError();
      made.push(await make({ device, threads, signal: io.signal, out, say: (line) => io.stderr.write(`${line}\n`) }));
    }
    const time = timeOf();
    const page = join(out, "index.html");
    const document = {
      camkit: version,
      command: "demo",
      time,
      page: resolve(page),
      sections: Object.fromEntries(made.map(({ id, result }) => [id, result])),
      files: ["index.html", "result.json"],
    };
    await writeAtomic(page, demoPage(made, time));
    await writeAtomic(join(out, "result.json"), `${toJson(document)}\n`);
    return { document, text: () => `${made.map(({ text }) => text).join("\n")}\n\nThe page: ${resolve(page)}` };
  },
});
