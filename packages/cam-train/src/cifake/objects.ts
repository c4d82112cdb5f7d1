import { DataError } from "../errors.ts";

/** What CIFAKE's pictures show, in the order of their file names' numbers, which is CIFAR-10's. */
export const objects = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
] as const;

/** The kind of object, 0 … 9, that a file's name tells: `0123.jpg` is of the first, `0123 (7).jpg` of the seventh. Throws DataError. */
export function objectOf(file: string): number {
  const found = /(?:^|\/)\d+(?: \((\d+)\))?\.jpg$/.exec(file);
  const number = Number(found?.[1] ?? 1);
  if (found && number >= 1 && number <= objects.length) return number - 1;
  throw new DataError(`${file}: no name of a CIFAKE picture`, {
    hint: "Expected N.jpg for the first kind of object, N (k).jpg for the k-th, k = 2 … 10.",
  });
}
