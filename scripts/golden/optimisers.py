"""Ten steps of each optimiser in PyTorch, in float32, step by step: packages/cam-train/test/golden/optimisers.json

usage: python optimisers.py        needs: torch==2.13.0 numpy==2.4.6

The first cases feed the same gradients in every case, written into the file, so that a case tests the optimiser alone. One
weight never gets a gradient (Adam's 0 / (0 + eps)), one gets gradients near Adam's eps, and the norm crosses the clipping
threshold, before and after accumulation.
The last two train a small network whose data is in the file: gradients follow from it.

Each case: `optimiser`, `groups` (options that differ, by how a parameter's name ends), `schedule`, `clip` (largest norm),
`accumulate` (a step takes the mean of that many gradients), `ema` (decay). The result: `rates` (the schedule's factor in each
step), `weights` and `averages` (EMA) after each step.

  schedules, as a factor on the rate, t = 0 … T - 1 is the step:
    step                 factor^floor(t / (every * T))
    cosine               W = warmUp * T; t < W: (t + 1) / W; then
                         floor + (1 - floor) * (1 + cos(pi * (t - W) / (T - W))) / 2
  clipping               g <- g * min(1, clip / (norm + 1e-6)), norm over all parameters together, after accumulation
  EMA                    e_0 = w_0; e_t = decay * e_(t-1) + (1 - decay) * w_t. (AveragedModel copies at its first update,
                         so it is given the initial weights there.)
  momentum               b_1 = g_1; b_t = momentum * b_(t-1) + g_t; w <- w - rate * b. The rate isn't in b (dampening 0).
  Nesterov               w <- w - rate * (g + momentum * b)
  weight decay           SGD, Adam: g <- g + decay * w, after clipping; AdamW: w <- w - rate * decay * w, before its step
  Adam                   w <- w - rate * m' / (sqrt(v') + eps), m' = m / (1 - beta1^t), v' = v / (1 - beta2^t), t from 1
"""

import math

import torch
from golden import data, numbers, tensor, write
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR, StepLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

STEPS = 10
MAKERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
STEP = {"kind": "step", "every": 0.3, "factor": 0.5}
COSINE = {"kind": "cosine", "warmUp": 0.3, "floor": 0.05}
GROUPS = {"weight": {}, "bias": {"rate": 0.02, "decay": 0}}  # weights with decay; biases without, at another rate

SGD = {"kind": "sgd", "rate": 0.1}
MOMENTUM = {**SGD, "momentum": 0.9}
ADAM = {"kind": "adam", "rate": 0.01}
ADAMW = {"kind": "adamw", "rate": 0.01, "decay": 0.01}

CASES = {
    "SGD": {"optimiser": SGD},
    "SGD, weight decay": {"optimiser": {**SGD, "decay": 0.1}},
    "SGD, momentum": {"optimiser": MOMENTUM},
    "SGD, momentum, weight decay": {"optimiser": {**MOMENTUM, "decay": 0.1}},
    "SGD, Nesterov": {"optimiser": {**MOMENTUM, "nesterov": True}},
    "SGD, Nesterov, weight decay": {"optimiser": {**MOMENTUM, "nesterov": True, "decay": 0.1}},
    "Adam": {"optimiser": ADAM},
    "Adam, other betas and eps": {"optimiser": {**ADAM, "betas": [0.8, 0.95], "epsilon": 1e-3}},
    "Adam, weight decay": {"optimiser": {**ADAM, "decay": 0.1}},
    "AdamW": {"optimiser": ADAMW},
    "AdamW, weight decay 0.1": {"optimiser": {**ADAMW, "decay": 0.1}},
    "SGD, momentum, step schedule": {"optimiser": MOMENTUM, "schedule": STEP},
    "SGD, momentum, cosine with warm-up": {"optimiser": MOMENTUM, "schedule": COSINE},
    "Adam, step schedule": {"optimiser": ADAM, "schedule": STEP},
    "Adam, cosine with warm-up": {"optimiser": ADAM, "schedule": COSINE},
    "AdamW, step schedule": {"optimiser": ADAMW, "schedule": STEP},
    "AdamW, cosine with warm-up": {"optimiser": ADAMW, "schedule": COSINE},
    "SGD, momentum, weight decay, clipped": {"optimiser": {**MOMENTUM, "decay": 0.1}, "clip": 2},
    "AdamW, clipped": {"optimiser": ADAMW, "clip": 2},
    "SGD, momentum, accumulated": {"optimiser": MOMENTUM, "accumulate": 2},
    "AdamW, accumulated, clipped": {"optimiser": ADAMW, "accumulate": 2, "clip": 2},
    "SGD, momentum, EMA": {"optimiser": MOMENTUM, "ema": 0.99},
    "AdamW, EMA": {"optimiser": ADAMW, "ema": 0.99},
    "SGD, momentum, two groups": {"optimiser": {**MOMENTUM, "decay": 0.1}, "groups": GROUPS},
    "AdamW, two groups, cosine with warm-up": {
        "optimiser": {**ADAMW, "decay": 0.1},
        "groups": GROUPS,
        "schedule": COSINE,
    },
}
NETWORK_CASES = {
    "network: SGD, momentum": {"optimiser": MOMENTUM},
    "network: AdamW, two groups, cosine with warm-up, clipped, EMA": {
        "optimiser": {**ADAMW, "rate": 0.05, "decay": 0.1},
        "groups": GROUPS,
        "schedule": COSINE,
        "clip": 0.5,
        "ema": 0.99,
    },
}


class Fed(torch.nn.Module):
    """Two parameters that are given their gradients."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(numbers([3, 4], 1).float())
        self.bias = torch.nn.Parameter(numbers([3], 2).float())
        self.given = [{"weight": numbers([3, 4], 10 + i), "bias": numbers([3], 40 + i)} for i in range(2 * STEPS)]
        for i, gradient in enumerate(self.given):
            gradient["weight"][0, 0] = 0
            gradient["weight"][0, 1] = 1e-8 * (i % 3 + 1)
            gradient["weight"] *= 3 if i % 4 == 3 else 0.5

    def backward(self, i):
        for name, parameter in self.named_parameters():
            gradient = self.given[i][name].float()
            parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient


class Network(torch.nn.Module):
    """x [6, 4] -> dense 5 -> tanh -> dense 3 -> cross-entropy, mean over the batch."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(4, 5)
        self.second = torch.nn.Linear(5, 3)
        for i, parameter in enumerate(self.parameters()):
            parameter.data = numbers(parameter.shape, 3 + i).float()
        self.x = numbers([6, 4], 7, most=2).float()
        self.labels = [0, 1, 2, 0, 1, 0]
        self.losses = []

    def backward(self, i):
        logits = self.second(torch.tanh(self.first(self.x)))
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(self.labels))
        loss.backward()
        self.losses.append(loss.item())


def torch_options(options):
    names = {"rate": "lr", "momentum": "momentum", "nesterov": "nesterov", "decay": "weight_decay", "epsilon": "eps"}
    named = {names[key]: value for key, value in options.items() if key in names}
    return {**named, **({"betas": tuple(options["betas"])} if "betas" in options else {})}


def parameter_groups(net, groups):
    """One group per entry: what its parameters' names end with, and what they have of their own."""
    return [
        {"params": [p for name, p in net.named_parameters() if name.endswith(ending)], **torch_options(own)}
        for ending, own in groups.items()
    ]


def warm_up(schedule):
    return round(schedule["warmUp"] * STEPS)


def scheduler(optimiser, schedule):
    """PyTorch's own; for the first group, since eta_min is a rate and `floor` a share of each group's."""
    if schedule is None:
        return StepLR(optimiser, 1, 1.0)
    if schedule["kind"] == "step":
        return StepLR(optimiser, round(schedule["every"] * STEPS), schedule["factor"])
    warm, rate = warm_up(schedule), optimiser.param_groups[0]["lr"]
    rising = LinearLR(optimiser, 1 / warm, 1, warm - 1)
    falling = CosineAnnealingLR(optimiser, STEPS - warm, rate * schedule["floor"])
    return SequentialLR(optimiser, [rising, falling], [warm])


def factor(schedule, t):
    if schedule is None:
        return 1.0
    if schedule["kind"] == "step":
        return schedule["factor"] ** (t // round(schedule["every"] * STEPS))
    warm, floor = warm_up(schedule), schedule["floor"]
    if t < warm:
        return (t + 1) / warm
    return floor + (1 - floor) * (1 + math.cos(math.pi * (t - warm) / (STEPS - warm))) / 2


def run(name, make, case):
    net = make()
    groups = case.get("groups", {"": {}})
    optimiser = MAKERS[case["optimiser"]["kind"]](
        parameter_groups(net, groups), **torch_options(case["optimiser"]), foreach=False
    )
    schedule = case.get("schedule")
    rates = [group["lr"] for group in optimiser.param_groups]
    reference = scheduler(optimiser, schedule)
    average = None
    if "ema" in case:
        average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(case["ema"]))
        average.update_parameters(net)
    micro = case.get("accumulate", 1)
    weights, averages, factors = [], [], []
    for t in range(STEPS):
        factors.append(factor(schedule, t))
        # PyTorch's scheduler has to agree with the formula, at the first group's rate.
        assert math.isclose(reference.get_last_lr()[0], rates[0] * factors[t], rel_tol=1e-9), (name, t)
        for group, rate in zip(optimiser.param_groups, rates):
            group["lr"] = rate * factors[t]
        optimiser.zero_grad(set_to_none=True)
        for i in range(micro):
            net.backward(micro * t + i)
        for parameter in net.parameters():
            parameter.grad = parameter.grad / micro
        if "clip" in case:
            torch.nn.utils.clip_grad_norm_(net.parameters(), case["clip"], foreach=False)
        optimiser.step()
        weights.append(flat(net))
        if average:
            average.update_parameters(net)
            averages.append(flat(average.module))
        reference.step()
    result = {"name": name, **case, "rates": data(torch.tensor(factors, dtype=torch.float64))}
    if make is Network:
        result["losses"] = data(torch.tensor(net.losses))
    return {**result, "weights": weights, **({"averages": averages} if average else {})}


def flat(net):
    return {name: data(parameter) for name, parameter in net.named_parameters()}


def initial(net):
    return {name: tensor(parameter) for name, parameter in net.named_parameters()}


if __name__ == "__main__":
    fed, network = Fed(), Network()
    write(
        "optimisers.json",
        "optimisers.py",
        __doc__.split("\n\n", 2)[2],
        fed={
            "weights": initial(fed),
            "gradients": [{key: data(value.float()) for key, value in row.items()} for row in fed.given],
        },
        network={"weights": initial(network), "x": tensor(network.x), "labels": network.labels},
        cases=[run(name, Fed, case) for name, case in CASES.items()]
        + [run(name, Network, case) for name, case in NETWORK_CASES.items()],
    )
