"""Reference gradients and maps in float64, written beside the model in the form that scripts/zoo.mjs reads."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import types
from typing import Any, Iterator

import numpy as np
import torch

from case import Case, Feeds, script
from names import operators, tensor_like


def to_grid(t: torch.Tensor, layout: str) -> torch.Tensor:
    """[N, C, …space] from the layer's own layout."""
    kind, *rest = layout.split(":")
    if kind == "NTCHW":
        return t.reshape(-1, int(rest[0]), *t.shape[1:]).movedim(1, 2)
    if kind == "NHWC":
        return t.movedim(-1, 1)
    if kind == "NTC":
        t = t[:, int(rest[0]) :]
        side = round(t.shape[1] ** 0.5)
        grid = [int(n) for n in rest[1].split("x")] if len(rest) > 1 else [side, side]
        return t.reshape(t.shape[0], *grid, -1).movedim(-1, 1)
    return t


def error(a: torch.Tensor, b: torch.Tensor) -> float:
    """max |a − b| / max |b|"""
    return float((a.double() - b.double()).abs().max() / b.double().abs().max().clamp_min(1e-30))


def grad_cam(act: torch.Tensor, grad: torch.Tensor, layout: str) -> torch.Tensor:
    a, g = to_grid(act, layout), to_grid(grad, layout)
    weights = g.mean(tuple(range(2, g.ndim)), keepdim=True)
    return torch.relu((weights * a).sum(1))


def differentiate(case: Case, net: torch.nn.Module, feeds: Feeds, target: Any = None) -> dict[str, Any]:
    """The explained scalar, its gradient at the first input, and Grad-CAM at the case's layer."""
    caught: list[torch.Tensor] = []

    def catch(module: Any, args: Any, output: Any) -> None:
        found = case.pick(output)
        found.retain_grad()
        caught.append(found)

    hook = net.get_submodule(case.layer).register_forward_hook(catch) if case.layer else None
    first, *others = feeds.values()
    x = first.clone().requires_grad_()
    outputs = net(x, *others)
    chosen = case.choose(outputs) if target is None else target
    score = case.score(outputs, chosen)
    score.backward()
    if hook:
        hook.remove()
    act = caught[-1] if caught else None
    return {
        "target": chosen,
        "score": float(score),
        "logits": first_tensor(outputs).data,
        "gradient": x.grad,
        "act": None if act is None else act.data,
        "cam": None if act is None else grad_cam(act.data, act.grad, case.layout),
    }


@contextlib.contextmanager
def attached() -> Iterator[None]:
    """Without `detach`: it stops gradients in training (RT-DETR), and an exported file doesn't know of it."""
    detach = torch.Tensor.detach
    torch.Tensor.detach = lambda tensor: tensor
    try:
        yield
    finally:
        torch.Tensor.detach = detach


def spelled_out(net: torch.nn.Module) -> torch.nn.Module:
    """
    A copy whose batch norms are two products: the backward of PyTorch 2.13's own kernel in evaluation is wrong for some layouts
    (scripts/golden/batchnorm_eval_backward.py).
    """
    result = copy.deepcopy(net)
    for norm in result.modules():
        # Not their subclasses, which may do more (timm's hold an activation).
        if type(norm) in (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d, torch.nn.BatchNorm3d):
            norm.forward = types.MethodType(normalise, norm)
    return result


def normalise(norm: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    shape = [1, -1] + [1] * (x.dim() - 2)
    scaled = (x - norm.running_mean.reshape(shape)) * (norm.running_var + norm.eps).rsqrt().reshape(shape)
    return scaled * norm.weight.reshape(shape) + norm.bias.reshape(shape) if norm.affine else scaled


def first_tensor(outputs: Any) -> torch.Tensor:
    return outputs[0] if isinstance(outputs, (tuple, list)) else outputs


def in_double(feeds: Feeds) -> Feeds:
    return {name: t.double() if t.is_floating_point() else t for name, t in feeds.items()}


def draw(case: Case, single: torch.dtype = torch.float32) -> tuple[Feeds, dict[str, Any], float, float, float]:
    """An input at which PyTorch's own gradient in the file's precision agrees with float64 (no kink within rounding), of so many tries the best."""
    exact, plain = spelled_out(case.net).double(), spelled_out(case.net).to(single)
    best = None
    for _ in range(case.tries):
        feeds = case.draw()
        torch.set_default_dtype(torch.float64)  # what a forward makes itself, masks for one
        try:
            with attached():
                found = differentiate(case, exact, in_double(feeds))
        finally:
            torch.set_default_dtype(torch.float32)
        with attached():
            rounded = {k: v.to(single) if v.is_floating_point() else v for k, v in feeds.items()}
            short = differentiate(case, plain, rounded, found["target"])
        e32 = error(short["gradient"], found["gradient"])
        cam_e32 = error(short["cam"], found["cam"]) if found["cam"] is not None else 0.0
        if found["cam"] is not None and not found["cam"].max() > 0:
            cam_e32 = 1.0  # an empty map compares nothing
        if best is None or max(e32, cam_e32) < max(best[2:4]):
            best = (feeds, found, e32, cam_e32, error(short["logits"], found["logits"]))
        if max(e32, cam_e32) < 1e-5:
            break
    return best


def build(name: str, case: Case, folder: str, facts: dict[str, Any], single: torch.dtype = torch.float32) -> dict[str, Any]:
    """Writes one model with its references. `single` is the file's own precision. Returns what meta.json says."""
    os.makedirs(folder, exist_ok=True)
    path = f"{folder}/model.onnx"
    feeds, found, e32, cam_e32, logits_e32 = draw(case, single)
    with torch.no_grad():
        (case.export or script())(case, feeds, path)
    save_feeds(folder, feeds)
    np.save(f"{folder}/input_grad.npy", found["gradient"].float().numpy())
    np.save(f"{folder}/logits.npy", found["logits"].float().numpy())
    meta = {
        "name": name,
        **facts,
        "inputs": list(feeds),
        "target": found["target"],
        "score": found["score"],
        "e32": e32,
        "cam_e32": cam_e32,
        "logits_e32": logits_e32,
        "layer": case.layer,
        "layout": case.layout,
        "ops": operators(path),
        **case.ask,
    }
    if found["cam"] is not None:
        np.save(f"{folder}/cam.npy", found["cam"].float().numpy())
        np.save(f"{folder}/act.npy", found["act"].float().numpy())
        meta["cam_max"] = float(found["cam"].max())
        meta["tensor"] = tensor_like(path, {k: v.numpy() for k, v in feeds.items()}, found["act"].float().numpy())
    write_meta(folder, meta)
    return meta


def save_feeds(folder: str, feeds: Feeds) -> None:
    for i, (name, tensor) in enumerate(feeds.items()):
        np.save(f"{folder}/{'x' if i == 0 else name}.npy", tensor.numpy())


def write_meta(folder: str, meta: dict[str, Any]) -> None:
    with open(f"{folder}/meta.json", "w") as file:
        json.dump(meta, file, indent=1)
