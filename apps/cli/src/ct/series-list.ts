import { CamError } from "@camkit/cam-core";
import { type Series, type Study, scanOf, selectSeries } from "@camkit/medical";
import { table } from "../table.ts";

/** `camkit ct series` as JSON: every series, how it lies in space or why it is refused, and what is in none. */
export function seriesDocument({ series, setAside }: Study) {
  const chosen = choice(series);
  return {
    series: series.map((one) => ({
      studyInstanceUid: one.identity.StudyInstanceUID,
      seriesInstanceUid: one.identity.SeriesInstanceUID,
      modality: one.modality,
      description: one.identity.SeriesDescription ?? null,
      slices: one.slices.length,
      ...(one.splitBy.length > 0 ? { splitBy: one.splitBy } : {}),
      chosen: one === chosen,
      ...layout(one),
    })),
    setAside,
  };
}

export type SeriesDocument = ReturnType<typeof seriesDocument>;

function choice(series: readonly Series[]): Series | undefined {
  try {
    return selectSeries(series).series;
  } catch (error) {
    if (error instanceof CamError) return undefined;
    throw error;
  }
}

function layout(series: Series) {
  if (series.modality !== "CT" && series.slices.length === 1) return {};
  try {
    const { geometry, notes, remapped } = scanOf(series).scan;
    return { geometry, notes, remappedUids: remapped.length };
  } catch (error) {
    if (error instanceof CamError)
      return { refused: { code: error.code, message: error.message, ...(error.hint ? { hint: error.hint } : {}) } };
    throw error;
  }
}

export function seriesText({ series, setAside }: SeriesDocument): string {
  const columns = [{ title: "" }, { title: "series" }, { title: "slices", align: "right" as const }, { title: "grid" }];
  const rows = series.map((one) => [
    one.chosen ? "*" : "",
    `${one.modality} ${one.description ?? one.seriesInstanceUid}`,
    one.slices,
    "geometry" in one && one.geometry ? gridText(one.geometry) : "",
  ]);
  const refused = series.flatMap((one) =>
    "refused" in one && one.refused
      ? [`${one.modality} ${one.description ?? one.seriesInstanceUid}: ${one.refused.message}`]
      : [],
  );
  return [
    series.length === 0 ? "no series" : table(columns, rows),
    ...(series.some((one) => one.chosen) ? ["* is what `camkit ct` takes without --series and --select"] : []),
    ...(refused.length > 0 ? [`can't be processed as they are\n${refused.map((line) => `  ${line}`).join("\n")}`] : []),
    ...(setAside.length > 0
      ? [`set aside\n${setAside.map(({ name, reason }) => `  ${name}: ${reason}`).join("\n")}`]
      : []),
  ].join("\n\n");
}

function gridText({ shape, spacingMm }: { shape: readonly number[]; spacingMm: readonly number[] }): string {
  const mm = spacingMm.map((spacing) => Number(spacing.toFixed(3))).join(" x ");
  return `${shape.join(" x ")} voxels of ${mm} mm`;
}
