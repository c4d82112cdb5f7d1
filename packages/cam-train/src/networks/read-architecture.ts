import { readBytes } from "@camkit/cam-core";
import { NetworkError } from "../errors.ts";
import { architectureSchema, type CovidnetArchitecture } from "./covidnet-cells.ts";

/**
 * An architecture of CovidNet3D in a JSON file, as its authors' code writes it or by name: `{ "s0_c0": "mbconv_5_3", … }`.
 * Throws FileError, and NetworkError that lists every cell that doesn't fit.
 */
export async function readArchitecture(path: string): Promise<CovidnetArchitecture> {
  const text = new TextDecoder().decode(await readBytes(path));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new NetworkError(`${path} is no JSON: ${(cause as Error).message}`, { cause });
  }
  const found = architectureSchema.safeParse(json);
  if (found.success) return found.data;
  const problems = found.error.issues.map(
    ({ path, message }) => `  ${path.join(".") || "(the whole file)"}: ${message}`,
  );
  throw new NetworkError(`${path} is no architecture\n${problems.join("\n")}`, {
    hint: "Cells are s0_c0 to s5_c0; each has an op's name (mbconv_3_3 … mbconv_7_4, identity, zero) or a one-hot list.",
  });
}
