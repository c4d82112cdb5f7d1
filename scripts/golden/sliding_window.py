"""A small segmentation network, its sliding-window logits as MONAI stitches them, and its Seg-Grad-CAM stitched the same way:
packages/medical/test/golden/{tiny-unet.onnx, sliding-window.json}

usage: python sliding_window.py        needs: torch==2.13.0 monai==1.6.1 onnx==1.23.2 numpy==2.4.6

Per window: target = sum of class 1's logit over the cells of the window that the stitched logits give class 1;
w[k] = mean over space of d target / d A[k]; map = relu(sum_k w[k] A[k]), interpolated to the window (trilinear,
align_corners=False); stitched by `sliding_window_inference` itself, which sees the map as one more network.
"""

import json
import platform
import sys
from pathlib import Path

import monai
import numpy as np
import torch
import torch.nn.functional as F
from monai.inferers import sliding_window_inference
from monai.networks.nets import UNet

GOLDEN = Path(__file__).parents[2] / "packages/medical/test/golden"
ROI = (16, 16, 16)
CLASS = 1


def volume(shape):
    """sin(0.7 z) + cos(0.5 y + 0.3 x) + 0.5 sin(0.11 z y): the test makes the same."""
    z, y, x = np.meshgrid(*(np.arange(n, dtype=np.float64) for n in shape), indexing="ij")
    values = np.sin(0.7 * z) + np.cos(0.5 * y + 0.3 * x) + 0.5 * np.sin(0.11 * z * y)
    return torch.from_numpy(values.astype(np.float32))[None, None]


def network():
    torch.manual_seed(1)
    return UNet(3, 1, 3, channels=(4, 8, 8), strides=(2, 2), num_res_units=1, norm="instance").eval()


def export(net, path):
    torch.onnx.export(
        net, (torch.zeros(1, 1, *ROI),), str(path), input_names=["x"], output_names=["logits"], opset_version=18, dynamo=False
    )


def deepest(net):
    """The innermost block of the U: what its activations are called in the graph is in the JSON."""
    return net.model[1].submodule[1].submodule


def seg_grad_cam(net, window, mask):
    kept = {}
    handle = deepest(net).register_forward_hook(lambda m, i, o: kept.update(a=o))
    logits = net(window)
    handle.remove()
    if mask.sum() == 0:
        return torch.zeros_like(window)
    (gradient,) = torch.autograd.grad((logits[:, CLASS] * mask[:, 0]).sum(), kept["a"])
    w = gradient.mean((2, 3, 4), keepdim=True)
    raw = F.relu((w * kept["a"]).sum(1, keepdim=True))
    return F.interpolate(raw, ROI, mode="trilinear", align_corners=False).detach()


def case(net, name, shape, overlap, mode):
    x = volume(shape)
    options = {"roi_size": ROI, "sw_batch_size": 1, "overlap": overlap, "mode": mode}
    with torch.no_grad():
        logits = sliding_window_inference(x, predictor=net, **options)
    mask = (logits.argmax(1, keepdim=True) == CLASS).float()
    both = torch.cat([x, mask], 1)
    maps = sliding_window_inference(both, predictor=lambda p: seg_grad_cam(net, p[:, :1], p[:, 1:]), **options)
    cells = np.unique(np.linspace(0, x.numel() - 1, 150).round().astype(int))
    flat = logits[0].reshape(3, -1)
    margin = flat.sort(0).values
    return {
        "name": name, "shape": shape, "overlap": overlap, "mode": mode,
        "maskCells": int(mask.sum()), "smallestMargin": float((margin[2] - margin[1]).min()),
        "cells": cells.tolist(),
        "logits": [[float(np.float32(v)) for v in flat[c][cells]] for c in range(3)],
        "map": [float(np.float32(v)) for v in maps.flatten()[cells]],
        "mapSum": float(maps.double().sum()), "logitSums": [float(v) for v in flat.double().sum(1)],
    }


def main():
    net = network()
    GOLDEN.mkdir(parents=True, exist_ok=True)
    export(net, GOLDEN / "tiny-unet.onnx")
    import onnx

    model = onnx.load(GOLDEN / "tiny-unet.onnx")
    del model.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    onnx.save(model, GOLDEN / "tiny-unet.onnx")
    for node in model.graph.node:
        print(node.op_type, node.output[0], file=sys.stderr)
    cases = [
        case(net, "gaussian, half shared", (29, 20, 16), 0.5, "gaussian"),
        case(net, "constant, a quarter", (24, 17, 23), 0.25, "constant"),
        case(net, "smaller than a window", (11, 16, 13), 0.5, "gaussian"),
        case(net, "one window", (16, 16, 16), 0.5, "gaussian"),
    ]
    versions = {"python": platform.python_version(), "torch": torch.__version__.split("+")[0], "monai": monai.__version__}
    content = {"program": "scripts/golden/sliding_window.py", "versions": versions, "class": CLASS, "roi": ROI, "cases": cases}
    (GOLDEN / "sliding-window.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")


main()
