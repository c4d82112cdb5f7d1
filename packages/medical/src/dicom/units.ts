import { counted, frameOf, type Slice } from "./slice.ts";

/** What keeps a CT's values from being HU: to be said, as nothing that follows can see it. */
export function unitNotes(slices: readonly Slice[]): string[] {
  if (slices[0]!.instance.modality !== "CT") return [];
  const byType = new Map<string | undefined, number>();
  for (const slice of slices) {
    const { rescaleType } = frameOf(slice);
    byType.set(rescaleType, (byType.get(rescaleType) ?? 0) + 1);
  }
  byType.delete("HU");
  return [...byType].map(([type, count]) =>
    type === undefined
      ? `${counted(count, "slice")} without rescale slope and intercept: stored values are taken for HU`
      : `${counted(count, "slice")} of rescale type "${type}": the values are not HU`,
  );
}
