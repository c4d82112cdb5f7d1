import { drawScene, loadModel, type ModelFile, type Scene, sceneLabels } from "@camkit/cam-core";
import { milliseconds } from "../format.ts";
import { shippedModel } from "../shipped.ts";
import { scenesHtml } from "./scenes-html.ts";
import { compareMethods, explainScene, measurePointing, measureSpeed } from "./scenes-run.ts";
import type { DemoContext, Section } from "./section.ts";

/** Of the model's test seeds, which it never saw: the first six with two objects or more are shown, the next hundred counted. */
const firstSeed = 3_000_000;
const shown = 6;
const counted = 100;

/** Synthetic scenes, whose every object is known to the pixel: does the map point at what the network names? */
export async function scenesSection(context: DemoContext): Promise<Section> {
  const model = await loadModel(shippedModel("scenes").path);
  const seeds: number[] = [];
  for (let seed = firstSeed; seeds.length < shown; seed++) if (drawScene(seed).objects.length > 1) seeds.push(seed);
  context.say("scenes: maps of six scenes");
  const scenes = [];
  for (const seed of seeds) scenes.push(await explainScene(model, seed, context));
  context.say("scenes: every method on one scene");
  const busiest = scenes.reduce((a, b) => (b.scene.objects.length > a.scene.objects.length ? b : a));
  const comparison = await compareMethods(model, busiest.scene, busiest.seed, context);
  context.say(`scenes: counting on ${counted} further scenes`);
  const pointing = await measurePointing(model, seeds.at(-1)! + 1, counted, context);
  context.say("scenes: timing");
  const speed = await measureSpeed(model, context);

  const maps = scenes.flatMap((scene) => scene.maps);
  const hits = maps.filter((map) => map.hit).length;
  const share = pointing.hits / pointing.maps;
  return {
    id: "scenes",
    title: "Scenes with known truth",
    lead: "A small network names the objects in a drawn scene. The program that drew it knows every pixel of every object, so each map can be checked: does its highest point lie on the object it is meant to explain?",
    tiles: [
      { value: `${hits} of ${maps.length}`, label: "maps below point at their object" },
      {
        value: `${(share * 100).toFixed(1)} %`,
        label: `of ${pointing.maps} maps on ${counted} further scenes`,
        note: `a blind guess: ${(pointing.chance * 100).toFixed(1)} %${stated(model)}`,
      },
      {
        value: `${speed.ratio.toFixed(2)} ×`,
        label: "time of an explanation to that of a forward pass",
        note: `${milliseconds(speed.explainMs)} to ${milliseconds(speed.forwardMs)}; a tiny network, so fixed costs weigh`,
      },
    ],
    html: scenesHtml(scenes, comparison, sceneLabels),
    provenance: [
      ["model", `${model.name} ${model.manifest?.version ?? ""}, ${model.manifest?.licence ?? ""}`],
      ["sha256", model.sha256()],
      ["method", `grad-cam at ${scenes[0]!.layer}, unless a picture says otherwise`],
      ["target", "the logit of each class that is in the scene"],
      ["preprocessing", preprocessingText(model)],
      ["ran on", `${speed.provider}, ${speed.threads} threads`],
      [
        "seeds",
        `shown: the first ${shown} from ${firstSeed} on with two objects or more; counted: the ${counted} that follow, all of them`,
      ],
    ],
    result: {
      model: { name: model.name, sha256: model.sha256() },
      scenes: scenes.map(({ seed, scene, predictions, maps: all }) => ({
        seed,
        objects: objectsOf(scene),
        predictions,
        maps: all.map(({ image: _, ...map }) => map),
      })),
      comparison: {
        seed: comparison.seed,
        label: comparison.label,
        maps: comparison.maps.map(({ image: _, ...map }) => map),
      },
      pointing,
      speed,
    },
    text: `scenes: ${hits} of ${maps.length} maps point at their object; on ${counted} further scenes ${(share * 100).toFixed(1)} % (chance ${(pointing.chance * 100).toFixed(1)} %); explaining takes ${speed.ratio.toFixed(2)} × a forward pass`,
  };
}

function objectsOf(scene: Scene) {
  return scene.objects.map(({ classIndex, label, box }) => ({ class: classIndex, label, box }));
}

function preprocessingText(model: ModelFile): string {
  const input = Object.values(model.manifest?.inputs ?? {})[0];
  return input
    ? `${input.size.join(" x ")} ${input.channelOrder ?? "RGB"}, pixels to ${(input.range ?? [0, 1]).join(" … ")}`
    : "none";
}

/** What the manifest says of the same measure, taken on many more scenes. */
function stated({ manifest }: ModelFile): string {
  const result = manifest?.results?.["pointing-game"];
  return result ? `; its manifest says ${(result.value * 100).toFixed(1)} % of ${result.data ?? "more"}` : "";
}
