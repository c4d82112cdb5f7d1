import { defineMetric } from "./metric.ts";

/** Share of the samples all of whose labels are right (subset accuracy). */
export const exactMatch = defineMetric({
  name: "exact-match",
  title: "exact match",
  better: "higher",
  range: [0, 1],
  needs: ["multi-label"],
  value: ({ count, classes, probabilities, labels }) => {
    const width = classes.length;
    let hits = 0;
    for (let i = 0; i < count; i++) {
      let right = true;
      for (let at = i * width; at < (i + 1) * width; at++) right &&= Number(probabilities[at]! > 0.5) === labels[at];
      if (right) hits++;
    }
    return hits / count;
  },
});
