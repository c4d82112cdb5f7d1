import type { Command } from "../command.ts";

/** A command as the overview lists it; the module behind it is imported only when it is called. */
export type Listed = {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  readonly load: () => Promise<{ default: Command<never> }>;
};

const listed = (name: string, usage: string, summary: string, load: () => Promise<unknown>): Listed => ({
  name,
  usage,
  summary,
  load: load as Listed["load"],
});

/** Every command, in the order of the overview. A new one is a file here and a line in this list. */
export const commands: readonly Listed[] = [
  listed("inspect", "MODEL", "inputs, outputs, operators, candidate target layers", () => import("./inspect.ts")),
  listed("explain", "MODEL INPUT…", "show where a model looked", () => import("./explain.ts")),
  listed("gradient", "MODEL INPUT.npy", "the derivative of a target by any tensor", () => import("./gradient.ts")),
  listed("export", "MODEL", "write a model that explains itself, for any ONNX Runtime", () => import("./export.ts")),
  listed("bench", "MODEL", "what an explanation costs beside the forward pass", () => import("./bench.ts")),
  listed("ct", "INPUT…", "explain a chest CT or a radiograph, from PACS to PACS", () => import("./ct.ts")),
  listed("ct series", "INPUT…", "the DICOM series in files or a study", () => import("./ct-series.ts")),
  listed(
    "ct watch",
    "FOLDER",
    "explain new series as they arrive in a folder or a PACS",
    () => import("./ct-watch.ts"),
  ),
  listed("ct phantom", "SEED…", "draw synthetic chest CTs as DICOM series", () => import("./ct-phantom.ts")),
  listed("ct search", "CONFIG", "search the cells of CovidNet3D on your data", () => import("./ct-search.ts")),
  listed("train", "CONFIG", "train a network or fine-tune one, and deploy it", () => import("./train.ts")),
  listed("test", "MODEL DATA…", "measure a classifier on labelled samples", () => import("./test.ts")),
  listed("demo", "", "explain the samples that ship, as an HTML page", () => import("./demo.ts")),
  listed("doctor", "", "what this machine can do, what is missing, how to get it", () => import("./doctor.ts")),
  listed("models", "[list|path NAME]", "the models that ship with camkit", () => import("./models.ts")),
];
