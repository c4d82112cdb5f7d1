/**
 * Steps and tolerances of the numeric gradient check, by the precision that the operator's kernel has and by how the
 * operator behaves in its inputs. A central difference along one random direction is compared with the rule's projection.
 *
 * `linear` has no truncation error, so the step is large. `smooth` and `kinked` use Richardson's extrapolation of the steps
 * h and 2h (error of order h⁴), which lets float32 reach 3e-4: tight enough that a rule 0.1 % wrong fails.
 *
 * Second derivatives are held to the same rows: the operator's own for those in its inputs, `linear` for those in the
 * cotangent, in which every rule is linear.
 */
export const tolerances = {
  float64: { linear: { h: 1, rtol: 1e-9 }, smooth: { h: 1e-3, rtol: 1e-7 }, kinked: { h: 1e-3, rtol: 1e-7 } },
  float32: { linear: { h: 1, rtol: 2e-5 }, smooth: { h: 2e-2, rtol: 3e-4 }, kinked: { h: 2e-2, rtol: 3e-4 } },
} as const;

export type Precision = keyof typeof tolerances;

const noKernel =
  /NOT_IMPLEMENTED|Could not find an implementation|not supported|does not support double|tensor\(double\)/;

/**
 * Runs a check in float64, or in float32 where ONNX Runtime has no float64 kernel for one of its operators. A sample that is
 * known to have none says so, where ONNX Runtime would only find out in the run, and complain on stderr.
 */
export async function inBestPrecision<T>(
  check: (precision: Precision) => Promise<T>,
  known?: Precision | undefined,
): Promise<T> {
  if (known) return check(known);
  try {
    return await check("float64");
  } catch (error) {
    // No kernel: ONNX Runtime says NOT_IMPLEMENTED, or that the type is outside the operator's constraint.
    if (!noKernel.test(String(error))) throw error;
    return check("float32");
  }
}
