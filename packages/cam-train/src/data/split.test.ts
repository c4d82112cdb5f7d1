import { expect, test } from "vitest";
import type { Dataset, Label } from "./dataset.ts";
import { holdOut, kFold } from "./split.ts";

/** A data set of which only labels and groups are known. */
function labelled(labels: readonly Label[], groups?: readonly string[]): Dataset {
  return {
    count: labels.length,
    labelKind: typeof labels[0] === "number" ? "class" : "multi-label",
    labelOf: (index: number) => labels[index]!,
    groupOf: (index: number) => groups?.[index],
    idOf: (index: number) => `${index}`,
  } as unknown as Dataset;
}

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const countOf = (indices: readonly number[], dataset: Dataset, label: number) =>
  indices.filter((index) => dataset.labelOf(index) === label).length;

test("a part is held out, and nothing is lost or in both", () => {
  const dataset = labelled(range(101).map(() => 0));
  const { train, held } = holdOut(dataset, 0.2, 7);
  expect(held.length).toBe(20); // 20.2
  expect([...train, ...held].sort((a, b) => a - b)).toEqual(range(101));
  expect(holdOut(dataset, 0.2, 7).held).toEqual(held);
  expect(holdOut(dataset, 0.2, 8).held).not.toEqual(held);
  expect(held).not.toEqual(range(20)); // drawn from everywhere
});

test("stratified, each class gives its share to within a sample", () => {
  // 90 of class 0, 9 of class 1, 33 of class 2, in no order.
  const dataset = labelled(range(132).map((i) => (i % 4 === 3 ? 2 : i % 15 === 1 ? 1 : 0)));
  for (const [label, n] of [0, 1, 2].map((label) => [label, countOf(range(132), dataset, label)] as const)) {
    const { held } = holdOut(dataset, 0.3, 1, { stratified: true });
    expect(Math.abs(countOf(held, dataset, label) - 0.3 * n)).toBeLessThanOrEqual(1);
    for (const fold of kFold(dataset, 5, 1, { stratified: true }))
      expect(Math.abs(countOf(fold.held, dataset, label) - n / 5)).toBeLessThan(1);
  }
});

test("folds hold every sample out once, and are of one size even where classes leave remainders", () => {
  const dataset = labelled(range(70).map((i) => i % 10)); // 7 of each of 10 classes, in 4 folds
  const folds = kFold(dataset, 4, 3, { stratified: true });
  expect(folds.flatMap(({ held }) => held).sort((a, b) => a - b)).toEqual(range(70));
  for (const { train, held } of folds) {
    expect(train.length + held.length).toBe(70);
    expect(Math.abs(held.length - 17.5)).toBeLessThanOrEqual(0.5);
  }
});

test("groups never straddle, and classes stay balanced", () => {
  // 40 patients with 1 to 9 pictures; the illness (class 1) runs in every third.
  const patients = range(40).flatMap((p) => range(1 + ((p * 7) % 9)).map(() => p));
  const dataset = labelled(
    patients.map((p) => Number(p % 3 === 0)),
    patients.map((p) => `p${p}`),
  );
  const ill = countOf(range(dataset.count), dataset, 1) / dataset.count;
  for (const { train, held } of kFold(dataset, 5, 11, { byGroup: true, stratified: true })) {
    const inTrain = new Set(train.map((index) => patients[index]));
    expect(held.some((index) => inTrain.has(patients[index]!))).toBe(false);
    expect(Math.abs(held.length / dataset.count - 0.2)).toBeLessThan(0.02);
    expect(Math.abs(countOf(held, dataset, 1) / held.length - ill)).toBeLessThan(0.05);
  }
});

test("of several labels the rare one is spread too", () => {
  // Label 0 in half of 60 samples, label 1 in three, none in the others.
  const dataset = labelled(range(60).map((i) => [i % 2, Number(i % 20 === 0)]));
  for (const { held } of kFold(dataset, 3, 2, { stratified: true })) {
    expect(held.filter((i) => (dataset.labelOf(i) as number[])[1] === 1)).toHaveLength(1);
    expect(held).toHaveLength(20);
  }
});

test("what can't be split is refused", () => {
  const dataset = labelled([0, 1, 0]);
  expect(() => holdOut(dataset, 1.2, 0)).toThrow("can't hold out 1.2");
  expect(() => kFold(dataset, 1, 0)).toThrow("1 folds");
  expect(() => kFold(dataset, 4, 0)).toThrow("3 samples don't fill 4 parts");
  expect(() => kFold(dataset, 2, 0, { byGroup: true })).toThrow("a split by group needs groups; 0 has none");
  expect(() => kFold(labelled([0, 1], ["p", "p"]), 2, 0, { byGroup: true })).toThrow("1 groups don't fill 2 parts");
  const values = { ...dataset, labelKind: "values" } as Dataset;
  expect(() => kFold(values, 2, 0, { stratified: true })).toThrow("the labels are values");
});
