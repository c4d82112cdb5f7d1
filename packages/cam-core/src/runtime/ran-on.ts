/** Where a graph runs, by the names that ONNX Runtime gives its execution providers. */
export type Device = "cpu" | "cuda" | "tensorrt" | "webgpu" | "dml" | "coreml";

/** Where a session runs: what was asked for, what was tried before, and which device ran how many nodes. */
export type RanOn = {
  /** A device name, or `auto`. */
  readonly requested: string;
  readonly device: Device;
  /** Devices that `auto` left aside, each with the reason. Empty where a device was named: that one never falls back. */
  readonly passedOver: readonly PassedOver[];
  /**
   * Nodes by the device that ran them; undefined before the first run, and where the runtime doesn't tell. On the CPU alone
   * these are the graph's nodes as written; with a second provider those of the compiled graph, of which ONNX Runtime has
   * fused some.
   */
  readonly nodes: Readonly<Partial<Record<Device, number>>> | undefined;
  /** Tensors that are carried between the memories of two devices, per run. */
  readonly copies: number;
  /** What the CPU ran although another device was chosen. */
  readonly onCpu: readonly OnCpu[];
};

/** `tried`: it was opened and failed, rather than left aside from the start. */
export type PassedOver = { readonly device: Device; readonly tried: boolean; readonly why: string };

export type OnCpu = { readonly operator: string; readonly nodes: readonly string[]; readonly why: string };

/** A node that a run saw, and who ran it. */
export type RanNode = { readonly name: string; readonly operator: string; readonly device: Device };

const copyOperators: ReadonlySet<string> = new Set(["MemcpyFromHost", "MemcpyToHost"]);

const leftThere = "the provider has no kernel for it, or ONNX Runtime keeps it there, as it does sizes and indices";

/** Counts what one run saw. `pinned`: why a node was kept on the CPU, by its name. */
export function ranOnOf(
  opened: Pick<RanOn, "requested" | "device" | "passedOver">,
  ran: readonly RanNode[],
  pinned: ReadonlyMap<string, string>,
): RanOn {
  const working = ran.filter(({ operator }) => !copyOperators.has(operator));
  const nodes: Partial<Record<Device, number>> = {};
  for (const { device } of working) nodes[device] = (nodes[device] ?? 0) + 1;
  const onCpu = new Map<string, { operator: string; nodes: string[]; why: string }>();
  if (opened.device !== "cpu")
    for (const { name, operator, device } of working) {
      if (device !== "cpu") continue;
      const why = pinned.get(name) ?? leftThere;
      const key = `${operator} ${why}`;
      const entry = onCpu.get(key) ?? { operator, nodes: [], why };
      entry.nodes.push(name);
      onCpu.set(key, entry);
    }
  return { ...opened, nodes, copies: ran.length - working.length, onCpu: [...onCpu.values()] };
}

/** What a person must be told: devices that were tried and failed. */
export function ranOnWarnings({ device: ran, passedOver }: RanOn): string[] {
  return passedOver
    .filter(({ tried }) => tried)
    .map(({ device, why }) => `${ran} ran: ${device} was tried and failed: ${why}`);
}

/** In one line, for people: "webgpu: 40 of 52 nodes, 12 on the CPU, 6 copies". */
export function ranOnText({ device, nodes, copies }: RanOn): string {
  if (!nodes || device === "cpu") return device;
  const total = Object.values(nodes).reduce((sum, count) => sum + count, 0);
  const onCpu = nodes.cpu ?? 0;
  const rest = onCpu === 0 ? "" : `, ${onCpu} on the CPU, ${copies} ${copies === 1 ? "copy" : "copies"} between them`;
  return `${device}: ${total - onCpu} of ${total} nodes${rest}`;
}
