import { defineMetric, type Metric } from "./metric.ts";

/**
 * Share of the samples whose label is among the k most probable classes. Of equal probabilities the class that comes first
 * ranks higher, as in `accuracy`, which is top-1.
 */
export function topK(k: number): Metric {
  return defineMetric({
    name: `top-${k}`,
    title: `top-${k} accuracy`,
    better: "higher",
    range: [0, 1],
    needs: ["classes"],
    value: ({ count, classes, probabilities, labels }) => {
      const width = classes.length;
      let hits = 0;
      for (let i = 0; i < count; i++) {
        const own = probabilities[i * width + labels[i]!]!;
        let ahead = 0;
        for (let c = 0; c < width; c++) {
          const other = probabilities[i * width + c]!;
          if (other > own || (other === own && c < labels[i]!)) ahead++;
        }
        if (ahead < k) hits++;
      }
      return hits / count;
    },
  });
}
