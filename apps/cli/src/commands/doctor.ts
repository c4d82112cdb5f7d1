import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { autoOrder, deviceNames, nativeVersions, notByItself } from "@camkit/cam-core";
import { dimseAvailable } from "@camkit/medical";
import { defineCommand } from "../command.ts";
import { tryDevices } from "../device-trial.ts";
import { exitCodes } from "../exit-codes.ts";
import { bytes } from "../format.ts";
import { catalogue, modelsFolder } from "../shipped.ts";
import { facts, table } from "../table.ts";
import { version } from "../version.ts";

const oldestNode = [20, 19] as const;

export default defineCommand({
  summary: "Say what this machine can do, what is missing, and how to get it.",
  parameters: {},
  examples: ["camkit doctor", "camkit doctor --json"],
  run: async () => {
    const report = await examine();
    const missing = report.problems.length > 0;
    return { document: report, text: () => textOf(report), exitCode: missing ? exitCodes.environment : exitCodes.done };
  },
});

type Report = Awaited<ReturnType<typeof examine>>;
type Problem = { readonly what: string; readonly fix: string };

async function examine() {
  const problems: Problem[] = [];
  const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]))
    problems.push({ what: `Node ${process.versions.node}`, fix: `camkit needs Node ${oldestNode.join(".")} or later` });
  const { onnxruntime, ...sharp } = nativeVersions();
  const models = catalogue().map(({ name, path }) => ({ name, path }));
  if (models.length === 0)
    problems.push({
      what: `no shipped model found${modelsFolder() ? "" : ": no models folder above the program"}`,
      fix: "reinstall camkit, or check the repository out whole",
    });
  const devices = await tryDevices(models[0]?.path);
  return {
    camkit: version,
    node: process.versions.node,
    system: { platform: platform(), release: release(), arch: arch() },
    cpu: { model: cpus()[0]?.model.trim() ?? "unknown", threads: availableParallelism() },
    memoryBytes: totalmem(),
    onnxruntime,
    sharp: { version: sharp.sharp, libvips: sharp.libvips, pictureFormats: sharp.pictureFormats },
    devices,
    /** What `--device auto` tries, in this order, and why it leaves the others aside. */
    auto: {
      order: autoOrder,
      never: deviceNames.flatMap((device) => {
        const why = notByItself(device);
        return why === undefined ? [] : [{ device, why }];
      }),
    },
    /** What isn't needed but for one thing, with how to get it; trades add rows. */
    tools: [
      {
        name: "dcmjs-dimse",
        use: "camkit ct --dimse: storing by C-STORE",
        available: await dimseAvailable(),
        install: "npm install dcmjs-dimse",
      },
    ],
    models,
    problems,
  };
}

function textOf(report: Report): string {
  const { system, cpu, sharp } = report;
  const devices = table(
    [{ title: "" }, { title: "" }, { title: "" }],
    report.devices.map(({ name, available, needs, reason }) =>
      available ? [name, "yes", ""] : [name, "no", `${reason}; needs ${needs}`],
    ),
  );
  const tools = table(
    [{ title: "" }, { title: "" }, { title: "" }, { title: "" }],
    report.tools.map(({ name, available, use, install }) => [
      name,
      available ? "yes" : "no",
      use,
      available ? "" : install,
    ]),
  );
  const sections = [
    facts([
      ["camkit", report.camkit],
      ["node", report.node],
      ["system", `${system.platform} ${system.release}, ${system.arch}`],
      ["processor", `${cpu.model}, ${cpu.threads} threads, ${bytes(report.memoryBytes)} memory`],
      ["onnxruntime", report.onnxruntime],
      ["sharp", `${sharp.version} with libvips ${sharp.libvips}: ${sharp.pictureFormats.join(", ")}`],
      ["models", report.models.map(({ name }) => name).join(", ") || "none found"],
    ]),
    `devices, each tried\n${devices}\n\n  --device auto: ${report.auto.order.join(", else ")}`,
    `optional\n${tools}`,
    report.problems.length === 0
      ? "Nothing that is needed is missing."
      : `missing\n${report.problems.map(({ what, fix }) => `  ${what}\n    ${fix}`).join("\n")}`,
  ];
  return sections.join("\n\n");
}
