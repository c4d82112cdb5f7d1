import {
  type Activation,
  activationOf,
  type ColormapName,
  createExplainer,
  type Explainer,
  type ModelFile,
  type OverlayView,
  type PictureFormat,
  type Preprocessing,
  pixelAffine,
  preprocessingOf,
} from "@camkit/cam-core";
import { checkOutput, layersArgument, mainInput, openModelArgument } from "../model.ts";
import { type NamedTarget, targetsArgument } from "../targets.ts";

/** What the command line asks for; undefined options have their defaults in the engine. */
export type ExplainRequest = {
  readonly model: string;
  readonly method: string;
  readonly layer: string;
  readonly target: string;
  readonly out: string;
  readonly raw?: string | undefined;
  readonly device: string;
  readonly threads?: number | undefined;
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  readonly manifest?: string | undefined;
  readonly view: OverlayView;
  readonly colormap: ColormapName;
  readonly format: Extract<PictureFormat, "png" | "jpeg">;
  readonly top: number;
  readonly signal?: AbortSignal | undefined;
};

/** A request with its model opened and its names looked up. Sessions are compiled when the first item of a kind comes. */
export type Job = {
  readonly request: ExplainRequest;
  readonly model: ModelFile;
  /** The graph input that files are for. */
  readonly input: string;
  /** The graph output that is explained. */
  readonly output: string;
  readonly targets: readonly NamedTarget[];
  /** Pictures enter as bytes and are scaled in the graph; tensors enter as they are. */
  explainer(kind: "picture" | "tensor"): Promise<Explainer>;
  /** How pictures are prepared. Throws InputError for a model that takes none. */
  preprocessing(): Preprocessing;
  /** How scores become probabilities. */
  activation(explainer: Explainer): Activation;
  close(): Promise<void>;
};

/** Opens a job. Throws what opening a model throws, and UnknownNameError, TargetError for what it doesn't have. */
export async function openJob(request: ExplainRequest): Promise<Job> {
  const model = await openModelArgument(request.model, request.manifest);
  const input = mainInput(model, request.input);
  checkOutput(model, request.output);
  const targets = await targetsArgument(request.target, model);
  const layers = layersArgument(request.layer, model);
  const { method, device, threads, signal } = request;
  const output = request.output ?? model.manifest?.output?.name ?? model.graph.outputs[0]!.name;
  let prepared: Preprocessing | undefined;
  const preprocessing = () => {
    prepared ??= preprocessingOf(model, input);
    return prepared;
  };
  const opened = new Map<"picture" | "tensor", Promise<Explainer>>();
  const open = (kind: "picture" | "tensor") => {
    const manifest = kind === "picture" ? preprocessing().input : undefined;
    const pixels = manifest && { manifest, affine: pixelAffine(manifest) };
    const options = {
      method,
      layers,
      device,
      input: input.name,
      output,
      pixels,
      signal,
      threads,
    };
    return createExplainer(
      model,
      options,
      targets.map(({ target }) => target),
    );
  };
  return {
    request,
    model,
    input: input.name,
    output,
    targets,
    explainer: async (kind) => {
      const made = opened.get(kind) ?? open(kind);
      opened.set(kind, made);
      return made;
    },
    preprocessing,
    activation: (explainer) => activationOf(explainer.squashedBy, model, output),
    close: async () => {
      for (const explainer of await Promise.allSettled(opened.values()))
        if (explainer.status === "fulfilled") await explainer.value.close();
    },
  };
}
