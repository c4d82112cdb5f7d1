import { TensorProto_DataLocation } from "onnx-buf";
import type { Rng } from "../../rng.ts";
import { graphsOf, type Mutation, type Mutations, pick, type Victim } from "./mutation.ts";

/** A mutation of one tensor's place in another file. */
function ofPlace(change: (set: (key: string, value: string) => void, random: Rng, victim: Victim) => void): Mutation {
  return (victim, random) => {
    const tensor = pick(
      random,
      graphsOf(victim)
        .flatMap((graph) => graph.initializer)
        .filter((each) => each.dataLocation === TensorProto_DataLocation.EXTERNAL),
    );
    if (!tensor) return false;
    const set = (key: string, value: string) => {
      const entry = tensor.externalData.find((each) => each.key === key);
      if (entry) entry.value = value;
    };
    change(set, random, victim);
    return true;
  };
}

/** Numbers in other files' places: as text, since that is how they are stored. */
const hostileNumbers = [
  "-1",
  "1e400",
  "NaN",
  "",
  "0x10",
  "9223372036854775807",
  "18446744073709551616",
  "3",
  "0.5",
  "ten",
];

/** Weights in files beside the model: which file, where in it, how much. */
export const external: Mutations = {
  /** A path that leaves the model's folder, in each of the ways that one can. */
  outside: ofPlace((set, random, victim) => {
    const way = random.int(7);
    const paths = [
      "../weights.bin",
      "/etc/passwd",
      "a/../../weights.bin",
      "link.bin",
      "linked/weights.bin",
      "C:\\x",
      "\\\\x\\y",
    ];
    set("location", paths[way]!);
    if (way === 3) victim.files.set("link.bin", { link: "/etc/passwd" });
    if (way === 4) victim.files.set("linked", { link: "/etc" });
    if (random.int(2) === 0) {
      set("offset", "0");
      set("length", "16");
    }
  }),
  noSuchFile: ofPlace((set, random) => {
    set(
      "location",
      pick(random, ["", ".", "..", "nothing.bin", "weights.bin\0.txt", "weights.bin/", "x".repeat(5000), "__proto__"])!,
    );
  }),
  lyingOffset: ofPlace((set, random) => set("offset", pick(random, hostileNumbers)!)),
  lyingLength: ofPlace((set, random) => set("length", pick(random, hostileNumbers)!)),
  shortFile: (victim, random) => {
    const bytes = victim.files.get("weights.bin");
    if (!(bytes instanceof Uint8Array)) return false;
    victim.files.set("weights.bin", bytes.slice(0, random.int(bytes.byteLength)));
    return true;
  },
};
