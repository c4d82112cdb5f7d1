import { expect, test } from "vitest";
import {
  element,
  encapsulated,
  greyLayout,
  item,
  nothing,
  sequenceEnd,
  source,
  uids,
} from "../../../test/encapsulated.ts";
import { encodeLossless } from "../../../test/lossless-encoder.ts";
import { openPixels } from "./open.ts";

/** Three frames of one row, each told from the others by its values. */
const [rows, columns] = [1, 4];
const layout = greyLayout(rows, columns, { numberOfFrames: 3, bitsStored: 12, highBit: 11 });
const values = [0, 1, 2].map((frame) => Uint16Array.from({ length: 4 }, (_, i) => 100 * frame + i));
const streams = values.map((samples) => {
  const stream = encodeLossless(samples, { rows, columns, precision: 12, predictor: 1 });
  return stream.length % 2 === 0 ? stream : Buffer.concat([stream, Buffer.alloc(1)]);
});
/** Each stream cut in two: six fragments. */
const halves = streams.flatMap((stream) => [stream.subarray(0, 20), stream.subarray(20)]);
const offsets = [0, 1, 2].map((frame) => halves.slice(0, 2 * frame).reduce((sum, { length }) => sum + 8 + length, 0));

async function frames(elements: readonly Uint8Array[], pixels = layout): Promise<number[][]> {
  const opened = openPixels(source(uids.jpegLossless, elements, pixels));
  const all: number[][] = [];
  for (let k = 0; k < pixels.numberOfFrames; k++) all.push(Array.from((await opened.frame(k)).samples));
  return all;
}
const expected = values.map((samples) => Array.from(samples));

test("one fragment per frame, without an offset table", async () => {
  expect(await frames([encapsulated(streams)])).toEqual(expected);
});

test("several fragments per frame, by the basic offset table", async () => {
  expect(await frames([encapsulated(halves, offsets)])).toEqual(expected);
});

test("several fragments per frame, by the extended offset table", async () => {
  const table = new Uint8Array(BigUint64Array.from(offsets, BigInt).buffer);
  const lengths = new Uint8Array(BigUint64Array.from(streams, ({ length }) => BigInt(length)).buffer);
  const extended = [element(0x7fe0, 0x0001, "OV", table), element(0x7fe0, 0x0002, "OV", lengths)];
  expect(await frames([...extended, encapsulated(halves)])).toEqual(expected);
});

test("several fragments per frame, without any table: frames begin with FF D8 FF", async () => {
  expect(await frames([encapsulated(halves)])).toEqual(expected);
});

test("a table that lies doesn't mislead", async () => {
  expect(
    await frames([
      encapsulated(
        halves,
        offsets.map((offset) => offset + 2),
      ),
    ]),
  ).toEqual(expected);
  expect(await frames([encapsulated(streams, [0, 7, 9])])).toEqual(expected);
});

test("one frame in many fragments", async () => {
  const pieces = Array.from({ length: Math.ceil(streams[1]!.length / 2) }, (_, i) =>
    streams[1]!.subarray(2 * i, 2 * i + 2),
  );
  expect(await frames([encapsulated(pieces)], { ...layout, numberOfFrames: 1 })).toEqual([expected[1]]);
});

test("fragments of odd length, padded or not; a sequence without its end", async () => {
  const odd = streams.map((stream) => Buffer.concat([stream, Buffer.alloc(1)]));
  const head = [element(0x7fe0, 0x0010, "OB", nothing, 0xffffffff), item(nothing)];
  const unpadded = Buffer.concat([...head, ...odd.map((stream) => item(stream)), sequenceEnd]);
  const padded = Buffer.concat([
    ...head,
    ...odd.map((stream) => Buffer.concat([item(stream), Buffer.alloc(1)])),
    sequenceEnd,
  ]);
  const endless = Buffer.concat([...head, ...streams.map((stream) => item(stream))]);
  for (const elements of [unpadded, padded, endless]) expect(await frames([elements])).toEqual(expected);
});

test.each([
  ["a fragment is missing", encapsulated(streams.slice(1)), "2 fragments can't be shared out among 3 frames"],
  ["all are missing", encapsulated([]), "encapsulated pixel data without fragments"],
  [
    "the table, too",
    Buffer.concat([element(0x7fe0, 0x0010, "OB", nothing, 0xffffffff), sequenceEnd]),
    "without a single item",
  ],
  [
    "a fragment is longer than the file",
    Buffer.concat([
      element(0x7fe0, 0x0010, "OB", nothing, 0xffffffff),
      item(nothing),
      item(streams[0]!, 0xe000, 1 << 30),
    ]),
    /the fragment at byte \d+ says that it has 1073741824 bytes, \d+ remain/,
  ],
  [
    "something else lies between them",
    Buffer.concat([encapsulated([]).subarray(0, 20), Buffer.alloc(64, 7)]),
    /a fragment is expected at byte \d+, \(0707,0707\) found/,
  ],
  ["a length where there should be none", element(0x7fe0, 0x0010, "OB", streams[0]!), "have a length"],
] as const)("refused: %s", async (_, elements, message) => {
  await expect(frames([elements])).rejects.toThrow(message);
});
