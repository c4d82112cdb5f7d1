import { int64 } from "../../tensor.ts";
import { defineRules } from "../rule.ts";

export const unpool = defineRules({
  // y is 0 but where x was put: at positions in y, flattened. There dy is read again.
  MaxUnpool: {
    kind: "linear",
    vjp: ({ op, inputs: [x, positions], dy }) => [op.shapedLike(op.gather(op.reshape(dy, [-1]), positions!), x!)],
    sample: (rng) => {
      const attributes = { kernel_shape: [2, 2], strides: [2, 2] };
      const positions = int64([1, 2, 2, 2], [0, 3, 9, 14, 17, 18, 28, 31]);
      return [
        { inputs: [rng.normal([1, 2, 2, 2]), positions], attributes },
        { inputs: [rng.normal([1, 2, 2, 2]), positions, int64([4], [1, 2, 5, 4])], attributes },
      ];
    },
  },
});
