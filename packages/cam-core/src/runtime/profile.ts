import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deviceOf } from "./providers.ts";
import type { RanNode } from "./ran-on.ts";

/** Where ONNX Runtime writes a profile; `read` takes it away again and says which node ran where. */
export type ProfileFile = { readonly prefix: string; read(): RanNode[]; discard(): void };

/**
 * A place for one profile. The profile is the one thing that onnxruntime-node says about where nodes run: its binding hands out
 * neither the graph's assignment nor the log.
 */
export function profileFile(): ProfileFile {
  const folder = mkdtempSync(join(tmpdir(), "camkit-profile-"));
  const discard = () => rmSync(folder, { recursive: true, force: true });
  return {
    prefix: join(folder, "run"),
    read: () => {
      const files = readdirSync(folder);
      return files.flatMap((name) => ranNodes(readFileSync(join(folder, name), "utf8")));
    },
    discard,
  };
}

type Event = {
  readonly cat: string;
  readonly name: string;
  readonly args: { readonly op_name?: string; readonly provider?: string; readonly node_index?: string };
};

const suffix = "_kernel_time";

/** The nodes of a profile, each once, also where a loop ran it often. */
function ranNodes(profile: string): RanNode[] {
  const nodes = new Map<string, RanNode>();
  for (const { cat, name, args } of JSON.parse(profile) as readonly Event[]) {
    const device = args?.provider === undefined ? undefined : deviceOf(args.provider);
    if (cat !== "Node" || !device || !name.endsWith(suffix)) continue;
    const node = { name: name.slice(0, -suffix.length), operator: args.op_name ?? "", device };
    nodes.set(`${args.node_index} ${name}`, node);
  }
  return [...nodes.values()];
}
