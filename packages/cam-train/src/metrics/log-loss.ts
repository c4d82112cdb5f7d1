import { defineMetric } from "./metric.ts";

/**
 * Mean of −log p(label), in nats: the cross entropy. A probability of 0 counts as 2⁻⁵², so that one sure mistake costs 36 and
 * not everything.
 */
export const logLoss = defineMetric({
  name: "log-loss",
  title: "log loss",
  better: "lower",
  range: [0, -Math.log(Number.EPSILON)],
  needs: ["classes"],
  source: "scikit-learn 1.9, log_loss",
  value: ({ count, classes, probabilities, labels }) => {
    let sum = 0;
    for (let i = 0; i < count; i++)
      sum -= Math.log(Math.max(probabilities[i * classes.length + labels[i]!]!, Number.EPSILON));
    return Math.max(0, sum / count); // a float32 probability may lie a bit above 1
  },
});
