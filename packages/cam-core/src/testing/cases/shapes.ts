import { estimateDim } from "../../graph/dims.ts";
import { copyGraph, type Dim, type Graph, initializerOf } from "../../graph/graph.ts";
import { type Facts, inferGraph } from "../../graph/infer.ts";
import { numbersIn, type Tensor } from "../../tensor.ts";
import { settingsOf } from "./settings.ts";

/** What shape inference says of a case's outputs, beside what the run gives. */
export type ShapesOutcome =
  /** Types and all sizes. */
  | "known"
  /** Some sizes, or only how many there are: the others depend on data, or aren't followed. */
  | "known in part"
  | "not known"
  | "differs";

export type ShapesResult = { outcome: ShapesOutcome; detail?: string };

type Tensors = Readonly<Record<string, Tensor>>;

/**
 * Infers a graph's outputs without what the file declares of them, from its inputs' sizes and from symbols in their place, with
 * integer inputs and settings as constants and without. What is known must be what the run gives: type, sizes, contents.
 */
export function checkShapes(graph: Graph, feeds: Tensors, results: Tensors): ShapesResult {
  const forms = [
    { constants: true, symbols: false },
    { constants: true, symbols: true },
    { constants: false, symbols: false },
    { constants: false, symbols: true },
  ];
  const sizes: SizeOf = (input, axis) => feeds[graph.inputs[input]!.name]!.shape[axis]!;
  for (const form of forms) {
    const facts = inferGraph(prepared(graph, feeds, form));
    for (const { name } of graph.outputs) {
      const wrong = contradiction(facts, sizes, name, results[name]!);
      if (wrong)
        return {
          outcome: "differs",
          detail: `${wrong} (${form.symbols ? "symbols" : "sizes"}, ${form.constants ? "constants" : "fed"})`,
        };
    }
  }
  const facts = inferGraph(prepared(graph, feeds, forms[0]!));
  const open = graph.outputs.find(({ name }) => !isKnown(facts, name));
  if (!open) return { outcome: "known" };
  const operators = graph.nodes.filter(({ outputs }) => outputs.includes(open.name)).map(({ opType }) => opType);
  const type = facts.types.get(open.name);
  return { outcome: type?.shape ? "known in part" : "not known", detail: operators.join() };
}

function isKnown(facts: Facts, name: string): boolean {
  return facts.types.get(name)?.shape?.every((dim) => typeof dim === "number") ?? false;
}

function prepared(source: Graph, feeds: Tensors, form: { constants: boolean; symbols: boolean }): Graph {
  const graph = copyGraph(source);
  graph.types = new Map();
  graph.inputs = [];
  const fixed = settingsOf(graph);
  source.inputs.forEach((input, at) => {
    const fed = feeds[input.name];
    if (!fed) return;
    if (form.constants && (/int|bool/.test(input.dtype) || fixed.has(input.name)))
      graph.initializers.set(input.name, initializerOf(fed));
    else
      graph.inputs.push({ ...input, shape: form.symbols ? fed.shape.map((_, axis) => `s${at}_${axis}`) : fed.shape });
  });
  return graph;
}

/** What inference says that the run doesn't; undefined where the two agree. */
function contradiction(facts: Facts, sizes: SizeOf, name: string, got: Tensor): string | undefined {
  const type = facts.types.get(name);
  if (!type) return undefined;
  if (type.dtype !== got.dtype) return `${name} is ${got.dtype}, not ${type.dtype}`;
  const shape = type.shape?.map((dim) => evaluated(dim, sizes));
  if (shape && (shape.length !== got.shape.length || shape.some((dim, i) => dim !== null && dim !== got.shape[i])))
    return `${name} has shape [${got.shape}], not [${type.shape}]`;
  const contents = facts.elements.get(name)?.map((dim) => evaluated(dim, sizes));
  const numbers = contents && numbersIn(got);
  if (contents?.some((value, i) => value !== null && Math.abs(value - numbers![i]!) > 1e-5 * Math.abs(value)))
    return `${name} is ${numbers}, not ${facts.elements.get(name)}`;
  return undefined;
}

type SizeOf = (input: number, axis: number) => number;

/** A size with the run's numbers in place of its symbols. */
function evaluated(dim: Dim, sizes: SizeOf): number | null {
  if (typeof dim !== "string") return dim;
  return estimateDim(dim.replace(/s(\d+)_(\d+)/g, (_, input, axis) => String(sizes(Number(input), Number(axis)))));
}
