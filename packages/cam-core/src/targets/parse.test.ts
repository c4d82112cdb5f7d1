import { describe, expect, test } from "vitest";
import { float32 } from "../tensor.ts";
import { classIndex, describeTarget, parseTargets, resolveTargets, type TargetText } from "./parse.ts";

const labels = ["cat", "tabby, tabby cat", "black-and-tan", "cat-dog", "crane", "crane", "7", "dog", "Ring, small"];

const grammar: readonly (readonly [string, readonly TargetText[]])[] = [
  ["auto", [{ kind: "auto" }]],
  ["3", [{ kind: "class", index: 3 }]],
  ["0", [{ kind: "class", index: 0 }]],
  ["12-3", [{ kind: "contrast", index: 12, against: 3 }]],
  ["cat", [{ kind: "label", label: "cat" }]],
  ["CAT", [{ kind: "label", label: "CAT" }]],
  ["tabby, tabby cat", [{ kind: "label", label: "tabby, tabby cat" }]],
  ["tabby", [{ kind: "label", label: "tabby" }]],
  ["black-and-tan", [{ kind: "label", label: "black-and-tan" }]],
  ["cat-dog", [{ kind: "label", label: "cat-dog" }]],
  ["dog-cat", [{ kind: "label-contrast", label: "dog", against: "cat" }]],
  ["dog - cat", [{ kind: "label-contrast", label: "dog", against: "cat" }]],
  ["black-and-tan-cat", [{ kind: "label-contrast", label: "black-and-tan", against: "cat" }]],
  ["cat-black-and-tan", [{ kind: "label-contrast", label: "cat", against: "black-and-tan" }]],
  ["cat-3", [{ kind: "label-contrast", label: "cat", against: "3" }]],
  ["tabby, tabby cat-dog", [{ kind: "label-contrast", label: "tabby, tabby cat", against: "dog" }]],
  ["dog-tabby, tabby cat", [{ kind: "label-contrast", label: "dog", against: "tabby, tabby cat" }]],
  ["tabby-dog", [{ kind: "label-contrast", label: "tabby", against: "dog" }]],
  [
    "dog-tabby,cat",
    [
      { kind: "label-contrast", label: "dog", against: "tabby" },
      { kind: "label", label: "cat" },
    ],
  ],
  ["logits[3]", [{ kind: "element", output: "logits", indices: [3] }]],
  ["out[0, -1, 2]", [{ kind: "element", output: "out", indices: [0, -1, 2] }]],
  ["mask:seg,1.npy".replace(",", "_"), [{ kind: "mask-file", path: "seg_1.npy" }]],
  ["never heard of", [{ kind: "label", label: "never heard of" }]],
  ["1,2", [1, 2].map((index) => ({ kind: "class", index }))],
  [
    "cat, dog",
    [
      { kind: "label", label: "cat" },
      { kind: "label", label: "dog" },
    ],
  ],
  [
    "auto,tabby, tabby cat,out[0,1],2-1",
    [
      { kind: "auto" },
      { kind: "label", label: "tabby, tabby cat" },
      { kind: "element", output: "out", indices: [0, 1] },
      { kind: "contrast", index: 2, against: 1 },
    ],
  ],
  [
    "ring, small, dog",
    [
      { kind: "label", label: "ring, small" },
      { kind: "label", label: "dog" },
    ],
  ],
];

describe("grammar", () => {
  test.each(grammar)("%s", (text, wanted) => expect(parseTargets(text, labels)).toEqual(wanted));

  test("numbers are classes even where a label is a number; the label is found by its text", () => {
    expect(parseTargets("7", labels)).toEqual([{ kind: "label", label: "7" }]);
    expect(classIndex("7", labels)).toBe(6);
    expect(classIndex("3", labels)).toBe(3);
  });

  test.each([
    ["", /empty/],
    ["  ", /empty/],
    ["1,,2", /empty part/],
    ["1,", /empty part/],
    ["-1", /negative/],
    ["mask:", /names no file/],
    ["out[a]", /whole numbers/],
    ["out[1.5]", /whole numbers/],
    ["out[]", /whole numbers/],
  ])("error: %j", (text, message) => {
    expect(() => parseTargets(text, labels)).toThrow(message);
    expect(() => parseTargets(text, labels)).toThrow(expect.objectContaining({ code: "target", blame: "usage" }));
  });
});

describe("labels", () => {
  test.each([
    ["cat", 0],
    ["Dog", 7],
    ["tabby", 1],
    ["tabby cat", 1],
    ["TABBY, tabby cat", 1],
    ["small", 8],
    ["42", 42],
  ])("%s is class %i", (label, index) => expect(classIndex(label, labels)).toBe(index));

  test("ambiguous ones name their classes, unknown ones get a suggestion or say that there are no labels", () => {
    expect(() => classIndex("crane", labels)).toThrow(/stands for 2 classes: 4, 5/);
    expect(() => classIndex("doh", labels)).toThrow(
      expect.objectContaining({ code: "unknown-name", hint: expect.stringMatching(/"dog"/) }),
    );
    expect(() => classIndex("dog", [])).toThrow(expect.objectContaining({ hint: expect.stringMatching(/no labels/) }));
  });

  test("resolving looks up labels and reads masks", async () => {
    const mask = float32([2], [0, 1]);
    const texts = parseTargets("dog-cat,mask:m.npy,auto,tabby", labels);
    expect(await resolveTargets(texts, labels, async (path) => ({ ...mask, shape: [path.length, 0] }))).toEqual([
      { kind: "contrast", index: 7, against: 0 },
      { kind: "mask", mask: { ...mask, shape: [5, 0] }, name: "m.npy" },
      { kind: "auto" },
      { kind: "class", index: 1 },
    ]);
  });

  test("targets as people read them", () => {
    expect(describeTarget({ kind: "class", index: 7 }, labels)).toBe("dog");
    expect(describeTarget({ kind: "class", index: 70 }, labels)).toBe("class 70");
    expect(describeTarget({ kind: "contrast", index: 7, against: 0 }, labels)).toBe("dog − cat");
    expect(describeTarget({ kind: "element", output: "o", indices: [0, -1] })).toBe("o[0, -1]");
  });
});
