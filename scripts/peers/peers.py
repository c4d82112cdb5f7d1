"""What camkit is measured beside, in PyTorch's CPU eager mode, batch 1.

    peers.py export DIR           DIR/<name>/{model.onnx, x.npy, map.npy} for each network
    peers.py serve NAME DIR       times N runs for each line "N" on stdin, milliseconds as JSON; --threads 2

by hand   the strongest way to get Grad-CAM's map in PyTorch: forward without gradients up to the layer, the head with a
          gradient for its activations A only, then weights, relu(sum), bilinear upsampling, min-max
library   pytorch-grad-cam's GradCAM as its README uses it
forward   the network's forward pass without gradients
Each explains the winning class.
"""

import argparse
import json
import os
import sys
import time
import warnings

import numpy as np
import torch
from networks import NETWORKS, build, frozen
from torch.nn.functional import interpolate

warnings.filterwarnings("ignore")
SIZE = 224


def by_hand(cut, net, x):
    with torch.no_grad():
        a, rest = cut.trunk(net, x)
    a.requires_grad_()
    score = cut.head(net, a, rest).max(dim=1).values.sum()
    da = torch.autograd.grad(score, a)[0]
    with torch.no_grad():
        if cut.tokens:
            a, da = grid(a), grid(da)
        weights = da.mean(dim=(2, 3), keepdim=True)
        cam = torch.relu((weights * a).sum(1, keepdim=True))
        cam = interpolate(cam, size=(SIZE, SIZE), mode="bilinear", align_corners=False)[:, 0]
        cam = cam - cam.amin((1, 2), keepdim=True)
        return cam / cam.amax((1, 2), keepdim=True).clamp_min(1e-12)


def grid(tokens):
    """[N, 1 + s * s, K], class token first, to [N, K, s, s]."""
    tokens = tokens[:, 1:]
    side = int(tokens.shape[1] ** 0.5)
    return tokens.reshape(tokens.shape[0], side, side, -1).movedim(-1, 1)


def export(folder):
    # The fused attention of inference mode has no ONNX form.
    torch.backends.mha.set_fastpath_enabled(False)
    for name, cut in NETWORKS.items():
        net = build(name)
        torch.manual_seed(1)
        x = torch.randn(1, 3, SIZE, SIZE)
        os.makedirs(f"{folder}/{name}", exist_ok=True)
        np.save(f"{folder}/{name}/x.npy", x.numpy())
        np.save(f"{folder}/{name}/map.npy", by_hand(cut, frozen(net), x).numpy())
        torch.onnx.export(
            net,
            (x,),
            f"{folder}/{name}/model.onnx",
            dynamo=False,
            opset_version=17,
            input_names=["input"],
            output_names=["logits"],
            dynamic_axes={"input": {0: "n"}, "logits": {0: "n"}},
        )


def serve(name, folder):
    """Answers each line of stdin, a number of runs, with the times of that many runs, the three one after the other."""
    from pytorch_grad_cam import GradCAM

    cut = NETWORKS[name]
    trained = build(name)
    net = frozen(trained)
    x = torch.from_numpy(np.load(f"{folder}/{name}/x.npy"))
    library = GradCAM(trained, [cut.layer(trained)], reshape_transform=grid if cut.tokens else None)

    def forward():
        with torch.no_grad():
            net(x)

    runs = {"forward": forward, "byHand": lambda: by_hand(cut, net, x), "library": lambda: library(x, targets=None)}
    for line in sys.stdin:
        print(json.dumps({what: [timed(run) for _ in range(int(line))] for what, run in runs.items()}), flush=True)


def timed(run):
    """Milliseconds."""
    start = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("export").add_argument("folder")
    serving = verbs.add_parser("serve")
    serving.add_argument("name", choices=NETWORKS)
    serving.add_argument("folder")
    serving.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    if args.verb == "export":
        export(args.folder)
    else:
        torch.set_num_threads(args.threads)
        serve(args.name, args.folder)


if __name__ == "__main__":
    main()
