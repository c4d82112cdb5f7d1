import type { Estimate, EvidenceRow } from "./evidence.ts";
import { objects } from "./objects.ts";
import { verdicts } from "./pictures.ts";
import type { RobustnessRow } from "./robustness.ts";

/** Tables in Markdown, as docs/cifake.md shows them. */

const percent = (value: number) => (Number.isFinite(value) ? `${(100 * value).toFixed(1)} %` : "–");

/** "+1.2 (−0.3 … +2.7)", in percent points. */
function points({ mean, interval: [low, high] }: Estimate): string {
  const signed = (value: number) => {
    const text = Math.abs(100 * value).toFixed(1);
    return text === "0.0" ? text : `${value < 0 ? "−" : "+"}${text}`;
  };
  return Number.isFinite(mean) ? `${signed(mean)} (${signed(low)} … ${signed(high)})` : "–";
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}

/** By model, method and verdict; the detector's Grad-CAM also by what the picture is. */
export function evidenceTable(rows: readonly EvidenceRow[]): string {
  return table(
    ["maps", "of", "verdict", "pictures", "energy on the object", "even map", "excess", "following"],
    rows
      .filter(({ object }) => object === "all")
      .map(({ model, method, label, verdict, share }) => [
        `${method}, ${model === "detector" ? model : "ten networks of shuffled weights"}`,
        label === "all" ? "all" : `${label} pictures`,
        verdict,
        String(share.count),
        percent(share.energy),
        percent(share.area),
        points(share.excess),
        points(share.following),
      ]),
  );
}

/** The detector's Grad-CAM by what the picture shows. */
export function objectTable(rows: readonly EvidenceRow[]): string {
  const of = (object: string, verdict: string) =>
    rows.find((row) => row.object === object && row.verdict === verdict)!.share;
  return table(
    ["object", ...verdicts.flatMap((verdict) => [`${verdict}: pictures`, "excess", "following"])],
    objects.map((object) => [
      object,
      ...verdicts.flatMap((verdict) => {
        const { count, excess, following } = of(object, verdict);
        return [String(count), points(excess), points(following)];
      }),
    ]),
  );
}

export function robustnessTable(rows: readonly RobustnessRow[]): string {
  const answers = rows.some(({ answered }) => answered);
  return table(
    ["pictures", "accuracy", "AUC", "FAKE found", "REAL found", ...(answers ? ["answered", "right of these"] : [])],
    rows.map(({ condition, accuracy, auc, fakeRecall, realRecall, answered }) => [
      condition,
      percent(accuracy),
      auc.toFixed(3),
      percent(fakeRecall),
      percent(realRecall),
      ...(answered ? [percent(answered.coverage), percent(answered.accuracy)] : []),
    ]),
  );
}
