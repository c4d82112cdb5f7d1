import type { Builder, Value } from "../../graph/builder.ts";
import { sameDim } from "../../graph/dims.ts";
import type { Dim } from "../../graph/graph.ts";
import { defineRules, type VjpContext } from "../rule.ts";

/**
 * A product summed over letters is linear in each operand, and its derivative is a product of the same kind: the cotangent
 * takes the operand's place, and the operand's term becomes the output.
 *
 *   ij,jk->ik     gives     dA = ik,jk->ij     dB = ij,ik->jk
 *
 * An operand that repeats a letter counts with its diagonal alone: what that gets is laid on the diagonal of zeros.
 */
export const einsum = defineRules({
  Einsum: {
    kind: "linear",
    vjp: (context) => {
      const { op, inputs, dy, wants } = context;
      const { terms, output } = parse(context);
      if (terms.length !== inputs.length)
        throw context.refuse(`its equation has ${terms.length} terms, and it has ${inputs.length} inputs`);
      return inputs.map((x, i) => {
        if (!wants(i)) return null;
        const others = terms.flatMap((term, j) => (j === i ? [] : [{ term, value: inputs[j]! }]));
        const factors = [{ term: output, value: dy }, ...others];
        const term = terms[i]!;
        const own = [...new Set(term)].join("");
        if (own === term) return cotangent(op, factors, { term, value: x });
        return onDiagonal(op, cotangent(op, factors, { term: own, value: op.einsum(`${term}->${own}`, x) }), term);
      });
    },
    sample: (rng) => [
      { inputs: [rng.normal([3, 4]), rng.normal([4, 5])], attributes: { equation: "ij,jk->ik" } },
      { inputs: [rng.normal([3, 4]), rng.normal([4, 5])], attributes: { equation: "ij, jk" } },
      { inputs: [rng.normal([3, 4]), rng.normal([5, 4])], attributes: { equation: "zB,aB" } },
      { inputs: [rng.normal([3, 4])], attributes: { equation: "ba" } },
      { inputs: [rng.normal([2, 3, 4])], attributes: { equation: "bij->jb" } },
      { inputs: [rng.normal([2, 3, 4])], attributes: { equation: "bij->" } },
      { inputs: [rng.normal([2, 3, 4]), rng.normal([2, 5])], attributes: { equation: "bij,bk->kb" } },
      { inputs: [rng.normal([2, 3, 5]), rng.normal([2, 4, 5])], attributes: { equation: "bqd,bkd->bqk" } },
      {
        inputs: [rng.normal([2, 3, 4, 5]), rng.normal([2, 3, 6, 5])],
        attributes: { equation: "bhqd,bhkd->bhqk" },
      },
      {
        inputs: [rng.normal([2, 3]), rng.normal([3, 4]), rng.normal([4, 2])],
        attributes: { equation: "ab,bc,cd->da" },
      },
      { inputs: [rng.normal([2, 3]), rng.normal([2, 3])], attributes: { equation: "ij,ij->ij" } },
      { inputs: [rng.normal([3, 1]), rng.normal([4, 5])], attributes: { equation: "ij,jk->ik" } },
      { inputs: [rng.normal([3, 4]), rng.normal([])], attributes: { equation: "ij,->j" } },
      { inputs: [rng.normal([2, 3, 4]), rng.normal([4, 5])], attributes: { equation: "...ij,jk->...ik" } },
      { inputs: [rng.normal([2, 2, 3, 4]), rng.normal([2, 1, 4, 5])], attributes: { equation: "...ij,...jk" } },
      { inputs: [rng.normal([3, 2, 4])], attributes: { equation: "i...->..." } },
      { inputs: [rng.normal([3, 2, 4])], attributes: { equation: "i...->...i" } },
      { inputs: [rng.normal([3, 3])], attributes: { equation: "ii" } },
      { inputs: [rng.normal([3, 3])], attributes: { equation: "ii->i" } },
      { inputs: [rng.normal([3, 2, 3])], attributes: { equation: "iji->j" } },
      { inputs: [rng.normal([2, 3, 3]), rng.normal([3, 4])], attributes: { equation: "...ii,ij->...j" } },
      { inputs: [rng.normal([3, 3]), rng.normal([3, 3])], attributes: { equation: "ij,jj->i" } },
      { inputs: [rng.normal([2, 2, 2])], attributes: { equation: "iii->i" } },
    ],
  },
});

/** An operand and its letters, one for each axis. */
type Labelled = { term: string; value: Value };

/**
 * The terms without spaces, the implicit output spelled out, and the axes behind an ellipsis given letters of their own:
 * they are aligned from the right, as in broadcasting.
 */
function parse(context: VjpContext): { terms: string[]; output: string } {
  const { op, inputs, string } = context;
  const equation = string("equation", "").replaceAll(" ", "");
  const [left, right] = equation.split("->") as [string, string?];
  const given = left.split(",");
  const letters = given.map((term) => term.replace("...", ""));
  const hidden = given.map((term, i) => (term.includes("...") ? op.rank(inputs[i]!) - letters[i]!.length : 0));
  const free = [...alphabet].filter((letter) => !equation.includes(letter)).slice(0, Math.max(...hidden));
  const spelled = (term: string, axes: number) => term.replace("...", free.slice(free.length - axes).join(""));
  const once = [...new Set(letters.join(""))].filter((letter) => letters.join("").split(letter).length === 2).sort();
  const output = right ?? `${left.includes("...") ? "..." : ""}${once.join("")}`;
  return { terms: given.map((term, i) => spelled(term, hidden[i]!)), output: spelled(output, free.length) };
}

const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** The product of `factors` over `primal`'s letters. Letters that only the primal has were summed: there it is constant. */
function cotangent(op: Builder, factors: readonly Labelled[], primal: Labelled): Value {
  const kept = [...primal.term].filter((letter) => factors.some(({ term }) => term.includes(letter)));
  const [first] = factors as [Labelled];
  const product =
    factors.length === 1
      ? op.transpose(
          first.value,
          kept.map((letter) => first.term.indexOf(letter)),
        )
      : op.einsum(`${factors.map(({ term }) => term)}->${kept.join("")}`, ...factors.map(({ value }) => value));
  const summed = [...primal.term].flatMap((letter, axis) => (kept.includes(letter) ? [] : [axis]));
  const full = [...primal.term].every((letter, axis) => reaches(op, factors, letter, op.dims(primal.value)?.[axis]));
  return full ? product : op.expand(op.unsqueeze(product, summed), op.shape(primal.value));
}

/** `x` has one axis for each letter of `term`; the letters that it repeats become the diagonal between their axes. */
function onDiagonal(op: Builder, x: Value, term: string): Value {
  const axes = [...term].map((_, axis) => axis);
  const repeated = axes.filter((axis) => term.indexOf(term[axis]!) < axis);
  return repeated.reduce(
    (spread, axis) => {
      const first = term.indexOf(term[axis]!);
      const others = axes.filter((other) => other !== first && other !== axis);
      return op.mul(spread, op.unsqueeze(op.eye(op.dim(spread, first), op.dtype(x)), others));
    },
    op.unsqueeze(x, repeated),
  );
}

/** Whether a factor has the size `dim` along the letter. Factors of size 1, which broadcast, don't bring it back. */
function reaches(op: Builder, factors: readonly Labelled[], letter: string, dim: Dim | undefined): boolean {
  return factors.some(({ term, value }) => {
    const axis = term.indexOf(letter);
    return axis >= 0 && (dim === 1 || sameDim(dim, op.dims(value)?.[axis]));
  });
}
