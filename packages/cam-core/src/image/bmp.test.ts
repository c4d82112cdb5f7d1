import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodeBmp } from "./bmp.ts";

const digest = (data: Uint8Array) => createHash("sha256").update(data).digest("hex").slice(0, 16);

/** 7 x 5 pixels each; the digest is of the RGB bytes Pillow 13.0.0 reads from the same file. */
// biome-ignore format: one file a line
const files: [name: string, digest: string, base64: string][] = [
  ["bit1", "f171cbc1dfa0efc2", "Qk1SAAAAAAAAAD4AAAAoAAAABwAAAAUAAAABAAEAAAAAABQAAADEDgAAxA4AAAIAAAACAAAAAAAAAP///wBoAAAA2AAAAAQAAAACAAAAWgAAAA=="],
  ["p", "fae466209f1b178a", "Qk2eAAAAAAAAAHYAAAAoAAAABwAAAAUAAAABAAgAAAAAACgAAADEDgAAxA4AABAAAAAQAAAAxt/gAFa/7QBPzZwAWLPXAO2yfwA+6kUA2sNZAFq2RQCwiqUA1pZcAEqhNAAKfT0Aa1q0AKY6MACSBmUARwA3AAYDAwsABgIAAwANAQ4FDwAHCQQMCgQNAAsFCg8FCwwACQAKAQEGDAA="],
  ["os2", "ffa02ab48dbcb526", "Qk1eAAAAAAAAAEoAAAAMAAAABwAFAAEABAAAAAAIBgQQDAgYEgwgGBAoHhQwJBg4KhxAMCBINiRQPChYQixgSDBoTjRwVDh4WjwCMzEQEyESIBAiABAgARIQMAADMA=="],
  ["rle4", "c9eaf08e029f038e", "Qk12AAAAAAAAAEYAAAAoAAAABwAAAAUAAAABAAQAAgAAADAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAFA8KACgeFAA8LR4AAAHAjMxEAAAAREBMwEiAhECIgAAAAcQIgAQAAABIgIAAhEBIgERAAAABzAAAzAAAQ=="],
  ["rle8", "cdf8c89f407bc15c", "Qk1+AAAAAAAAAEYAAAAoAAAABwAAAAUAAAABAAgAAQAAADgAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAFA8KACgeFAA8LR4AAEDAQACAgEDAQIBAQAAAQIBAwECAQMCAgEBAAABAwIBAwMBAQAAAgADAgEBAQIAAAEABAECAAAB"],
  ["rgb555", "93ca17401c4eaa03", "Qk2GAAAAAAAAADYAAAAoAAAABwAAAAUAAAABABAAAAAAAFAAAAAAAAAAAAAAAAAAAAAAAAAAGyfSaq1ewD7ce/syYz8AAO9enG6xAOp2HUSpMwgYAACPIr0u3T7PQWgmH044LQAA4R3ID8QKBxxlK+Y9I2kAABguPW+EBnBr4n79IjVlAAA="],
  ["rgb565", "628b665382bda650", "Qk2SAAAAAAAAAEIAAAAoAAAABwAAAAUAAAABABAAAwAAAFAAAAAAAAAAAAAAAAAAAAAAAAAAAPgAAOAHAAAfAAAAO06S1U29gH289/tlw34AAO+9HN1RAertPYhpZwgwAAAvRV1dnX2Pg8hMH5xYWgAA4TuIH6QVJzjlVsZ7Y9IAABhcfd4EDdDW4v3dRXXKAAA="],
  ["rgb24", "e731e4caa54f9738", "Qk2uAAAAAAAAADYAAAAoAAAABwAAAAUAAAABABgAAAAAAHgAAADEDgAAxA4AAAAAAAAAAAAA28dNkLDQaKu+ALN45vXw2L9kH9t+AAAAf7+656HciysBVr/t6AePTO9gRwA3AAAAeaZA6apZ7bJ/e3GARZtM+IKawElfAAAACn09QvAdJ7YTOwQ7LN5RMnp4HE7QAAAAwoJf68/ZIaMPgtnXEL346LhFqU7NAAAA"],
  ["topdown24", "e731e4caa54f9738", "Qk2uAAAAAAAAADYAAAAoAAAABwAAAPv///8BABgAAAAAAHgAAAAAAAAAAAAAAAAAAAAAAAAAwoJf68/ZIaMPgtnXEL346LhFqU7NAAAACn09QvAdJ7YTOwQ7LN5RMnp4HE7QAAAAeaZA6apZ7bJ/e3GARZtM+IKawElfAAAAf7+656HciysBVr/t6AePTO9gRwA3AAAA28dNkLDQaKu+ALN45vXw2L9kH9t+AAAA"],
  ["xrgb32", "e731e4caa54f9738", "Qk3CAAAAAAAAADYAAAAoAAAABwAAAAUAAAABACAAAAAAAIwAAAAAAAAAAAAAAAAAAAAAAAAA28dNAJCw0ABoq74AALN4AOb18ADYv2QAH9t+AH+/ugDnodwAiysBAFa/7QDoB48ATO9gAEcANwB5pkAA6apZAO2yfwB7cYAARZtMAPiCmgDASV8ACn09AELwHQAnthMAOwQ7ACzeUQAyengAHE7QAMKCXwDrz9kAIaMPAILZ1wAQvfgA6LhFAKlOzQA="],
  ["rgba32", "e731e4caa54f9738", "Qk3CAAAAAAAAADYAAAAoAAAABwAAAAUAAAABACAAAAAAAIwAAADEDgAAxA4AAAAAAAAAAAAA28dNLpCw0Hloq76oALN4Beb18NnYv2QzH9t+nX+/un/nodzbiysBFla/7TroB49LTO9g+UcAN9x5pkC56apZ2O2yf0l7cYDERZtM9/iCmizASV8OCn09w0LwHQcnthOzOwQ7yizeUboyenimHE7QJ8KCX3Prz9kQIaMPmYLZ1wgQvfh56LhF06lOzc8="],
];
const bytesOf = (name: string) => new Uint8Array(Buffer.from(files.find(([known]) => known === name)![2], "base64"));

test.each(files)("%s: Pillow's pixels", (name, expected) => {
  const { width, height, rgb } = decodeBmp(bytesOf(name));
  expect([width, height, rgb.length]).toEqual([7, 5, 105]);
  expect(digest(rgb)).toBe(expected);
});

/** Digests of what Pillow reads from the photographs in ../shared. */
const photos: Record<string, string> = {
  "bird_segmentation.bmp": "65e1d112f3b16997",
  "bird_segmentation_mask.bmp": "82e9bf986c818a1b",
  "cat.bmp": "c30acc022443553a",
  "dog_segmentation_256.bmp": "b22137f611ee51b2",
  "dog_segmentation_mask_256.bmp": "d8db59c9ba3f817a",
};
const folder = new URL("../../../../../shared/data/photos/coral/", import.meta.url);
describe.skipIf(!existsSync(folder))("photographs (needs ../shared)", () => {
  test.each(Object.entries(photos))("%s", (name, expected) =>
    expect(digest(decodeBmp(readFileSync(new URL(name, folder))).rgb)).toBe(expected),
  );
});

describe("refused by name", () => {
  test("every truncation of a plain file", () => {
    const file = bytesOf("rgb24");
    for (
      let length = 0;
      length < file.length - 3;
      length++ // the last row's padding may be missing
    )
      expect(() => decodeBmp(file.subarray(0, length), "cut.bmp"), `${length} bytes`).toThrow(/^cut\.bmp: /);
  });

  test("run-length codes that end too soon", () =>
    expect(() => decodeBmp(bytesOf("rle8").subarray(0, 90))).toThrow(/truncated bitmap: its runs end in row \d of 5/));

  test("an unknown compression, a picture of no size", () => {
    const file = bytesOf("rgb24");
    const changed = (at: number, value: number) => Uint8Array.from(file, (byte, i) => (i === at ? value : byte));
    expect(() => decodeBmp(changed(30, 4))).toThrow(/compression 4 at 24 bits a pixel is not supported/);
    expect(() => decodeBmp(changed(18, 0))).toThrow(/a bitmap of 0 x 5 pixels/);
  });
});
