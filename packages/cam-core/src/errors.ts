/**
 * Every error this package throws on purpose. One small class per decision a caller can take; narrow by `code`, never by
 * the text. A message says what and where, found and expected; `hint` says what to do.
 */

/** Who has to act: `input` the file or data at hand, `usage` the caller's arguments, `environment` the machine. */
export type Blame = "input" | "usage" | "environment";

export abstract class CamError extends Error {
  abstract readonly code: string;
  readonly blame: Blame = "input";
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.hint = options.hint;
  }
}

/** A file can't be opened, read or written. */
export class FileError extends CamError {
  override readonly code = "file";
  constructor(
    readonly path: string,
    reason: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super(`${path}: ${reason}`, options);
  }
}

/** The bytes are not an ONNX model, or one that is truncated or damaged. */
export class NotOnnxError extends CamError {
  override readonly code = "not-onnx";
  constructor(
    readonly source: string,
    reason: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super(`${source} is not a readable ONNX model: ${reason}`, options);
  }
}

/** A part of ONNX that this version doesn't handle: an old opset, a data type, a layout. */
export class UnsupportedModelError extends CamError {
  override readonly code = "unsupported-model";
}

/** A graph breaks a rule of ONNX: an undefined value, a cycle, two producers. A defect of the file, or of a rewrite here. */
export class IllegalGraphError extends CamError {
  override readonly code = "illegal-graph";
}

/** The manifest beside a model doesn't fit its schema or the model. */
export class ManifestError extends CamError {
  override readonly code = "manifest";
  constructor(
    readonly path: string,
    reason: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super(`${path}: ${reason}`, options);
  }
}

/** An operator on the path from the target to the layer has no gradient rule. */
export class NoGradientRuleError extends CamError {
  override readonly code = "no-gradient-rule";
  constructor(
    readonly opType: string,
    readonly opset: number,
    readonly node: string,
    options: { from: string; to: string; instead: readonly string[]; why?: string; wayOut?: string },
  ) {
    const instead =
      options.instead.length > 0
        ? `choose a target layer after it: ${options.instead.map((name) => `"${name}"`).join(", ")}`
        : "no candidate layer lies after it";
    super(
      `no gradient rule for ${opType} (opset ${opset}) at node "${node}", on the path from "${options.from}" to "${options.to}"${options.why ? `: ${options.why}` : ""}`,
      { hint: `${options.wayOut ?? "Add one in autodiff/rules."} Or ${instead}.` },
    );
  }
}

/** A gradient rule met attributes or shapes it can't differentiate. */
export class GradientRuleError extends CamError {
  override readonly code = "gradient-rule";
  constructor(
    readonly opType: string,
    readonly node: string,
    reason: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super(`the gradient of ${opType} at node "${node}": ${reason}`, options);
  }
}

/** The target doesn't depend on the tensor that was asked for, so there is nothing to explain there. */
export class NotOnPathError extends CamError {
  override readonly code = "not-on-path";
  override readonly blame = "usage";
  constructor(
    readonly value: string,
    readonly target: string,
    options: { hint?: string } = {},
  ) {
    super(`"${value}" does not lie on the path to "${target}": the gradient there is zero everywhere`, options);
  }
}

/** No tensor, input, output or node has this name. */
export class UnknownNameError extends CamError {
  override readonly code = "unknown-name";
  override readonly blame = "usage";
  constructor(
    readonly kind: "tensor" | "input" | "output" | "layer" | "method" | "class" | "device" | "model" | "command",
    readonly given: string,
    known: readonly string[],
    options: { hint?: string } = {},
  ) {
    const near = nearest(given, known);
    super(`unknown ${kind} "${given}"`, {
      hint: [
        near && `Did you mean "${near}"?`,
        options.hint ?? (known.length <= 24 ? `Known: ${known.join(", ")}.` : ""),
      ]
        .filter(Boolean)
        .join(" "),
    });
  }
}

/** What is to be added to a model bears a name that the model uses. */
export class NameTakenError extends CamError {
  override readonly code = "name-taken";
  override readonly blame = "usage";
  constructor(
    readonly value: string,
    prefix: string,
  ) {
    super(`the model has a value named "${value}" already`, {
      hint: `Choose other names than those that begin with "${prefix}": --prefix explained, for one.`,
    });
  }
}

/** `--target` (or a target in code) is malformed or outside the model's outputs. */
export class TargetError extends CamError {
  override readonly code = "target";
  override readonly blame = "usage";
}

/** No layer can be chosen, or the chosen one can't be laid out in space. */
export class LayerError extends CamError {
  override readonly code = "layer";
  override readonly blame = "usage";
}

/** A method's precondition doesn't hold for this model (CAM without pooling and a dense head, say). */
export class MethodError extends CamError {
  override readonly code = "method";
  override readonly blame = "usage";
}

/** An input tensor or picture doesn't fit the model's input. */
export class InputError extends CamError {
  override readonly code = "input";
}

/** An execution provider was asked for that this machine or build doesn't have. */
export class DeviceError extends CamError {
  override readonly code = "device";
  override readonly blame = "environment";
}

/** A graph's values can't fit into the memory there is. */
export class MemoryError extends CamError {
  override readonly code = "memory";
  override readonly blame = "environment";
  constructor(
    readonly neededBytes: number,
    readonly limitBytes: number,
  ) {
    super(`a run would hold at least ${gigabytes(neededBytes)} at a time; ${gigabytes(limitBytes)} may be taken`, {
      hint: "Use a smaller input or batch, or a machine with more memory. If the sizes make no sense, the model file is damaged.",
    });
  }
}

function gigabytes(bytes: number): string {
  return `${bytes < 1e11 ? (bytes / 1e9).toPrecision(3) : Math.round(bytes / 1e9)} GB`;
}

/** ONNX Runtime refused a graph or failed in a run. */
export class RuntimeFailure extends CamError {
  override readonly code = "runtime";
}

/** The caller's AbortSignal fired between two runs. */
export class AbortedError extends CamError {
  override readonly code = "aborted";
  constructor() {
    super("interrupted");
  }
}

/** The closest known word within an edit distance that a typing slip explains. */
function nearest(given: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(given.length / 3));
  let best: { word: string; distance: number } | undefined;
  for (const word of known) {
    const distance = editDistance(given.toLowerCase(), word.toLowerCase());
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { word, distance };
  }
  return best?.word;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}
