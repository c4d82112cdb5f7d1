import { appendFile, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { type LogEntry, readLog, TrainingLog, timeFields } from "./log.ts";

let path: string;
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), "camkit-log-")), "run", "log.jsonl");
});

const stepsPerEpoch = 4;

/** What a run writes at one step: a line, and after each epoch another. `speed` is what differs between machines. */
function entriesAt(step: number, speed: number): LogEntry[] {
  const epoch = Math.ceil(step / stepsPerEpoch);
  const common = { step, epoch, loss: 1 / step, rate: 0.01, seconds: step / speed, samplesPerSecond: 32 * speed };
  const line: LogEntry = { kind: "step", ...common };
  const validation = { loss: 1.1 / step, metrics: { accuracy: 1 - 1 / step, auc: Number.NaN } };
  return step % stepsPerEpoch === 0 ? [line, { kind: "epoch", ...common, validation }] : [line];
}

async function run(from: number, to: number, speed: number): Promise<void> {
  const log = await TrainingLog.open(path, from);
  for (let step = from + 1; step <= to; step++) for (const entry of entriesAt(step, speed)) log.write(entry);
  log.close();
}

const withoutTimes = (entries: LogEntry[]) =>
  entries.map((entry) =>
    Object.fromEntries(Object.entries(entry).filter(([name]) => !timeFields.some((time) => time === name))),
  );

test("what is written is what is read; NaN is null in the file and NaN again", async () => {
  await run(0, 8, 10);
  expect(await readLog(path)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].flatMap((step) => entriesAt(step, 10)));
  expect(await readFile(path, "utf8")).toContain('"auc":null');
});

test.each([1, 3, 4, 5, 8])(
  "stopped anywhere and resumed from step %i: the log of an undisturbed run",
  async (checkpoint) => {
    await run(0, 10, 10);
    const undisturbed = withoutTimes(await readLog(path));
    await run(0, 9, 10); // killed after step 9, the last checkpoint being older
    await appendFile(path, '{"kind":"step","step":10,"epo'); // … in the middle of a line
    await run(checkpoint, 10, 7);
    const resumed = await readLog(path);
    expect(withoutTimes(resumed)).toEqual(undisturbed);
    expect(resumed.at(-1)!.samplesPerSecond).toBe(32 * 7);
  },
);

test("a torn last line is not there, however much of it was written", async () => {
  await run(0, 3, 10);
  const whole = await readFile(path, "utf8");
  const secondEnd = whole.indexOf("\n", whole.indexOf("\n") + 1) + 1;
  for (let cut = secondEnd; cut < whole.length; cut += 7) {
    await writeFile(path, whole.slice(0, cut));
    expect((await readLog(path)).map(({ step }) => step)).toEqual([1, 2]);
  }
});

test("a new run begins a new log", async () => {
  await run(0, 8, 10);
  await run(0, 2, 10);
  expect((await readLog(path)).map(({ step }) => step)).toEqual([1, 2]);
});

test("a checkpoint whose log is gone begins one at its step", async () => {
  await run(5, 6, 10);
  expect((await readLog(path)).map(({ step }) => step)).toEqual([6]);
});

test("what isn't a log is refused with its line, and stays as it is", async () => {
  await run(0, 2, 10);
  const good = await readFile(path, "utf8");
  for (const [text, message] of [
    [`${good}oops\n`, /line 3: not JSON/],
    [`${good}{"kind":"step","step":-1}\n`, /line 3: step/],
    [`${good}{"kind":"other"}\n`, /line 3: kind/],
    [`${good}${good}`, /line 3: step 1 comes after step 2/],
  ] as const) {
    await writeFile(path, text);
    await expect(readLog(path)).rejects.toThrow(message);
    await expect(TrainingLog.open(path, 2)).rejects.toThrow(message);
    expect(await readFile(path, "utf8")).toBe(text);
  }
  await expect(readLog(`${path}.none`)).rejects.toMatchObject({ code: "file" });
});
