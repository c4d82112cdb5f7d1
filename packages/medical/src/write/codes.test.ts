import { methodNames } from "@camkit/cam-core";
import { expect, test } from "vitest";
import { quantityOf } from "./codes.ts";

test("every method's maps have a term of their own", () => {
  const values = Object.fromEntries(methodNames.map((method) => [method, quantityOf(method).CodeValue]));
  expect(values).toEqual({
    cam: "130402",
    "grad-cam": "130403",
    "grad-cam++": "130403",
    "hires-cam": "130403",
    "layer-cam": "130403",
    "xgrad-cam": "130403",
    "input-gradient": "130404",
    "input-x-gradient": "130404",
  });
  expect(quantityOf("another").CodeMeaning).toBe("Visual explanation");
});
