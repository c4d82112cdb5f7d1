"""PyTorch's side of the training benchmark: eager mode on the CPU, asked by JSON lines on stdin, answering on stdout.

    {"do": "export", "dir": DIR}                          DIR/<name>/{model.onnx, x.npy, labels.npy} for each network
    {"do": "agreement", "dir": DIR, "network": NAME}      DIR/<name>/{agreement.json, gradients/*.npy, after/*.npy}
    {"do": "steps", "network": NAME, "steps": 20}         trains on; {"ms": {"step": [...], ...}, "peakMb": ..., ...}

export and agreement do every network where none is named. agreement and steps take `"optimiser"`: "sgd", "adam" or "adamw"
(OPTIMISERS holds their options; each network has its default); agreement takes the number of `"steps"` (3), steps the number of
`"threads"` (2). A request that can't be met is answered with {"error": ...}.

A process trains one network with one optimiser, so that its memory is that network's: for another, start another process.
"""

import copy
import inspect
import json
import os
import sys
import time
import warnings

import numpy as np
import torch
from networks import NETWORKS, batch, build, export, state

OPTIMISERS = {
    "sgd": (torch.optim.SGD, dict(lr=1e-2, momentum=0.9, weight_decay=1e-4)),
    "adam": (torch.optim.Adam, dict(lr=1e-3)),
    "adamw": (torch.optim.AdamW, dict(lr=1e-3, weight_decay=1e-2)),
}
PARTS = ("step", "forward", "loss", "backward", "update")


class Refusal(Exception):
    """A request that can't be met; the text is the answer."""


class Training:
    """One network with its optimiser and its batch."""

    def __init__(self, name, optimiser, dtype=torch.float32):
        self.network = NETWORKS[name]
        make, self.options = OPTIMISERS[optimiser]
        self.net = build(name).to(dtype)
        x, labels = batch(name)
        self.x, self.labels = x.to(dtype), labels.to(dtype) if labels.is_floating_point() else labels
        self.optimiser = make(self.net.parameters(), **self.options)

    def gradients(self):
        """Leaves the gradients in the parameters; the loss, and the times at which each part ended."""
        self.optimiser.zero_grad(set_to_none=True)
        times = [time.perf_counter()]
        logits = self.net(self.x)
        times.append(time.perf_counter())
        loss = self.network.loss(logits, self.labels)
        times.append(time.perf_counter())
        loss.backward()
        times.append(time.perf_counter())
        return loss.item(), times

    def step(self):
        """One training step: the loss before it, and the milliseconds of each of PARTS."""
        start = time.perf_counter()
        loss, times = self.gradients()
        update = time.perf_counter()
        self.optimiser.step()
        end = time.perf_counter()
        return loss, [1000 * seconds for seconds in (end - start, *np.diff(times), end - update)]


running = None  # what `steps` trains: (name, optimiser, threads), the Training, MB before it was built


def do_steps(network, steps, threads=2, optimiser=None):
    """Loss and milliseconds of each step, and the process's memory in MB: before the network was built, and at its highest."""
    global running
    key = (known(network), known_optimiser(network, optimiser), threads)
    if running is None:
        torch.set_num_threads(threads)
        start_mb = memory("VmRSS")
        running = (key, Training(*key[:2]), start_mb)
    held, training, start_mb = running
    if held != key:
        raise Refusal(f"this process trains {held}, asked for {key}: start another process for it")
    losses, rows = zip(*(training.step() for _ in range(steps)))
    return {
        "network": network,
        "optimiser": key[1],
        "options": training.options,
        "threads": torch.get_num_threads(),
        "loss": losses,
        "ms": dict(zip(PARTS, zip(*rows))),
        "startMb": start_mb,
        "peakMb": memory("VmHWM"),
    }


def do_export(dir, network=None):
    for name in chosen(network):
        os.makedirs(f"{dir}/{name}", exist_ok=True)
        export(name, f"{dir}/{name}/model.onnx")
        x, labels = batch(name)
        np.save(f"{dir}/{name}/x.npy", x.numpy())
        np.save(f"{dir}/{name}/labels.npy", labels.numpy())
    return {"exported": chosen(network)}


def do_agreement(dir, network=None, optimiser=None, steps=3):
    """What a few steps from the exported weights on the exported batch come to, in training form.

    gradients/<weight>.npy    of the first step
    after/<weight>.npy        weights and running statistics after the last
    agreement.json            optimiser and options; `losses` before each step; `gradientError` and `afterError`: how far
                              PyTorch's own float32 is from these values, see `differences`

    Computed in float64 and rounded, so that a difference is the other side's: allow it max(1e-4, 3 * error). The batches are
    such that in the first step float32 takes the same side of every ReLU as float64. MobileNetV2 has too many for that: its
    gradients differ by up to a hundredth, and after three steps they are others. Compare it after one step.
    """
    for name in chosen(network):
        kind = known_optimiser(name, optimiser)
        before = state(build(name))
        exact, own = (train(name, kind, steps, dtype) for dtype in (torch.float64, torch.float32))
        moves = {key: value - before[key].double() for key, value in exact["after"].items()}
        folder = f"{dir}/{name}"
        for part in ("gradients", "after"):
            os.makedirs(f"{folder}/{part}", exist_ok=True)
            for key, value in exact[part].items():
                np.save(f"{folder}/{part}/{key}.npy", value.float().numpy())
        report = {
            "network": name,
            "optimiser": kind,
            "options": OPTIMISERS[kind][1],
            "losses": exact["losses"],
            "gradientError": differences(own["gradients"], exact["gradients"], exact["gradients"]),
            "afterError": differences(own["after"], exact["after"], moves),
        }
        with open(f"{folder}/agreement.json", "w") as file:
            json.dump(report, file, indent=1)
    return {"compared": chosen(network)}


def train(name, optimiser, steps, dtype):
    training = Training(name, optimiser, dtype)
    loss, _ = training.gradients()
    gradients = {key: parameter.grad.clone() for key, parameter in training.net.named_parameters()}
    training.optimiser.step()
    losses = [loss] + [training.step()[0] for _ in range(steps - 1)]
    return {"losses": losses, "gradients": gradients, "after": copy.deepcopy(state(training.net))}


def differences(values, exact, scales):
    """By name: root mean square of (value - exact), over that of the gradient itself or of what the steps changed.

    A bias before a batch normalisation has no gradient but rounding: where a scale is below a thousandth of the largest
    one in the network, that thousandth is the scale.
    """
    size = {key: rms(scale) for key, scale in scales.items()}
    least = 1e-3 * max(size.values())
    return {key: rms(values[key].double() - exact[key]) / max(size[key], least) for key in scales}


def rms(values):
    return float(values.square().mean().sqrt())


def chosen(network):
    return [known(network)] if network else list(NETWORKS)


def known(name):
    if name not in NETWORKS:
        raise Refusal(f'no network "{name}"; there are {", ".join(NETWORKS)}')
    return name


def known_optimiser(name, optimiser):
    optimiser = optimiser or NETWORKS[name].optimiser
    if optimiser not in OPTIMISERS:
        raise Refusal(f'no optimiser "{optimiser}"; there are {", ".join(OPTIMISERS)}')
    return optimiser


def memory(field):
    """VmRSS or VmHWM of this process in MB, None where there is no /proc.

    Not getrusage's ru_maxrss: on Linux that begins with the memory of the program that started this one.
    """
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith(field))
    except FileNotFoundError:
        return None


DO = {"export": do_export, "agreement": do_agreement, "steps": do_steps}


def answer(line):
    try:
        request = json.loads(line)
        verb = request.pop("do", None)
        if verb not in DO:
            raise Refusal(f'"do" is {verb!r}; it can be {", ".join(DO)}')
        try:
            inspect.signature(DO[verb]).bind(**request)
        except TypeError as fault:
            raise Refusal(f'"{verb}": {fault}')
        return DO[verb](**request)
    except (Refusal, json.JSONDecodeError) as refused:
        return {"error": str(refused)}


def main():
    warnings.filterwarnings("ignore")
    for line in sys.stdin:
        print(json.dumps(answer(line)), flush=True)


if __name__ == "__main__":
    main()
