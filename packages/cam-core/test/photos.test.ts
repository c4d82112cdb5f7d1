import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  createExplainer,
  decodePicture,
  loadModel,
  type Manifest,
  pixelAffine,
  pixelInput,
  preparePicture,
  toPicture,
} from "../src/index.ts";
import { classIndex } from "../src/targets/parse.ts";
import { hasShared, shared } from "./shared.ts";

/** MobileNetV2 as converted from TensorFlow Lite: 1001 classes, "background" first; pixels to -1..1, the whole picture squashed. */
function manifest(): Manifest {
  return {
    formatVersion: 1,
    name: "mobilenet_v2_1.0_224",
    inputs: {
      input: {
        layout: "NCHW",
        size: [224, 224],
        channelOrder: "RGB",
        resize: { kernel: "bilinear", antialias: true, fit: "squash" },
        range: [-1, 1],
      },
    },
    classes: readFileSync(`${shared}/models/imagenet_labels.txt`, "utf8").trim().split("\n"),
    output: { name: "logits", kind: "logits", activation: "softmax" },
  };
}

type Row = { image: string; label: string; box: readonly [number, number, number, number] };

function rows(): Row[] {
  const [, ...lines] = readFileSync(`${shared}/data/photos/boxes.csv`, "utf8").trim().split("\n");
  return lines.map((line) => {
    const [image, label, ...box] = line.split(",");
    return { image: image!, label: label!, box: box.map(Number) as [number, number, number, number] };
  });
}

describe.skipIf(!hasShared)("MobileNetV2 on photos with known boxes", () => {
  test("names a boxed class on each, and Grad-CAM peaks inside the boxes", async () => {
    const card = manifest();
    const input = card.inputs!.input!;
    const file = await loadModel(`${shared}/models/mobilenet_v2_1.0_224.onnx`);
    const model = { ...file, manifest: card, labels: card.classes! };
    const explainer = await createExplainer(model, { pixels: { manifest: input, affine: pixelAffine(input) } });
    const found: { image: string; label: string; inside: boolean; peak: string }[] = [];
    const winners = new Map<string, string>();
    for (const { image, label, box } of rows()) {
      const picture = await decodePicture(`${shared}/data/photos/${image}`);
      const { tensor, placement } = preparePicture(picture, input);
      const index = classIndex(label, model.labels);
      const { logits, explanations } = await explainer.run({ [pixelInput]: tensor }, [{ kind: "class", index }]);
      const scores = logits.data as Float32Array;
      winners.set(image, model.labels[scores.indexOf(Math.max(...scores))]!);
      const map = explanations[0]!.map!.data as Float32Array;
      const at = map.indexOf(Math.max(...map));
      const [x, y] = toPicture(placement, { width: 224, height: 224 }, [(at % 224) + 0.5, Math.floor(at / 224) + 0.5]);
      const [u, v] = [x / picture.width, y / picture.height];
      const inside = u >= box[0] - 0.02 && u <= box[2] + 0.02 && v >= box[1] - 0.02 && v <= box[3] + 0.02;
      found.push({ image, label, inside, peak: `${u.toFixed(2)}, ${v.toFixed(2)}` });
    }
    await explainer.close();
    console.table(found);
    for (const [image, winner] of winners) {
      const boxed = rows()
        .filter((row) => row.image === image)
        .map((row) => model.labels[classIndex(row.label, model.labels)]);
      expect(boxed, `${image}: ${winner}`).toContain(winner);
    }
    expect(found.filter((row) => row.inside).length).toBeGreaterThanOrEqual(6);
  });
});
