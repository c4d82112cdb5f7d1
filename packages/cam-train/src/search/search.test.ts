import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readSearchFile } from "../config/read.ts";
import { runSearch, type SearchEvent, type SearchResult, search, searchFiles } from "./search.ts";
import { smallSetup, volumesOf } from "./test-space.ts";

let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "camkit-search-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Finished = Extract<SearchResult, { state: "finished" }>;
const bytes = (out: string) =>
  Promise.all([searchFiles.last, searchFiles.architecture, searchFiles.result].map((file) => readFile(at(out, file))));

let whole: Finished;
const events: SearchEvent[] = [];
beforeAll(async () => {
  const options = { out: at("whole"), onEvent: (event: SearchEvent) => events.push(event) };
  whole = (await runSearch(await smallSetup(), "run", options)) as Finished;
});

test("where an op matters, the search finds it: better than the usual network, which is always a candidate", async () => {
  const usual = whole.candidates.find(({ name }) => name === "usual")!;
  expect(usual.architecture).toEqual({ c0: "point", c1: "point", c2: "point" });
  expect(Object.values(whole.architecture)).toContain("near");
  const last = events.findLast((event) => event.kind === "epoch")!;
  expect(Object.values(last.architecture)).toContain("near");
  expect(whole.best.value).toBeGreaterThan(0.9);
  expect(whole.best.value).toBeGreaterThan(usual.value + 0.2);
  const written = JSON.parse(await readFile(at("whole", searchFiles.architecture), "utf8"));
  expect(written).toEqual(whole.architecture);
});

test("it says what happens: every step, what is likeliest after every epoch, and the candidates", async () => {
  const of = <K extends SearchEvent["kind"]>(kind: K) =>
    events.filter((event): event is Extract<SearchEvent, { kind: K }> => event.kind === kind);
  expect(of("step").map(({ step }) => step)).toEqual(Array.from({ length: of("step")[0]!.steps }, (_, i) => i + 1));
  const epochs = of("epoch");
  expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(epochs.at(-1)!.entropy).toBeLessThan(epochs[0]!.entropy);
  for (const { epoch, architecture } of epochs)
    expect(JSON.parse(await readFile(at("whole", searchFiles.ofEpoch(epoch)), "utf8"))).toEqual(architecture);
  expect(of("candidate").map(({ name }) => name)).toEqual(whole.candidates.map(({ name }) => name));
});

test("stopped at any step, and while candidates are trained, it goes on to the same bytes", async () => {
  let stops = 0;
  let result: SearchResult;
  do {
    const controller = new AbortController();
    let seen = 0;
    const patience = 7 + stops; // another place each time
    result = await runSearch(await smallSetup(), "run", {
      out: at("stopped"),
      signal: controller.signal,
      onEvent: (event) => {
        const counts = event.kind === "step" || (event.kind === "training" && event.event.kind === "step");
        if (counts && ++seen === patience) controller.abort();
      },
    });
  } while (result.state === "interrupted" && ++stops < 40);
  expect(stops).toBeGreaterThan(4);
  expect(await bytes("stopped")).toEqual(await bytes("whole"));
});

test("another seed draws otherwise; another search's folder is refused", async () => {
  const other = await runSearch(
    await smallSetup({ seed: 3, epochs: 1, choose: { candidates: 1, epochs: 1, fraction: 0.25 } }),
    "other",
    {
      out: at("other"),
    },
  );
  expect(other.state).toBe("finished");
  expect((await bytes("other"))[0]).not.toEqual((await bytes("whole"))[0]);
  await expect(runSearch(await smallSetup(), "run", { out: at("other") })).rejects.toThrow("is from another search");
});

const cells = (stage: number) => [0, 1, 2, 3].map((cell) => `s${stage}_c${cell}`);
const fixed = Object.fromEntries(
  [0, 1, 2, 3, 4].flatMap((stage) => cells(stage).map((name, cell) => [name, [cell === 0 ? "identity" : "zero"]])),
);

test("a configuration searches CovidNet3D's own cells", async () => {
  const config = {
    network: {
      choices: { ...fixed, s0_c0: ["mbconv_3_3", "mbconv_5_3"], s0_c1: ["mbconv_3_3", "zero"], s5_c0: ["identity"] },
    },
    data: volumesOf(24, [8, 16, 16]),
    ...{ batch: 3, epochs: 1, workers: 0, threads: 1 },
    choose: { candidates: 1, epochs: 1 },
  };
  const result = (await search(config, { out: at("covid") })) as Finished;
  expect(result.state).toBe("finished");
  expect(result.candidates.map(({ name }) => name)).toEqual(["usual", "epoch-1"]);
  expect(Object.keys(result.architecture)).toHaveLength(21);
  expect(Object.values(result.candidates[0]!.architecture)).toEqual(Array(21).fill("mbconv_3_3"));
  expect(result.candidates[1]!.architecture).toMatchObject({ s1_c0: "identity", s1_c1: "zero" });
});

test("a file is a configuration, with paths as seen from it and problems by line", async () => {
  await writeFile(at("search.yaml"), "data: { kind: module, url: volumes.mjs }\nepochs: 7\n");
  const read = await readSearchFile(at("search.yaml"));
  expect(read).toMatchObject({
    folder,
    config: { name: "search", epochs: 7, batch: 64, alpha: { rate: 3e-4, betas: [0.5, 0.999] } },
  });
  await writeFile(at("search.yaml"), "data: volumes\nalpha:\n  rate: -1\n");
  await expect(readSearchFile(at("search.yaml"))).rejects.toThrow("search.yaml:3: alpha.rate: ");
});

test.each<[string, object, string]>([
  ["an unknown key", { rates: 1 }, "rates"],
  ["zero in a first cell", { network: { choices: { s1_c0: ["zero"] } } }, "network.choices.s1_c0"],
  ["no op", { network: { choices: { s1_c1: [] } } }, "network.choices.s1_c1"],
])("%s is refused by name", async (_, more, message) => {
  await expect(search({ data: volumesOf(8, [8, 8, 8]), ...more }, { out: at("refused") })).rejects.toThrow(message);
});
