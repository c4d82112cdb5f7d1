import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readBytes, sha256Hex, writeAtomic } from "./files.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "camkit-files-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe("readBytes", () => {
  test("gives the bytes", async () => {
    await writeFile(join(dir, "a"), Uint8Array.of(0, 255, 7));
    expect([...(await readBytes(join(dir, "a")))]).toEqual([0, 255, 7]);
  });

  test("names what is wrong, with code, path and hint", async () => {
    await expect(readBytes(join(dir, "none.onnx"))).rejects.toMatchObject({
      code: "file",
      path: join(dir, "none.onnx"),
      message: expect.stringContaining("none.onnx: no such file"),
      hint: "Check the path.",
    });
    await expect(readBytes(dir)).rejects.toThrow(/is a directory, expected a file/);
    await writeFile(join(dir, "a"), "");
    await expect(readBytes(join(dir, "a", "b"))).rejects.toThrow(/a part of the path is a file/);
  });

  test.skipIf(process.getuid?.() === 0)("says no permission", async () => {
    await writeFile(join(dir, "secret"), "");
    await chmod(join(dir, "secret"), 0);
    await expect(readBytes(join(dir, "secret"))).rejects.toThrow(/no permission/);
  });
});

describe("writeAtomic", () => {
  test.skipIf(process.platform !== "linux")("refuses a folder that no folder can be made in", async () => {
    await expect(writeAtomic("/proc/camkit/deep/file", "x")).rejects.toMatchObject({ code: "file" });
  });

  test("makes folders, replaces what was there, leaves nothing beside it", async () => {
    const path = join(dir, "x", "y", "out.json");
    await writeAtomic(path, "erste Fassung, größer");
    await writeAtomic(path, "ü");
    expect(await readFile(path, "utf8")).toBe("ü");
    expect(await readdir(join(dir, "x", "y"))).toEqual(["out.json"]);
  });

  test("a failed rename leaves neither a temporary file nor a changed target", async () => {
    await mkdir(join(dir, "taken"));
    await expect(writeAtomic(join(dir, "taken"), "x")).rejects.toThrow(/is a directory/);
    expect(await readdir(dir)).toEqual(["taken"]);
  });

  test("a file where a folder is needed is named", async () => {
    await writeFile(join(dir, "a"), "");
    await expect(writeAtomic(join(dir, "a", "b"), "x")).rejects.toThrow(/a part of the path is a file/);
  });

  test("writers at the same time never mix", async () => {
    const path = join(dir, "out");
    const texts = Array.from({ length: 8 }, (_, i) => String(i).repeat(100_000));
    await Promise.all(texts.map((text) => writeAtomic(path, text)));
    expect(texts).toContain(await readFile(path, "utf8"));
    expect(await readdir(dir)).toEqual(["out"]);
  });
});

test("sha256Hex: the vectors of FIPS 180-4", () => {
  expect(sha256Hex("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(sha256Hex(new Uint8Array())).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});
