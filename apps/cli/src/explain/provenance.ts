import type { Explainer, Provenance } from "@camkit/cam-core";
import { version } from "../version.ts";
import type { EntryExplanation } from "./entry.ts";
import type { Job } from "./job.ts";
import type { Verdict } from "./verdict.ts";

/** The time that results carry: now, or SOURCE_DATE_EPOCH (seconds) for builds that must come out byte for byte. */
export function timeOf(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const fixed = Number(env.SOURCE_DATE_EPOCH);
  return (env.SOURCE_DATE_EPOCH && Number.isFinite(fixed) ? new Date(fixed * 1000) : new Date()).toISOString();
}

/** What every result of a job has in common, in result.json and inside each picture. */
export function jobProvenance(job: Job, explainer: Explainer) {
  const { model, request } = job;
  const { manifest } = model;
  return {
    model: {
      name: model.name,
      ...(manifest?.version === undefined ? {} : { version: manifest.version }),
      ...(manifest?.licence === undefined ? {} : { licence: manifest.licence }),
      file: model.path,
      sha256: model.sha256(),
      ...(model.manifestFrom?.files.length ? { manifest: model.manifestFrom.files } : {}),
    },
    ...(manifest?.calibration ? { calibration: manifest.calibration } : {}),
    method: { name: explainer.method.name, parameters: {}, source: explainer.method.source },
    layers: explainer.layers.map(({ value, opType, channels, space }) => ({
      tensor: value,
      operator: opType,
      channels,
      space,
    })),
    layerChosen: explainer.layers.length === 0 ? "input" : request.layer === "auto" ? "auto" : "named",
    ...(explainer.squashedBy === undefined ? {} : { scoresAreBefore: explainer.squashedBy }),
    provider: explainer.device,
    threads: request.threads ?? "default",
    seed: null,
  };
}

/** The provenance inside one picture file. */
export function provenanceOf(
  job: Job,
  explainer: Explainer,
  kind: "picture" | "tensor",
  { target, class: index, label, score, probability }: EntryExplanation,
  verdict: Verdict | undefined,
): Provenance {
  return {
    software: `camkit ${version}`,
    ...jobProvenance(job, explainer),
    target,
    ...(index === undefined ? {} : { class: index }),
    ...(label === undefined ? {} : { label }),
    score,
    ...(probability === undefined ? {} : { probability }),
    ...(verdict ? { verdict } : {}),
    preprocessing: kind === "picture" ? job.preprocessing() : "none: a tensor fed as it is",
    time: timeOf(),
  };
}
