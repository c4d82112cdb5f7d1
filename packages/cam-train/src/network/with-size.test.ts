import { float32, openSession } from "@camkit/cam-core";
import { expect, test } from "vitest";
import { createNetwork } from "../networks/create.ts";
import { withSize } from "./with-size.ts";

const layers = [
  { conv: { name: "conv", filters: 3, kernel: 3, padding: 1 } },
  "relu",
  "globalAveragePool",
  { dense: 2 },
] as const;
const create = (space: readonly number[], last: readonly unknown[] = layers) =>
  createNetwork({
    name: "net",
    input: { name: "volume", shape: ["n", 1, ...space] },
    seed: 3,
    layers: [...last] as never,
  });

test("a network of convolutions takes volumes of another size, and says what one built for that size says", async () => {
  const grown = withSize(create([4, 6, 6]), [1, 5, 8, 10]);
  expect(grown.inputs[0]!.shape).toEqual(["n", 1, 5, 8, 10]);
  const fed = {
    volume: float32(
      [2, 1, 5, 8, 10],
      Float32Array.from({ length: 800 }, (_, i) => Math.sin(i)),
    ),
  };
  const [a, b] = await Promise.all(
    [grown, create([5, 8, 10])].map(async (graph) => {
      const session = await openSession(graph, { threads: 1 });
      const { logits } = await session.run(fed);
      await session.close();
      return [...(logits!.data as Float32Array)];
    }),
  );
  expect(a).toEqual(b);
});

test("a network whose head counts cells is refused, and so are other channels", () => {
  const counting = create([4, 6, 6], [{ conv: { name: "conv", filters: 3, kernel: 3 } }, "flatten", { dense: 2 }]);
  expect(() => withSize(counting, [1, 5, 8, 10])).toThrow(
    /the network takes \[1, 4, 6, 6\], the data has \[1, 5, 8, 10\]/,
  );
  expect(() => withSize(create([4, 6, 6]), [2, 4, 6, 6])).toThrow("other axes or channels");
  const same = create([4, 6, 6]);
  expect(withSize(same, [1, 4, 6, 6])).toBe(same);
});
