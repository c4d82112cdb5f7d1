import { join } from "node:path";
import {
  type Explainer,
  encodePicture,
  type Legend,
  type Picture,
  type Placement,
  renderOverlay,
  type Tensor,
  writeAtomic,
} from "@camkit/cam-core";
import { probability, significant } from "../format.ts";
import type { EntryExplanation } from "./entry.ts";
import type { Job } from "./job.ts";
import { provenanceOf } from "./provenance.ts";

/** Draws a map over its picture (or alone, for a tensor), writes it, and returns its name in the output folder. */
export async function paint(
  job: Job,
  explainer: Explainer,
  said: EntryExplanation,
  map: Tensor,
  { picture, placement }: { picture?: Picture; placement?: Placement },
  stem: string,
): Promise<string> {
  const { request } = job;
  const [height, width] = map.shape as [number, number];
  const ground = picture ?? { width, height, rgb: new Uint8Array(width * height * 3) };
  const drawn = await renderOverlay(ground, map, {
    ...(placement ? { placement } : {}),
    view: picture ? request.view : "heatmap",
    colormap: request.colormap,
    legend: legendOf(job, explainer, said, picture !== undefined),
  });
  const name = `${stem}.${request.format === "jpeg" ? "jpg" : "png"}`;
  const bytes = await encodePicture(drawn, {
    format: request.format,
    provenance: provenanceOf(job, explainer, picture ? "picture" : "tensor", said),
  });
  await writeAtomic(join(request.out, name), bytes);
  return name;
}

function legendOf(job: Job, explainer: Explainer, said: EntryExplanation, isPicture: boolean): Legend {
  const title = said.class === undefined ? said.target : (said.label ?? `class ${said.class}`);
  const score =
    said.probability === undefined
      ? `${said.class === undefined ? "score" : "logit"} ${significant(said.score)}`
      : probability(said.probability);
  const layers = explainer.layers.map((layer) => layer.value);
  const assumed = isPicture && job.preprocessing().assumed;
  return {
    title,
    score,
    detail: [explainer.method.name, layers.length === 0 ? `at the input ${job.input}` : `at ${layers.join(", ")}`].join(
      " · ",
    ),
    ...(assumed ? { note: "preprocessing was assumed: the model has no manifest" } : {}),
  };
}
