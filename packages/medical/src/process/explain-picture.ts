import { InputError, type InputManifest, type Model, manifestPath } from "@camkit/cam-core";
import type { Tensor } from "@camkit/cam-core/data";
import type { Radiograph } from "../dicom/radiograph.ts";
import { explainRadiograph, prepareRadiograph } from "../networks/index.ts";
import { mapOnScan } from "../preprocess/index.ts";
import { statistics } from "../report/statistics.ts";
import type { Vec3 } from "../volume/geometry.ts";
import { assembled } from "./assemble.ts";
import { meanBaseline } from "./baseline.ts";
import type { ExplainedScan } from "./explained-scan.ts";
import { measureFaithfulness } from "./faithfulness.ts";
import { emptyNotes, isEmpty, mapAt, mergedMap } from "./maps.ts";
import { classAsked, type ExplainRequest, optionsOf, type ScanModel } from "./request.ts";
import type { Stages } from "./stages.ts";

/**
 * Explains a 2-D classifier's answer about a radiograph, from the model's manifest alone. The scan is a single slice, its values
 * those of the picture as displayed, 0 to 255. Throws InputError for a model that takes no pictures, what the engine throws.
 */
export async function explainPicture(
  { picture, scan }: Radiograph,
  request: ExplainRequest,
  stages: Stages,
): Promise<ExplainedScan> {
  const { model } = request.model;
  const { device, threads } = request;
  const input = pictureInput(model);
  const asked = classAsked(request);
  const volume = { geometry: scan.geometry, data: Int16Array.from(greyOf(picture.rgb)) };
  const prepared = await stages.run("preparing", () => prepareRadiograph(picture, input));
  const { window: _window, signal, ...options } = optionsOf(request);
  const explain = (over: Model, classIndex: number | undefined) =>
    explainRadiograph(over, prepared, { ...options, classIndex });
  const found = await stages.run("explaining", () => explain(model, asked));
  const size: Vec3 = [1, ...(input.size.slice(-2) as [number, number])];
  const raw = mergedMap(found.maps, size);
  const map = mapOnScan(raw, prepared.placement, scan.geometry);
  const measured = await stages.run("statistics", () => statistics(map, undefined, { threshold: request.threshold }));
  const flat = (tensor: Tensor): Tensor => ({ ...tensor, shape: tensor.shape.slice(1) });
  const faithfulness =
    request.metrics.length === 0 || isEmpty(measured)
      ? undefined
      : await stages.run("faithfulness", (onProgress) =>
          measureFaithfulness({
            names: request.metrics,
            model,
            classIndex: found.classIndex,
            input: prepared.tensor,
            map: flat(mapAt(raw, size)),
            baseline: meanBaseline(prepared.tensor),
            explain: async (changed) =>
              flat(mapAt(mergedMap((await explain(changed, found.classIndex)).maps, size), size)),
            device,
            threads,
            signal,
            onProgress,
          }),
        );
  return assembled(request, stages, {
    scan,
    volume,
    map,
    found: { ...found, structures: [], windows: 1 },
    statistics: measured,
    ...(faithfulness ? { faithfulness } : {}),
    words: pictureWords(input),
    notes: emptyNotes(measured, found.method),
  });
}

function pictureInput(model: ScanModel["model"]): InputManifest {
  const stated = Object.values(model.manifest?.inputs ?? {}).find(({ size }) => size.length === 2);
  const [first] = model.graph.inputs;
  if (stated) return stated;
  throw new InputError("the model's manifest doesn't say how a radiograph becomes its input", {
    hint: `State inputs.${first?.name} in ${manifestPath(model.path)}: layout, size, channelOrder "grey", range. X-ray models differ too much to assume any.`,
  });
}

const greyOf = (rgb: Uint8Array) => Array.from({ length: rgb.length / 3 }, (_, i) => rgb[3 * i]!);

function pictureWords({ size, range = [0, 1], resize, mean, std }: InputManifest): string {
  const standardised = mean ? `, mean ${mean.join(", ")}, std ${(std ?? [1]).join(", ")}` : "";
  return `radiograph: as displayed, ${resize?.fit ?? "squash"} to ${size.join(" x ")}, black to white ${range.join(" to ")}${standardised}`;
}
