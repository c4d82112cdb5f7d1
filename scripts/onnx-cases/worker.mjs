// One of the processes that run.mjs hands cases to: a crash inside the runtime ends this one and costs one case.
import { checkCase } from "../../packages/cam-core/dist/testing/cases/check-case.js";

const [scale] = process.argv.slice(2);

process.on("message", async (one) => {
  const began = performance.now();
  let result;
  try {
    result = await checkCase(one, { scaleGradient: scale === undefined ? undefined : Number(scale) });
  } catch (error) {
    result = { ...one, outputs: { outcome: "differs", detail: `${error.constructor.name}: ${error.message}` } };
  }
  process.send({ ...result, ms: Math.round(performance.now() - began) });
});
