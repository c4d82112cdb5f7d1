"""Puts a trained model into models/scenes: the file, its manifest, and the measured part of recipe.yaml.

    python ship.py --data DIR --model model.onnx --to ../../models/scenes
"""

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import torch
from measure import measure

RECIPE_MARK = "# Measured by ship.py; what is below is overwritten."


def wilson(share, count, z=1.96):
    """95 % interval of a share of `count` independent trials (Wilson 1927)."""
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * (share * (1 - share) / count + z * z / (4 * count * count)) ** 0.5
    return [round(centre - half, 4), round(min(1.0, centre + half), 4)]


def manifest(report, classes, digest):
    scenes, objects, single = report["scenes"], report["objects"], report["single_object_scenes"]
    data = f"{scenes} scenes, seeds 3000000-{3000000 + scenes - 1}"
    command = "python scripts/train-scenes/measure.py --data DIR --model models/scenes/model.onnx"
    chance = report["mask_share_of_picture"]
    results = {
        "balanced-accuracy": {
            "value": report["balanced_accuracy"],
            "baseline": 0.5,
            "data": data,
            "note": "mean over the classes of (sensitivity + specificity) / 2, threshold: logit > 0",
        },
        "exact-match": {
            "value": report["exact_match"],
            "baseline": report["exact_match_baseline"],
            "interval": wilson(report["exact_match"], scenes),
            "data": data,
            "note": "all eight answers of a scene right; baseline: always the commonest set",
        },
        "top-1-single-object": {
            "value": report["top1_single_object"],
            "baseline": report["top1_single_object_baseline"],
            "interval": wilson(report["top1_single_object"], single),
            "data": f"the {single} of them with one object",
            "note": "baseline: always the commonest class",
        },
        "pointing-game": {
            "value": report["pointing_game"],
            "baseline": chance,
            "interval": wilson(report["pointing_game"], objects),
            "data": f"{objects} objects in {data}",
            "note": "Grad-CAM at features, bilinear to 96 x 96: its maximum lies in the visible mask of the object, found by"
            " the classifier or not, no tolerance; baseline: the masks' mean share of the picture",
        },
        "energy-in-mask": {
            "value": report["energy_in_mask"],
            "baseline": chance,
            "data": f"{objects} objects in {data}",
            "note": "share of the same map's sum inside the mask; baseline: an even map",
        },
    }
    return {
        "formatVersion": 1,
        "name": "scenes",
        "version": "1.0.0",
        "licence": "Apache-2.0",
        "source": {"description": "Trained from nothing on scenes drawn by packages/cam-core/src/phantom; see recipe.yaml."},
        "sha256": digest,
        "inputs": {
            "image": {
                "layout": "NCHW",
                "size": [96, 96],
                "channelOrder": "RGB",
                "resize": {"kernel": "bilinear", "antialias": True, "fit": "squash"},
                "range": [-1, 1],
            }
        },
        "classes": classes,
        "output": {"name": "logits", "kind": "logits", "activation": "sigmoid"},
        "targetLayer": "features",
        "intendedUse": "Demonstrations and tests of explanations whose truth is known: which of eight kinds of drawn objects"
        " a scene of drawScene(seed) holds.",
        "limits": [
            "Knows nothing but scenes drawn by camkit's phantom; photographs give meaningless answers.",
            "Any number of classes may be present: the outputs are independent (sigmoid), not a choice among eight.",
            "Objects span 23 to 38 of 96 pixels; smaller or larger ones were not in training.",
            "Map cells are 8 pixels wide: outlines finer than that are not in a map at the last layer.",
        ],
        "results": {name: {**result, "command": command} for name, result in results.items()},
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--to", required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    report = measure(args.data, "test", args.model)
    classes = json.loads(Path(args.data, "test.classes.json").read_text())
    to = Path(args.to)
    shutil.copyfile(args.model, to / "model.onnx")
    digest = hashlib.sha256((to / "model.onnx").read_bytes()).hexdigest()
    (to / "model.camkit.json").write_text(json.dumps(manifest(report, classes, digest), indent=2) + "\n")
    recipe = to / "recipe.yaml"
    by_hand = recipe.read_text().split(RECIPE_MARK)[0]
    recipe.write_text(f"{by_hand}{RECIPE_MARK}\nsha256: {digest}\nresults:\n{yaml_of(report, '  ')}")
    print(json.dumps(report, indent=2))


def yaml_of(values, indent):
    lines = ""
    for key, value in values.items():
        lines += f"{indent}{key}:\n{yaml_of(value, indent + '  ')}" if isinstance(value, dict) else f"{indent}{key}: {value}\n"
    return lines


if __name__ == "__main__":
    main()
