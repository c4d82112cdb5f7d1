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
    let hits = 0;
    for (let i = 0; i < scores.count; i++) if (predicted[i] === scores.labels[i]) hits++;
    return hits / scores.count;
  },
});
