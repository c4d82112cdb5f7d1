import { deflateRawSync } from "node:zlib";
import { createRng, type Rng } from "@camkit/cam-core/data";
import type { Encoding } from "../src/dicom/elements.ts";
import {
  concat,
  element,
  explicitBig,
  explicitLittle,
  file,
  implicitLittle,
  item,
  text,
  undefinedLength,
  words,
} from "./dicom-bytes.ts";
import { encodeLossless } from "./lossless-encoder.ts";
import { type ZipPart, zip } from "./zip-bytes.ts";

/** A file made to do harm, or damaged as a disk or a wire damages: always the same for the same number. */
export type Hostile = { readonly name: string; readonly bytes: Uint8Array; readonly isZip: boolean };

const rows = 12;
const columns = 10;
const pixels = Array.from({ length: rows * columns }, (_, i) => (i * 37) % 4096);
const sequenceEnd = element(0xfffee0dd, "", "");
const itemEnd = element(0xfffee00d, "", "");

/** Elements of a small CT slice by tag; `change` replaces or adds some, and pixels come last. */
function slice(
  encoding: Encoding,
  pixelData: Uint8Array,
  change: ReadonlyMap<number, Uint8Array> = new Map(),
): Uint8Array {
  const put = (tag: number, vr: string, value: Uint8Array | string) =>
    [tag, element(tag, vr, value, encoding)] as const;
  const us = (tag: number, value: number) => put(tag, "US", words([value], encoding));
  const elements = new Map([
    put(0x00080008, "CS", "ORIGINAL\\PRIMARY\\AXIAL "),
    put(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2\0"),
    put(0x00080018, "UI", "1.2.3.4\0"),
    put(0x00080060, "CS", "CT"),
    put(0x00100010, "PN", "Hostile^File"),
    put(0x0020000d, "UI", "1.2.3"),
    put(0x0020000e, "UI", "1.2.3.1\0"),
    put(0x00200032, "DS", "0\\0\\0 "),
    put(0x00200037, "DS", "1\\0\\0\\0\\1\\0 "),
    put(0x00200052, "UI", "1.2.3.9\0"),
    us(0x00280002, 1),
    put(0x00280004, "CS", "MONOCHROME2 "),
    us(0x00280010, rows),
    us(0x00280011, columns),
    put(0x00280030, "DS", "0.5\\0.5 "),
    us(0x00280100, 16),
    us(0x00280101, 12),
    us(0x00280102, 11),
    us(0x00280103, 0),
    put(0x00281052, "DS", "-1024 "),
    put(0x00281053, "DS", "1 "),
    ...change,
  ]);
  const sorted = [...elements].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
  return concat(...sorted, pixelData);
}

const native = (encoding: Encoding) => element(0x7fe00010, "OW", words(pixels, encoding), encoding);
const fragments = (parts: readonly Uint8Array[], offsets: readonly number[] = [], end = sequenceEnd) =>
  concat(
    element(0x7fe00010, "OB", "", explicitLittle, undefinedLength),
    item(new Uint8Array(Uint32Array.from(offsets).buffer)),
    ...parts.map((part) => item(part)),
    end,
  );
const jpeg = encodeLossless(pixels, { rows, columns, precision: 12, predictor: 1 });
/** PS3.5, annex G: 64 bytes of header, then for each byte of a pixel, the high one first, runs of literals. */
const rle = (() => {
  const segment = (shift: number) =>
    concat(
      ...Array.from({ length: rows }, (_, r) =>
        Uint8Array.of(columns - 1, ...pixels.slice(r * columns, (r + 1) * columns).map((v) => (v >> shift) & 0xff)),
      ),
    );
  const header = new Uint8Array(
    Uint32Array.from({ length: 16 }, (_, i) => [2, 64, 64 + segment(8).length][i] ?? 0).buffer,
  );
  return concat(header, segment(8), segment(0));
})();

const uids = {
  implicit: "1.2.840.10008.1.2",
  explicit: "1.2.840.10008.1.2.1",
  deflated: "1.2.840.10008.1.2.1.99",
  big: "1.2.840.10008.1.2.2",
  jpeg: "1.2.840.10008.1.2.4.70",
  rle: "1.2.840.10008.1.2.5",
};
/** Sound files, one per way of writing: what is damaged below. */
const sound: readonly Uint8Array[] = [
  file(uids.explicit, slice(explicitLittle, native(explicitLittle))),
  file(uids.implicit, slice(implicitLittle, native(implicitLittle))),
  file(uids.big, slice(explicitBig, native(explicitBig))),
  file(uids.deflated, new Uint8Array(deflateRawSync(slice(explicitLittle, native(explicitLittle))))),
  file(uids.jpeg, slice(explicitLittle, fragments([jpeg]))),
  file(uids.rle, slice(explicitLittle, fragments([rle]))),
];

/** Deflated data sets that grow: in the place of an element, behind the pixels, and beyond what a header may have. */
const bombs = once(() => {
  const zeros = (megabytes: number) => new Uint8Array(megabytes << 20);
  const privateZeros = new Map([[0x00091001, element(0x00091001, "OB", zeros(40))]]);
  return [
    concat(slice(explicitLittle, text("")), zeros(20)),
    concat(slice(explicitLittle, native(explicitLittle)), zeros(30)),
    slice(explicitLittle, native(explicitLittle), privateZeros),
    concat(slice(explicitLittle, text("")), element(0x7fe00010, "OW", zeros(30))),
  ].map((content) => new Uint8Array(deflateRawSync(content, { level: 1 })));
});
const zipBombs = once(() =>
  [17, 40].map((megabytes) => ({
    megabytes,
    content: new Uint8Array(deflateRawSync(new Uint8Array(megabytes << 20))),
  })),
);

/** Rather few, and sometimes very many. */
const several = (rng: Rng) => rng.integer(1, rng.unit() < 0.1 ? 400_000 : 20_000);

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

type Maker = (rng: Rng) => Uint8Array;
const changed = (rng: Rng, change: readonly (readonly [number, Uint8Array])[]) => {
  const [uid, pixelData] = rng.pick([
    [uids.explicit, native(explicitLittle)],
    [uids.jpeg, fragments([jpeg])],
    [uids.rle, fragments([rle])],
  ] as const);
  return file(uid, slice(explicitLittle, pixelData, new Map(change)));
};
const us = (tag: number, value: number) => [tag, element(tag, "US", words([value]))] as const;
const odd = [0, 1, 7, 8, 12, 15, 17, 31, 32, 63, 64, 255, 32768, 65535];

const makers: Readonly<Record<string, Maker>> = {
  truncated: (rng) => {
    const bytes = rng.pick(sound);
    return bytes.subarray(0, rng.integer(0, bytes.length - 1));
  },
  "bits flipped": (rng) => {
    const bytes = rng.pick(sound).slice();
    for (let n = rng.integer(1, 20); n > 0; n--) bytes[rng.integer(0, bytes.length - 1)]! ^= 1 << rng.integer(0, 7);
    return bytes;
  },
  "lying lengths": (rng) => {
    const bytes = rng.pick(sound).slice();
    const value = rng.pick([0, 1, 0x7fffffff, 0xfffffffe, 0xffffffff, rng.uint32()]);
    new DataView(bytes.buffer).setUint32(rng.integer(132, bytes.length - 4), value, rng.unit() < 0.5);
    return bytes;
  },
  "a part repeated, or cut out": (rng) => {
    const bytes = rng.pick(sound);
    const [a, b] = [rng.integer(132, bytes.length), rng.integer(132, bytes.length)];
    return concat(bytes.subarray(0, a), bytes.subarray(b));
  },
  noise: (rng) =>
    concat(
      new Uint8Array(128),
      text("DICM"),
      Uint8Array.from({ length: rng.integer(0, 3000) }, () => rng.integer(0, 255)),
    ),
  "nested sequences": (rng) => {
    const depth = rng.integer(2, 5000);
    const tag = rng.pick([0x00091002, 0x00081140, 0x52009230]);
    const open = concat(
      element(tag, rng.pick(["SQ", "UN"]), "", explicitLittle, undefinedLength),
      item(text(""), explicitLittle, undefinedLength),
    );
    const close = rng.unit() < 0.5 ? concat(itemEnd, sequenceEnd) : text("");
    return changed(rng, [
      [tag, concat(...new Array<Uint8Array>(depth).fill(open), ...new Array<Uint8Array>(depth).fill(close))],
    ]);
  },
  "items without number": (rng) => {
    const tag = rng.pick([0x52009229, 0x52009230, 0x00283010]);
    const items = new Uint8Array(several(rng) * 8);
    for (let i = 0; i < items.length; i += 8) items.set([0xfe, 0xff, 0, 0xe0], i);
    return changed(rng, [[tag, element(tag, "SQ", items)]]);
  },
  "elements without number": (rng) => {
    const many = new Uint8Array(several(rng) * 8);
    const view = new DataView(many.buffer);
    for (let i = 0; i < many.length; i += 8) {
      view.setUint32(i, 0x00190009 + ((i % 65536) << 16), true);
      many.set([0x4c, 0x4f], i + 4);
    }
    return changed(rng, [[0x00190009, many]]);
  },
  "huge dimensions": (rng) =>
    changed(rng, [
      us(0x00280010, rng.pick([0, 65535, 32768])),
      us(0x00280011, rng.pick([0, 65535, 30000])),
      us(0x00280002, rng.pick([1, 3, 65535])),
    ]),
  "odd layouts": (rng) =>
    changed(rng, [
      us(0x00280100, rng.pick(odd)),
      us(0x00280101, rng.pick(odd)),
      us(0x00280102, rng.pick(odd)),
      us(0x00280103, rng.pick([0, 1, 2])),
    ]),
  "frames without number": (rng) => {
    const count = rng.pick(["0", "-1", "2", "1000", "999999999", "1e9", "many", "3.5"]);
    return changed(rng, [[0x00280008, element(0x00280008, "IS", count.length % 2 ? `${count} ` : count)]]);
  },
  "numbers that are none": (rng) => {
    const tag = rng.pick([0x00200032, 0x00200037, 0x00280030, 0x00281052, 0x00281053]);
    const value = rng.pick([
      "",
      " ",
      "NaN",
      "1e400",
      "Infinity",
      "0\\0\\0",
      "-1\\-1 ",
      "1\\2\\3\\4\\5\\6\\7",
      "\0\0",
      "1,5 ",
      "0x10",
      "\\\\",
    ]);
    return changed(rng, [[tag, element(tag, "DS", value)]]);
  },
  "a deflate bomb": (rng) => file(uids.deflated, rng.pick(bombs())),
  "fragments that miss or lie": (rng) => {
    const [uid, frame] = rng.pick([
      [uids.jpeg, jpeg],
      [uids.rle, rle],
    ] as const);
    const cut = rng.integer(0, frame.length);
    const pixelData = rng.pick([
      fragments([]),
      fragments([new Uint8Array()]),
      fragments([frame], [rng.uint32(), rng.uint32()]),
      fragments([frame.subarray(0, cut)]),
      fragments([frame.subarray(0, cut), frame.subarray(cut)]),
      fragments([frame], [], text("")),
      fragments(new Array<Uint8Array>(rng.integer(2, 500)).fill(new Uint8Array(2))),
      element(0x7fe00010, "OB", frame),
      concat(element(0x7fe00010, "OB", "", explicitLittle, undefinedLength), frame),
      element(0x7fe00010, "OW", "", explicitLittle, rng.uint32()),
    ]);
    return file(uid, slice(explicitLittle, pixelData));
  },
  "a damaged codestream": (rng) => {
    const [uid, frame] = rng.pick([
      [uids.jpeg, jpeg],
      [uids.rle, rle],
    ] as const);
    const bytes = frame.slice();
    for (let n = rng.integer(1, 8); n > 0; n--) bytes[rng.integer(0, bytes.length - 1)] = rng.integer(0, 255);
    return file(uid, slice(explicitLittle, fragments([bytes])));
  },
  "another transfer syntax than is said": (rng) =>
    file(
      rng.pick([
        ...Object.values(uids),
        "1.2.840.10008.1.2.4.90",
        "1.2.840.10008.1.2.4.80",
        "1.2.840.10008.1.2.4.50",
        "1.2.3",
        "",
      ]),
      slice(explicitLittle, rng.pick([native(explicitLittle), fragments([jpeg]), fragments([rle])])),
    ),
};

const wholeName = [
  "slice",
  "../../../tmp/camkit-escaped",
  "/etc/camkit-escaped",
  "C:\\camkit",
  "a/../../b",
  "",
  "nul\0byte",
  "x".repeat(60_000),
];
const archives: Readonly<Record<string, Maker>> = {
  "names that lead out": (rng) =>
    zip([{ name: rng.pick(wholeName), content: rng.pick(sound), deflate: rng.unit() < 0.5 }]),
  "a bomb": (rng) => {
    const { megabytes, content } = rng.pick(zipBombs());
    const size = megabytes << 20;
    return zip([
      { name: "bomb", content, method: 8, unpacked: rng.pick([size, 100, 0xfffffffe]), copies: rng.pick([1, 1, 300]) },
    ]);
  },
  "directories that lie": (rng) => {
    const lie: Partial<ZipPart> = rng.pick([
      { unpacked: rng.uint32() },
      { offset: rng.uint32() },
      { checksum: rng.uint32() },
      { method: rng.integer(0, 99) },
      { flags: rng.integer(0, 65535) },
      { copies: rng.integer(2, 2000) },
    ]);
    return zip([{ name: "a", content: rng.pick(sound), deflate: rng.unit() < 0.5, ...lie }]);
  },
  "a damaged archive": (rng) => {
    const bytes = zip([{ name: "a", content: rng.pick(sound), deflate: true }]).slice();
    for (let n = rng.integer(1, 10); n > 0; n--) bytes[rng.integer(4, bytes.length - 1)] = rng.integer(0, 255);
    return bytes.subarray(0, rng.unit() < 0.3 ? rng.integer(4, bytes.length) : bytes.length);
  },
  "an archive in an archive": (rng) =>
    zip([{ name: "inner.zip", content: zip([{ name: "a", content: rng.pick(sound) }]) }]),
};

/** Number `index` of a seed. Every sixth is an archive. */
export function hostileFile(seed: number, index: number): Hostile {
  const rng = createRng(seed, index);
  const isZip = index % 6 === 5;
  const table = isZip ? archives : makers;
  const kinds = Object.keys(table);
  const kind = kinds[Math.floor(index / (isZip ? 6 : 1)) % kinds.length]!;
  return { name: `${index} ${kind}`, bytes: table[kind]!(rng), isZip };
}
