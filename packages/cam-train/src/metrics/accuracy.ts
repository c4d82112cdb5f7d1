import { defineMetric } from "./metric.ts";
import { predictedClasses } from "./one-versus-rest.ts";

/** Share of the samples whose most probable class is the label. */
export const accuracy = defineMetric({
  name: "accuracy",
  title: "accuracy",
  better: "higher",
  range: [0, 1],
  needs: ["classes"],
  value: (scores) => {
    const predicted = predictedClasses(scores);
    return predicted.reduce((hits, k, i) => hits + Number(k === scores.labels[i]), 0) / scores.count;
  },
});
