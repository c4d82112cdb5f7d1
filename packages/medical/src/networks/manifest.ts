import { type Manifest, ManifestError } from "@camkit/cam-core";
import { z } from "zod";
import { lungCtSchema } from "../preprocess/options.ts";
import { volumeSchema } from "../preprocess/volume-options.ts";
import { slidingWindowSchema } from "./windows.ts";

/** `extensions.medical` of a model's manifest: how a scan gets in, and what comes out. Classes are the manifest's own. */
export const medicalSchema = z.strictObject({
  task: z.enum(["classification", "segmentation"]).default("classification"),
  preprocess: z.union([lungCtSchema, volumeSchema]).exactOptional(),
  /** Default: the volume at once where the graph's sizes allow it, else windows of the size that the graph fixes. */
  slidingWindow: slidingWindowSchema.exactOptional(),
  /** How maps are made where nobody says otherwise, and at which layers; several are averaged. Default: grad-cam at the last. */
  method: z.string().min(1).exactOptional(),
  layers: z.array(z.string().min(1)).min(1).exactOptional(),
});

export type MedicalManifest = z.output<typeof medicalSchema>;

/** What a manifest says to this package; undefined where it says nothing. Throws ManifestError with every problem. */
export function medicalManifest(manifest: Manifest | undefined, path = "the manifest"): MedicalManifest | undefined {
  const stated = manifest?.extensions?.medical;
  if (stated === undefined) return undefined;
  const parsed = medicalSchema.safeParse(stated);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue) => problemsIn(issue, ["extensions", "medical"]));
  throw new ManifestError(path, `extensions.medical isn't valid\n${problems.join("\n")}`, {
    hint: "Keys that are not in the format are refused, so that a typing slip does not pass for a setting.",
  });
}

/** Of a union, what is wrong with the member that its `kind` means: "Invalid input" alone would say nothing. */
function problemsIn(issue: z.core.$ZodIssue, place: readonly PropertyKey[]): string[] {
  const at = [...place, ...issue.path];
  const say = (path: readonly PropertyKey[], message: string) => `  ${path.map(String).join(".")}: ${message}`;
  if (issue.code !== "invalid_union") return [say(at, issue.message)];
  const meant = issue.errors.find((errors) => !errors.some(({ path }) => path[0] === "kind"));
  if (meant !== undefined) return meant.flatMap((inner) => problemsIn(inner, at));
  const kinds = issue.errors.flat().filter(({ path }) => path[0] === "kind");
  return [say([...at, "kind"], kinds.map(({ message }) => message).join("; or "))];
}
