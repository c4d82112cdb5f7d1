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
import { explainedName, type Verdict, verdictNote } from "./verdict.ts";

/** Draws a map over its picture (or alone, for a tensor), writes it, and returns its name in the output folder. */
export async function paint(
  job: Job,
  explainer: Explainer,
  said: EntryExplanation,
  verdict: Verdict | undefined,
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
    legend: legendOf(job, explainer, said, verdict, picture !== undefined),
  });
  const name = `${stem}.${request.format === "jpeg" ? "jpg" : "png"}`;
  const bytes = await encodePicture(drawn, {
    format: request.format,
    provenance: provenanceOf(job, explainer, picture ? "picture" : "tensor", said, verdict),
  });
  await writeAtomic(join(request.out, name), bytes);
  return name;
}

function legendOf(
  job: Job,
  explainer: Explainer,
  said: EntryExplanation,
  verdict: Verdict | undefined,
  isPicture: boolean,
): Legend {
  const title = explainedName(said, verdict);
  const score =
    said.probability === undefined
      ? `${said.class === undefined ? "score" : "logit"} ${significant(said.score)}`
      : probability(said.probability);
  const layers = explainer.layers.map((layer) => layer.value);
  const notes = [
    verdict && verdictNote(verdict),
    isPicture && job.preprocessing().assumed && "preprocessing was assumed: no manifest states it",
  ].filter((note) => typeof note === "string");
  return {
    title,
    score,
    detail: [explainer.method.name, layers.length === 0 ? `at the input ${job.input}` : `at ${layers.join(", ")}`].join(
      " · ",
    ),
    ...(notes.length > 0 ? { note: notes.join(" · ") } : {}),
  };
}
