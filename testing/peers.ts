import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Programs that read what we write, or write what we read: Debian has them, and nothing else needs them. */

/** Which Debian package a program comes with, where its name differs. */
const packages: Readonly<Record<string, string>> = {
  dciodvfy: "dicom3tools",
  dcentvfy: "dicom3tools",
  dcmdump: "dcmtk",
  dsrdump: "dcmtk",
  dcmj2pnm: "dcmtk",
  gdcminfo: "libgdcm-tools",
  gdcmconv: "libgdcm-tools",
  nifti_tool: "nifti-bin",
  Orthanc: "orthanc",
};

/** Where the program is on the path. */
export const programAt = (name: string): string | undefined =>
  (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });

/**
 * For `skipIf`: whether a test has to do without these programs; it then prints why. With CAMKIT_PEERS=1, as in CI, it never has
 * to: a test whose program is missing then fails.
 */
export function withoutPeers(...names: readonly string[]): boolean {
  const missing = names.filter((name) => programAt(name) === undefined);
  if (missing.length === 0 || process.env.CAMKIT_PEERS === "1") return false;
  const install = [...new Set(missing.map((name) => packages[name] ?? name))].join(" ");
  console.warn(`skipped: ${missing.join(", ")} not found. apt-get install ${install}`);
  return true;
}
