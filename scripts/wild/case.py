"""What one model of the zoo is made of, and how random weights are kept from making a network that says nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Callable

import torch
from torch import nn

Feeds = dict[str, torch.Tensor]


def first_output(outputs: Any) -> torch.Tensor:
    return outputs[0] if isinstance(outputs, (tuple, list)) else outputs


def winner(outputs: Any) -> int:
    """The class that a classifier's first sample goes to; for an output in space, by its sum."""
    y = first_output(outputs)
    return int(y.reshape(1, y.shape[1], -1).sum(2)[0].argmax())


def class_score(outputs: Any, target: int) -> torch.Tensor:
    y = first_output(outputs)
    return y.reshape(1, y.shape[1], -1).sum(2)[0, target]


@dataclass
class Case:
    """One network, and what is asked of it."""

    net: nn.Module
    draw: Callable[[], Feeds]
    """Inputs by name, in the order of the network's arguments; the first is the one that is explained."""
    layer: str | None = None
    """The module whose output the Grad-CAM is read at, and that output's layout: NCHW, NHWC, NTC:<prefix>, NTC:<prefix>:TxHxW; NTCHW:<T> where frames and batch are one axis."""
    layout: str = "NCHW"
    export: Callable[["Case", Feeds, str], None] | None = None
    """Writes model.onnx. Default: `script()`."""
    choose: Callable[[Any], Any] = winner
    """From the outputs: what is explained, a class or another target in camkit's own form."""
    score: Callable[[Any, Any], torch.Tensor] = class_score
    """The explained scalar, from the outputs and what was chosen."""
    outputs: list[str] = field(default_factory=lambda: ["logits"])
    ask: dict[str, Any] = field(default_factory=dict)
    """Further entries of meta.json: output, manifest, …"""
    tries: int = 16
    """How many inputs are drawn at most until PyTorch's two precisions agree."""
    pick: Callable[[Any], torch.Tensor] = lambda output: output[0] if isinstance(output, (tuple, list)) else output
    """The tensor in what the layer returns."""


def photo(*shape: int) -> torch.Tensor:
    """Noise that is smooth like a picture: patches and windows differ, neighbours are alike. Shape [N, C, …space]."""
    space = shape[2:]
    coarse = torch.randn(*shape[:2], *[max(2, math.ceil(size / 12)) for size in space])
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[len(space)]
    return nn.functional.interpolate(coarse, size=space, mode=mode, align_corners=False) + 0.3 * torch.randn(*shape)


def pictures(name: str, *shape: int) -> Callable[[], Feeds]:
    return lambda: {name: photo(*shape)}


def clips(name: str, size: list[int]) -> dict[str, Any]:
    """What a manifest has to say of a clip [N, T, C, H, W]: the order of its axes can't be read from a shape."""
    return {"manifest": {"formatVersion": 1, "name": "clips", "inputs": {name: {"layout": "NTCHW", "size": size}}}}


def enliven(net: nn.Module, seed: int, calibrate: Callable[[nn.Module], None] | None = None) -> nn.Module:
    """
    Initialises a network so that its scores depend on its input: weights by their fan-in (the 0.02 of most transformers, or a
    layer scale of 1e-6, make every block the identity), gains around 1, biases around 0, batch norms with statistics of random
    inputs.
    """
    torch.manual_seed(seed)
    for name, p in net.named_parameters():
        if not p.dtype.is_floating_point:
            continue
        leaf = name.rsplit(".", 1)[-1]
        with torch.no_grad():
            if p.dim() >= 2 and p.shape[0] != 1 and "embeddings.weight" not in name and "relative_position" not in name:
                fan_in = p[0].numel()
                p.normal_(0, math.sqrt((2 if p.dim() > 2 else 1) / fan_in))
            elif p.dim() >= 2:
                p.normal_(0, 0.3)
            elif leaf in ("bias", "beta") or p.abs().max() == 0:
                p.normal_(0, 0.1)
            else:
                p.uniform_(0.5, 1.5)
    net.eval()
    norms = [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if norms and calibrate:
        momenta = [m.momentum for m in norms]
        for m in norms:
            m.momentum = None
            m.reset_running_stats()
            m.train()
        with torch.no_grad():
            calibrate(net)
        for m, momentum in zip(norms, momenta):
            m.momentum = momentum
    return net.eval()


def script(opset: int = 17, dynamic: bool = True, **options: Any) -> Callable[[Case, Feeds, str], None]:
    """PyTorch's exporter by tracing, as optimum, ultralytics and most scripts use it."""

    def export(case: Case, feeds: Feeds, path: str) -> None:
        axes = {name: {0: "batch"} for name in [*feeds, *case.outputs]} if dynamic else None
        torch.onnx.export(
            case.net,
            tuple(feeds.values()),
            path,
            dynamo=False,
            opset_version=opset,
            input_names=list(feeds),
            output_names=case.outputs,
            dynamic_axes=axes,
            **options,
        )

    return export


def dynamo(opset: int | None = None, **options: Any) -> Callable[[Case, Feeds, str], None]:
    """PyTorch's newer exporter."""

    def export(case: Case, feeds: Feeds, path: str) -> None:
        torch.onnx.export(
            case.net,
            tuple(feeds.values()),
            path,
            dynamo=True,
            opset_version=opset,
            input_names=list(feeds),
            output_names=case.outputs,
            **{"external_data": False, "verbose": False, **options},
        )

    return export
