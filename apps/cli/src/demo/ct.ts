import { join } from "node:path";
import { AbortedError, encodePicture } from "@camkit/cam-core";
import {
  classOf,
  closeDecoders,
  type ExplainedScan,
  energyInside,
  explainSeries,
  faithfulnessNames,
  fusedPictures,
  openScanModel,
  openStudy,
  outputKinds,
  type PhantomClass,
  phantomClasses,
  pointing,
  selectSeries,
  type Thorax,
  thoraxGeometry,
  writeOutputs,
  writePhantom,
} from "@camkit/medical";
import { timeOf } from "../explain/provenance.ts";
import { breathe } from "../io.ts";
import { shippedModel } from "../shipped.ts";
import { version } from "../version.ts";
import { ctHtml, type ShownScan } from "./ct-html.ts";
import type { DemoContext, Section } from "./section.ts";

/** Of the model's test seeds, which it never saw: the first of each class. */
const firstSeed = 4_000_000;
/** Smaller than a real scan, so that the demo takes seconds; `camkit ct phantom` draws full ones. */
const grid = { size: 256, slices: 72 };

/** Synthetic chest CTs, written as DICOM series and read back: is the map where the lesions are? */
export async function ctSection(context: DemoContext): Promise<Section> {
  const model = await openScanModel(shippedModel("chest-ct").path);
  const seeds = [...phantomClasses].reverse().map(firstOf);
  const scans: ShownScan[] = [];
  for (const [i, seed] of seeds.entries()) {
    await breathe();
    if (context.signal.aborted) throw new AbortedError();
    context.say(`ct: a phantom scan, ${classOf(seed)}`);
    scans.push(await showScan(seed, i === 0));
  }
  await closeDecoders();
  const [main] = scans as [ShownScan];
  const { provenance, statistics, faithfulness } = main.explained;
  const right = scans.filter(({ truth, explained }) => truth === explained.provenance.target).length;
  const aimed = scans.filter(({ hit }) => hit !== undefined);
  return {
    id: "ct",
    title: "A chest CT, from DICOM to DICOM",
    lead: "Synthetic scans, no patients: thorax, vessels, lesions and noise drawn from a seed, written as DICOM series and processed as a scan from a PACS would be. The truth is known to the voxel, so each map can be checked.",
    tiles: [
      { value: `${right} of ${scans.length}`, label: "scans named rightly" },
      {
        value: `${aimed.filter(({ hit }) => hit! > 0).length} of ${aimed.length}`,
        label: "maps have their maximum in a lesion",
        note: stated(model.model.manifest?.results),
      },
      ...(statistics.energyInLungs === undefined
        ? []
        : [{ value: `${(100 * statistics.energyInLungs).toFixed(0)} %`, label: "of the first map lies in the lungs" }]),
      ...(faithfulness?.deletion
        ? [
            {
              value: faithfulness.deletion.value.toFixed(2),
              label: "area under deletion",
              note: `random order: ${faithfulness.deletion.random!.area.toFixed(2)}; lower is better`,
            },
          ]
        : []),
    ],
    html: ctHtml(scans),
    provenance: [
      [
        "model",
        `${provenance.model.name} ${provenance.model.version ?? ""}, a demonstration: it has seen synthetic scans alone`,
      ],
      ["sha256", provenance.model.sha256],
      ["method", `${provenance.method} at ${provenance.layers.join(", ")}`],
      ["preprocessing", provenance.preprocessing],
      ["ran on", provenance.provider],
      ["seeds", seeds.join(", ")],
    ],
    result: {
      scans: scans.map(({ seed, truth, explained, hit, energy, files }) => ({
        seed,
        truth,
        predictions: explained.predictions,
        ...(hit === undefined ? {} : { pointing: hit, energyInLesions: energy }),
        files,
      })),
    },
    text: `ct: ${right} of ${scans.length} phantom scans named rightly, ${aimed.filter(({ hit }) => hit! > 0).length} of ${aimed.length} maps have their maximum in a lesion; report and DICOM files in ct/`,
  };

  async function showScan(seed: number, withEverything: boolean): Promise<ShownScan> {
    const folder = join(context.out, "ct", String(seed));
    const { thorax } = await writePhantom(seed, folder, { geometry: thoraxGeometry(seed, grid) });
    const study = await openStudy([join(folder, "series")], { signal: context.signal });
    const explained = await explainSeries(selectSeries(study.series).series, {
      model,
      target: "auto",
      threshold: 0.5,
      metrics: withEverything ? faithfulnessNames : [],
      device: context.device,
      threads: context.threads,
      camkitVersion: version,
      time: new Date(timeOf()),
      signal: context.signal,
    });
    const { files } = await writeOutputs(explained, folder, {
      kinds: withEverything ? outputKinds : ["report"],
      signal: context.signal,
    });
    return {
      seed,
      folder: `ct/${seed}`,
      truth: classOf(seed),
      explained,
      thorax,
      picture: await pictureAt(explained),
      files: files.map(({ name }) => `ct/${seed}/${name}`),
      ...aimOf(explained, thorax),
    };
  }
}

function firstOf(label: PhantomClass): number {
  let seed = firstSeed;
  while (classOf(seed) !== label) seed++;
  return seed;
}

/** The slice through the map's maximum, as WebP. */
async function pictureAt({ volume, map, statistics, provenance }: ExplainedScan): Promise<Uint8Array> {
  const draw = await fusedPictures(volume, map, { title: provenance.target });
  return encodePicture(await draw(statistics.peak.index[0]), { format: "webp", quality: 88 });
}

/** Whether the map's maximum lies in a lesion, and how much of the map does; nothing for a normal scan. */
function aimOf({ map }: ExplainedScan, { lesions, lesionMask }: Thorax): Pick<ShownScan, "hit" | "energy"> {
  if (lesions.length === 0) return {};
  const [slices, rows, columns] = map.geometry.shape;
  const values = new Float32Array(slices * rows * columns);
  for (let k = 0; k < slices; k++) map.slice(k, values.subarray(k * rows * columns, (k + 1) * rows * columns));
  return { hit: pointing(values, lesionMask), energy: energyInside(values, lesionMask) };
}

function stated(results: Readonly<Record<string, { value: number; data?: string }>> | undefined): string {
  const found = results?.["pointing-game"];
  return found ? `its manifest says ${(100 * found.value).toFixed(1)} % of ${found.data ?? "more"}` : "";
}
