/**
 * Steps and tolerances of the numeric gradient check, by the precision that the operator's kernel has and by how the
 * operator behaves in its inputs. A central difference along one random direction is compared with the rule's projection.
 *
 * `linear` has no truncation error, so the step is large. `smooth` and `kinked` use Richardson's extrapolation of the steps
 * h and 2h (error of order h⁴), which lets float32 reach 3e-4: tight enough that a rule 0.1 % wrong fails.
 */
export const tolerances = {
  float64: { linear: { h: 1, rtol: 1e-9 }, smooth: { h: 1e-3, rtol: 1e-7 }, kinked: { h: 1e-3, rtol: 1e-7 } },
  float32: { linear: { h: 1, rtol: 2e-5 }, smooth: { h: 2e-2, rtol: 3e-4 }, kinked: { h: 2e-2, rtol: 3e-4 } },
} as const;
