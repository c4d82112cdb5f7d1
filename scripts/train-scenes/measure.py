"""Measures an exported scenes model on a split, with ONNX Runtime: what ships is what is measured.

    python measure.py --data DIR --split test --model model.onnx [--look overlays.png]

Prints one JSON document. Grad-CAM is computed at "features" from the head's weights (a global average and a linear
head: the mean gradient of logit c in channel k is weight[c, k] / 144), upsampled bilinearly (half-pixel centres) to
96 x 96. For every object of every scene, found by the classifier or not:
  pointing game  its class's largest map value lies in its visible mask       chance: the mask's share of the picture
  energy         the share of the map's sum that lies in its visible mask     chance: the same
"""

import argparse
import json

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper


def run(path, images):
    model = onnx.load(path)
    model.graph.output.append(onnx.helper.make_tensor_value_info("features", onnx.TensorProto.FLOAT, None))
    head = {w.name: numpy_helper.to_array(w) for w in model.graph.initializer if w.name.startswith("head.")}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    logits, features = [], []
    for at in range(0, len(images), 64):
        batch = np.ascontiguousarray(images[at : at + 64].transpose(0, 3, 1, 2)).astype(np.float32) / 127.5 - 1
        y, a = session.run(["logits", "features"], {"image": batch})
        logits.append(y)
        features.append(a)
    return np.concatenate(logits), np.concatenate(features), head["head.weight"]


def grad_cam(features, weights):
    """features [K, h, w], weights [K] -> map [96, 96], >= 0."""
    small = np.maximum(np.tensordot(weights / features[0].size, features, 1), 0)
    tensor = torch.from_numpy(small.astype(np.float32))[None, None]
    return torch.nn.functional.interpolate(tensor, size=(96, 96), mode="bilinear", align_corners=False)[0, 0].numpy()


def measure(data, split, model, picture=None):
    images = np.load(f"{data}/{split}.images.npy", mmap_mode="r")
    labels = np.load(f"{data}/{split}.labels.npy") > 0
    masks = np.load(f"{data}/{split}.masks.npy", mmap_mode="r")
    with open(f"{data}/{split}.classes.json") as file:
        classes = json.load(file)
    logits, features, weights = run(model, images)

    found = logits > 0
    sensitivity = (found & labels).sum(0) / labels.sum(0)
    specificity = (~found & ~labels).sum(0) / (~labels).sum(0)
    balanced = (sensitivity + specificity) / 2
    single = labels.sum(1) == 1

    rows = []  # one per object: class, hit, energy, chance
    for scene, klass in np.argwhere(labels):
        mask = masks[scene] == klass + 1
        heat = grad_cam(features[scene], weights[klass])
        total = heat.sum()
        hit = total > 0 and mask.flat[heat.argmax()]
        rows.append((klass, hit, heat[mask].sum() / total if total > 0 else 0.0, mask.mean()))
    rows = np.array(rows, dtype=np.float64)
    if picture:
        look(picture, images, labels, masks, logits, features, weights, classes)

    def per_class(values):
        return {name: round(float(value), 4) for name, value in zip(classes, values)}

    def by_class(column):
        return per_class([rows[rows[:, 0] == c, column].mean() for c in range(len(classes))])

    def mean(values):
        return round(float(np.mean(values)), 4)

    return {
        "scenes": len(images),
        "objects": len(rows),
        "single_object_scenes": int(single.sum()),
        "balanced_accuracy": mean(balanced),
        "exact_match": mean((found == labels).all(1)),
        # of always answering the commonest set of classes
        "exact_match_baseline": round(float(np.unique(labels, axis=0, return_counts=True)[1].max() / len(labels)), 4),
        "top1_single_object": mean((logits.argmax(1) == labels.argmax(1))[single]),
        "top1_single_object_baseline": round(float(labels[single].mean(0).max()), 4),
        "pointing_game": mean(rows[:, 1]),
        "energy_in_mask": mean(rows[:, 2]),
        "mask_share_of_picture": mean(rows[:, 3]),
        "per_class": {
            "objects": dict(zip(classes, labels.sum(0).tolist())),
            "balanced_accuracy": per_class(balanced),
            "sensitivity": per_class(sensitivity),
            "specificity": per_class(specificity),
            "pointing_game": by_class(1),
            "energy_in_mask": by_class(2),
        },
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--model", required=True)
    parser.add_argument("--look", metavar="PNG", help="draw maps over the first scenes (needs matplotlib)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(json.dumps(measure(args.data, args.split, args.model, args.look), indent=2))


def look(path, images, labels, masks, logits, features, weights, classes):
    """A picture for the eye: scenes, and the map of each object's class with the mask's outline."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = 8
    figure, axes = pyplot.subplots(rows, 8, figsize=(16, 17))
    scene = 0
    for row in range(rows):
        for half in (0, 4):
            cells = axes[row, half : half + 4]
            cells[0].imshow(images[scene])
            for cell, klass in zip(cells[1:], np.flatnonzero(labels[scene])):
                cell.imshow(images[scene])
                cell.imshow(grad_cam(features[scene], weights[klass]), cmap="inferno", alpha=0.6)
                cell.contour(masks[scene] == klass + 1, [0.5], colors="white", linewidths=1)
                cell.set_title(f"{classes[klass]} {logits[scene, klass]:.1f}", fontsize=8)
            scene += 1
    for axis in axes.flat:
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    main()
