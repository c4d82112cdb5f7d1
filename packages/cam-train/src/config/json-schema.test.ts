import { join } from "node:path";
import { expect, test } from "vitest";
import { propertiesIn, trainJsonSchema } from "./json-schema.ts";

test("train.schema.json is this schema; `npx vitest run src/config/json-schema -u` writes it anew", () =>
  expect(`${JSON.stringify(trainJsonSchema(), null, 1)}\n`).toMatchFileSnapshot(
    join(import.meta.dirname, "../../train.schema.json"),
  ));

test("an editor can say what every key means: describe new ones where they are declared, or in descriptions.ts", () => {
  const bare = [...propertiesIn(trainJsonSchema(), "")]
    .filter(({ property }) => property.description === undefined)
    .map(({ owner, name }) => `${owner}.${name}`);
  expect([...new Set(bare)]).toEqual([]);
});
