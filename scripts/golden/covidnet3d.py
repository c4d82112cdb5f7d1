"""CovidNet3D in PyTorch, written from its description alone: parameters by configuration, stage sizes, logits on fixed weights.

Made with torch 2.13.0, numpy 2.4.6; float64 on one thread. Writes packages/cam-train/test/golden/covidnet3d.json. Weights are no
random numbers: element j of tensor p, in the order of state_dict, comes from ((31 j² + 7919 j + 104729 p) mod 2003) / 1001 - 1.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import nn

CELLS = [4, 4, 4, 4, 4, 1]
STRIDES = [2, 2, 2, 1, 2, 1]
WIDTHS = {"small": [24, 40, 80, 96, 192, 320], "large": [32, 64, 128, 256, 512, 1024]}
OPS = [f"mbconv_{k}_{e}" for k, e in [(3, 3), (3, 4), (3, 6), (5, 3), (5, 4), (7, 3), (7, 4)]] + ["identity"]
NAMES = [f"s{stage}_c{cell}" for stage, count in enumerate(CELLS) for cell in range(count)]
MIXED = {
    "s0_c1": "mbconv_3_4", "s0_c2": "mbconv_3_6", "s0_c3": "mbconv_5_3", "s1_c0": "mbconv_5_4", "s1_c1": "mbconv_7_3",
    "s1_c2": "mbconv_7_4", "s1_c3": "identity", "s2_c1": "zero", "s4_c0": "identity", "s4_c1": "zero",
}


def norm(channels):
    return nn.BatchNorm3d(channels, eps=1e-3, momentum=0.1)


def mbconv(k, e, width):
    inner = e * width
    return nn.Sequential(
        nn.Conv3d(width, inner, 1, bias=False), norm(inner), nn.ReLU6(),
        nn.Conv3d(inner, inner, k, padding=k // 2, groups=inner, bias=False), norm(inner), nn.ReLU6(),
        nn.Conv3d(inner, width, 1, bias=False), norm(width),
    )


class Cell(nn.Module):
    def __init__(self, channels, width, stride, first, op):
        super().__init__()
        self.first, self.kind = first, op
        self.calibrate = nn.Conv3d(channels, width, 1, stride=stride)
        self.op = mbconv(*map(int, op.split("_")[1:]), width) if op.startswith("mbconv") else None

    def forward(self, x):
        x = self.calibrate(x)
        y = self.op(x) if self.op else x if self.kind == "identity" else torch.zeros_like(x)
        return y if self.first else x + y


class CovidNet3D(nn.Module):
    def __init__(self, width, cells, outputs=3):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv3d(1, 32, 3, 2, 1, bias=False), norm(32), nn.ReLU6())
        self.block0 = nn.Sequential(
            nn.Conv3d(32, 32, 3, 1, 1, groups=32, bias=False), norm(32), nn.ReLU6(),
            nn.Conv3d(32, 16, 1, bias=False), norm(16),
        )
        channels, self.stages = 16, nn.ModuleList()
        for stage, filters in enumerate(WIDTHS[width]):
            made = []
            for cell in range(CELLS[stage]):
                first = cell == 0
                op = cells.get(f"s{stage}_c{cell}", "mbconv_3_3")
                made.append(Cell(channels, filters, STRIDES[stage] if first else 1, first, op))
                channels = filters
            self.stages.append(nn.Sequential(*made))
        self.mix = nn.Sequential(nn.Conv3d(channels, 1280, 1, bias=False), norm(1280), nn.ReLU6())
        self.head = nn.Linear(1280, outputs)

    def forward(self, x, sizes):
        x = self.block0(self.stem(x))
        for i, stage in enumerate(self.stages):
            x = stage(x)
            sizes[f"stage{i}"] = list(x.shape[1:])
        x = self.mix(x)
        sizes["mix"] = list(x.shape[1:])
        return self.head(x.mean((2, 3, 4)))


def pattern(count, p):
    j = np.arange(count, dtype=np.int64)
    return (31 * j * j + 7919 * j + 104729 * p) % 2003 / 1001 - 1


def filled(net):
    tensors = [(k, v) for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")]
    for p, (name, tensor) in enumerate(tensors):
        values = pattern(tensor.numel(), p)
        if name.endswith("running_var"):
            values = 1 + 0.5 * values
        elif tensor.ndim > 1:
            values = values * math.sqrt(3 / (tensor.numel() / tensor.shape[0]))
        elif name.endswith("weight"):
            values = 1 + 0.2 * values
        else:
            values = 0.1 * values
        tensor.copy_(torch.tensor(values.astype(np.float32)).reshape(tensor.shape))
    return net.eval().double()


def parameters(width, cells):
    return sum(p.numel() for p in CovidNet3D(width, cells).parameters())


torch.set_num_threads(1)
shape = [2, 1, 12, 40, 36]
x = pattern(math.prod(shape), 5) * np.repeat([1, 0.3], math.prod(shape) // 2)
cases = []
for width in WIDTHS:
    for name, cells in {"default": {}, "mixed": MIXED, **{op: {c: op for c in NAMES} for op in OPS}}.items():
        case = {"name": f"{width} {name}", "width": width, "cells": cells, "parameters": parameters(width, cells)}
        if name in ("default", "mixed") and width == "small":
            sizes = {}
            with torch.no_grad():
                logits = filled(CovidNet3D(width, cells))(torch.tensor(x.astype(np.float32)).double().reshape(shape), sizes)
            case |= {"logits": logits.flatten().tolist(), "sizes": sizes}
        cases.append(case)
file = Path(__file__).parents[2] / "packages/cam-train/test/golden/covidnet3d.json"
file.write_text(json.dumps({"torch": torch.__version__, "shape": shape, "cases": cases}, indent=1) + "\n")
