import * as z from "zod/mini";
import type { InputManifest, Manifest } from "../manifest.ts";
import { type ForeignFormat, parseForeign, pictureInput } from "./format.ts";
import { channelsOf, type Geometry, type Size } from "./geometry.ts";
import { labelsByNumber } from "./labels.ts";
import { type PythonValue, parsePythonLiteral } from "./python-literal.ts";

/** How messages call what lies inside the model file. */
const inside = "the model's Ultralytics metadata";

const side = z.int().check(z.positive());
const schema = z.looseObject({
  names: z.union([z.record(z.string(), z.string()), z.array(z.string())]),
  stride: z.number(),
  task: z.optional(z.string()),
  imgsz: z.optional(z.union([side, z.array(side).check(z.minLength(1), z.maxLength(2))])),
  channels: z.optional(z.int()),
});

/** Keys whose values are Python literals; the others are text. */
const literals = ["names", "stride", "imgsz", "channels"] as const;

/**
 * What `yolo export` writes into an ONNX file, and YOLOv5's export.py: classes, size and task; how pictures are prepared follows
 * from the task. Source: ultralytics 8.4, engine/exporter.py, data/augment.py (LetterBox, classify_transforms).
 */
export const ultralytics: ForeignFormat = {
  name: "Ultralytics",
  files: [],
  read({ graph, name }) {
    const { metadata } = graph;
    if (!metadata.has("names") || !metadata.has("stride")) return undefined;
    const raw: Record<string, PythonValue | undefined> = { task: metadata.get("task") };
    for (const key of literals) raw[key] = literal(metadata.get(key));
    const { names, task = "detect", imgsz, channels } = parseForeign(schema, raw, inside);
    const info = pictureInput(graph);
    const size: Size | undefined = imgsz === undefined ? undefined : pair(imgsz);
    const classes = classesOf(names);
    const licence = metadata.get("license");
    const input: InputManifest | undefined = info && {
      layout: info.layout,
      ...atSize(task, size ?? dimsOf(info)),
      channelOrder: channelsOf(info, channels) === 1 ? "grey" : "RGB",
      range: [0, 1],
    };
    const manifest: Manifest = {
      formatVersion: 1,
      name: nameIn(metadata.get("description")) ?? name,
      ...(licence ? { licence } : {}),
      ...(info && input ? { inputs: { [info.name]: input } } : {}),
      ...(classes ? { classes } : {}),
    };
    return { manifest, files: [inside], notes: [] };
  },
};

/** A value that is no literal is left as text, which the schema then refuses with the key's name. */
function literal(text: string | undefined): PythonValue | undefined {
  if (text === undefined) return undefined;
  try {
    return parsePythonLiteral(text);
  } catch {
    return text;
  }
}

const pair = (size: number | number[]): Size => (Array.isArray(size) ? [size[0]!, size.at(-1)!] : [size, size]);

/** What Ultralytics predicts at where nobody says a size. */
const usual = 640;

function dimsOf({ shape = [], layout }: { shape?: readonly unknown[] | undefined; layout: string }): Size {
  return ["H", "W"].map((letter) => {
    const dim = shape[layout.indexOf(letter)];
    return typeof dim === "number" ? dim : usual;
  }) as Size;
}

/** Classifiers get the middle of the picture (torchvision's Resize and CenterCrop), all else the whole one in grey (OpenCV's). */
function atSize(task: string, size: Size): Geometry {
  if (task !== "classify") return { size, resize: { kernel: "bilinear", antialias: false, fit: "pad", padValue: 114 } };
  const smooth = { kernel: "bilinear", antialias: true } as const;
  const square = size[0] === size[1];
  return { size, resize: square ? { ...smooth, fit: "short-side", resizeTo: size[0] } : { ...smooth, fit: "squash" } };
}

/**
 * Names that somebody gave; "0", "1" and so on are Ultralytics' own where nobody did. A detector's classes are counted without the
 * numbers of its boxes, as targets are.
 */
function classesOf(names: readonly string[] | Readonly<Record<string, string>>): string[] | undefined {
  const classes = labelsByNumber(names, inside);
  return classes?.every((name, i) => name === String(i)) ? undefined : classes;
}

/** "Ultralytics YOLOv8n model trained on coco.yaml" → "YOLOv8n". */
function nameIn(description: string | undefined): string | undefined {
  return /^Ultralytics (\S+) model/.exec(description ?? "")?.[1];
}
