import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { encodePicture, type InputManifest, type Picture } from "@camkit/cam-core";
import { onTestFinished } from "vitest";

/** What pictures become in most tests. */
export const input: InputManifest = { layout: "NCHW", size: [8, 8] };

/** Byte i is (7 i² + 37 i + 11 + 13 seed) mod 251. */
export function picture(width: number, height: number, seed = 0): Picture {
  const at = (_: unknown, i: number) => (i * i * 7 + i * 37 + 11 + 13 * seed) % 251;
  return { width, height, rgb: Uint8Array.from({ length: width * height * 3 }, at) };
}

/** Files in a folder that is gone after the test; text, bytes, or pictures written as PNG. */
export async function folderOf(files: Record<string, string | Uint8Array | Picture>): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), "cam-train-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), isPicture(content) ? await encodePicture(content) : content);
  }
  return root;
}

function isPicture(content: string | Uint8Array | Picture): content is Picture {
  return typeof content === "object" && "rgb" in content;
}

/** `count` pictures in the folders a and b in turn, 8 x 8, all different. */
export function twoClasses(count: number): Promise<string> {
  const name = (i: number) => `${i % 2 === 0 ? "a" : "b"}/${String(i).padStart(3, "0")}.png`;
  return folderOf(Object.fromEntries(Array.from({ length: count }, (_, i) => [name(i), picture(8, 8, i)])));
}
