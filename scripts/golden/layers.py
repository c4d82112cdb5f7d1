"""Each layer's output and gradients in PyTorch, in float64: packages/cam-train/test/golden/layers.json

usage: python layers.py        needs: torch==2.13.0 numpy==2.4.6

Each case: `layers` as a configuration of the package writes them, `x`, `parameters`, the cotangent `dy`, and what follows: `y`,
the `gradients` of sum(dy * y) with respect to x and each parameter, and `after`, what running statistics are after the step.
Axes are [N, C, ...space], tokens [N, T, E]; weights are laid out as in PyTorch (convolution [out, in / groups, ...], transposed
[in, out / groups, ...], dense [out, in]).

  batch norm    normalises with the biased variance of the batch; running <- (1 - momentum) * running +
                momentum * batch's, there with the unbiased variance (times n / (n - 1), n the numbers per channel)
  attention     torch.nn.MultiheadAttention: q, k, v = the thirds of x in_proj_weight^T + in_proj_bias; per head
                softmax(q k^T / sqrt(E / heads)) v; heads side by side, then out_proj
  GELU          exact: x * (1 + erf(x / sqrt 2)) / 2; tanh: x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2
  dropout       y = x * mask / (1 - p), the mask given
  average pool  divides by the kernel's size where `countPadding`, else by how many numbers lie inside
  residual      relu(norm2(conv2(relu(norm1(conv1 x)))) + norm0(conv0 x)), torchvision's BasicBlock with stride 2
  squeeze       x * sigmoid(fc2(relu(fc1(mean over space of x)))), torchvision's SqueezeExcitation

Gradients are compared with central differences here. Nothing lies within 1e-3 of a kink (a ReLU's 0, a tie in a
maximum), so that float32 takes the same side.
"""

import torch
from golden import numbers, tensor, write
from torch import nn

KINK = 1e-3


class Dropout(nn.Module):
    """Keeps what the mask keeps."""

    def forward(self, x):
        return x * MASK / (1 - RATIO)


class Attention(nn.MultiheadAttention):
    def forward(self, x):
        return super().forward(x, x, x, need_weights=False)[0]


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(2, 3, 3, 2, 1, bias=False), nn.BatchNorm2d(3)
        self.conv2, self.norm2 = nn.Conv2d(3, 3, 3, 1, 1, bias=False), nn.BatchNorm2d(3)
        self.conv0, self.norm0 = nn.Conv2d(2, 3, 1, 2, bias=False), nn.BatchNorm2d(3)

    def forward(self, x):
        inner = away(self.norm1(self.conv1(x)), 0).relu()
        return away(self.norm2(self.conv2(inner)) + self.norm0(self.conv0(x)), 0).relu()


class Squeeze(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(6, 2, 1), nn.Conv2d(2, 6, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.fc2(away(self.fc1(x.mean((2, 3), keepdim=True)), 0).relu()))


def away(values, *kinks):
    for kink in kinks:
        assert (values - kink).abs().min() > KINK, f"a value lies at the kink {kink}: take another seed"
    return values


def over_space(pool):
    """[N, C, 1, ...] to [N, C]."""
    return nn.Sequential(pool, nn.Flatten(1))


def conv(dims, channels, filters, kernel, size, transposed=False, **options):
    """x [2, channels, ...size], the layer in the package's words, and in PyTorch's."""
    make = getattr(nn, f"Conv{'Transpose' if transposed else ''}{dims}d")
    words = {"outputPadding": "output_padding"}
    module = make(channels, filters, kernel, **{words.get(key, key): value for key, value in options.items()})
    kind = "convTranspose" if transposed else "conv"
    return [2, channels, *size], {kind: {"filters": filters, "kernel": kernel, **options}}, module


RATIO = 0.4
MASK = (numbers([2, 3, 4], 77) > -0.2).double()
POOL = {"size": 3, "stride": 2, "padding": 1}
RESIDUAL = {
    "main": [
        {"conv": {"name": "conv1", "filters": 3, "kernel": 3, "stride": 2, "padding": 1, "bias": False}},
        {"batchNorm": {"name": "norm1"}},
        "relu",
        {"conv": {"name": "conv2", "filters": 3, "kernel": 3, "padding": 1, "bias": False}},
        {"batchNorm": {"name": "norm2"}},
    ],
    "shortcut": [
        {"conv": {"name": "conv0", "filters": 3, "kernel": 1, "stride": 2, "bias": False}},
        {"batchNorm": {"name": "norm0"}},
    ],
    "after": ["relu"],
}

# name: shape of x, the layer as a configuration writes it, in PyTorch
CASES = {
    "conv 1-D": conv(1, 3, 4, 3, [7]),
    "conv 1-D, strided, dilated": conv(1, 3, 2, 3, [12], stride=2, padding=2, dilation=3),
    "conv 2-D": conv(2, 3, 4, 3, [6, 5], padding=1),
    "conv 2-D, no bias, 1x1": conv(2, 3, 4, 1, [4, 5], bias=False),
    "conv 2-D, strided": conv(2, 2, 3, [3, 2], [7, 6], stride=[2, 3], padding=[1, 0]),
    "conv 2-D, dilated": conv(2, 2, 3, 3, [8, 7], dilation=2, padding=1),
    "conv 2-D, depthwise": conv(2, 4, 4, 3, [6, 5], groups=4, padding=1, stride=2),
    "conv 2-D, depthwise, two per channel": conv(2, 3, 6, 3, [5, 5], groups=3),
    "conv 2-D, grouped": conv(2, 4, 6, 3, [5, 6], groups=2, padding=1),
    "conv 3-D": conv(3, 2, 3, 3, [4, 5, 5], padding=1),
    "conv 3-D, strided": conv(3, 2, 2, [1, 3, 3], [3, 6, 7], stride=[1, 2, 2], padding=[0, 1, 1]),
    "conv 3-D, depthwise": conv(3, 3, 3, 2, [3, 4, 5], groups=3),
    "conv 3-D, grouped": conv(3, 4, 2, [2, 3, 1], [3, 4, 3], groups=2),
    "transposed 1-D": conv(1, 3, 2, 4, [5], transposed=True, stride=2, padding=1),
    "transposed 2-D": conv(2, 3, 2, 3, [4, 5], transposed=True, stride=2, padding=1, outputPadding=1),
    "transposed 2-D, grouped, dilated": conv(2, 4, 4, 2, [3, 4], transposed=True, groups=2, dilation=2),
    "transposed 3-D": conv(3, 2, 2, 2, [2, 3, 3], transposed=True, stride=2),
    "batch norm 1-D": ([5, 4], {"batchNorm": {}}, nn.BatchNorm1d(4)),
    "batch norm 2-D": ([2, 3, 4, 5], {"batchNorm": {}}, nn.BatchNorm2d(3)),
    "batch norm 3-D": (
        [2, 3, 2, 3, 4],
        {"batchNorm": {"epsilon": 1e-3, "momentum": 0.3}},
        nn.BatchNorm3d(3, eps=1e-3, momentum=0.3),
    ),
    "layer norm": ([2, 3, 6], {"layerNorm": {}}, nn.LayerNorm(6)),
    "layer norm over two axes": ([2, 3, 6], {"layerNorm": {"axes": 2}}, nn.LayerNorm([3, 6])),
    "group norm": ([2, 6, 3, 4], {"groupNorm": {"groups": 3}}, nn.GroupNorm(3, 6)),
    "group norm 3-D": ([2, 4, 2, 3, 2], {"groupNorm": {"groups": 2}}, nn.GroupNorm(2, 4)),
    "ReLU": ([3, 8], {"relu": {}}, nn.ReLU()),
    "ReLU6": ([3, 8], {"relu6": {}}, nn.ReLU6()),
    "SiLU": ([3, 8], {"silu": {}}, nn.SiLU()),
    "GELU, exact": ([3, 8], {"gelu": {}}, nn.GELU()),
    "GELU, tanh": ([3, 8], {"gelu": {"approximate": "tanh"}}, nn.GELU("tanh")),
    "max pool 1-D": ([2, 2, 9], {"maxPool": {"size": 3, "stride": 2}}, nn.MaxPool1d(3, 2)),
    "max pool 2-D": ([2, 2, 7, 6], {"maxPool": POOL}, nn.MaxPool2d(3, 2, 1)),
    "max pool 3-D": ([1, 2, 4, 5, 4], {"maxPool": {"size": 2}}, nn.MaxPool3d(2)),
    "average pool 2-D": ([2, 2, 7, 6], {"averagePool": {**POOL, "countPadding": True}}, nn.AvgPool2d(3, 2, 1)),
    "average pool 2-D, padding not counted": (
        [2, 2, 7, 6],
        {"averagePool": POOL},
        nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    ),
    "average pool 3-D": ([1, 2, 4, 5, 4], {"averagePool": {"size": 2}}, nn.AvgPool3d(2)),
    "global average pool 2-D": ([2, 3, 4, 5], {"globalAveragePool": {}}, over_space(nn.AdaptiveAvgPool2d(1))),
    "global average pool 3-D": ([2, 3, 2, 3, 2], {"globalAveragePool": {}}, over_space(nn.AdaptiveAvgPool3d(1))),
    "global max pool 2-D": ([2, 3, 4, 5], {"globalMaxPool": {}}, over_space(nn.AdaptiveMaxPool2d(1))),
    "dense": ([3, 5], {"dense": {"units": 4}}, nn.Linear(5, 4)),
    "dense, on tokens, no bias": ([2, 3, 5], {"dense": {"units": 4, "bias": False}}, nn.Linear(5, 4, bias=False)),
    "attention": ([2, 4, 6], {"attention": {"heads": 2}}, Attention(6, 2, batch_first=True)),
    "residual block": ([2, 2, 6, 5], {"residual": RESIDUAL}, Residual()),
    "squeeze-excite": ([2, 6, 3, 4], {"squeezeExcite": {"channels": 2}}, Squeeze()),
    "dropout": ([2, 3, 4], {"dropout": {"ratio": RATIO}}, Dropout()),
}
KINKS = {"relu": [0], "relu6": [0, 6]}
WIDE = {"relu6": 8.0, "silu": 3.0, "gelu": 3.0}  # how far x goes, where 1 isn't enough to see the layer


def fill(module, seed):
    """Weights small enough that sums of them stay around 1; norms get scales and variances that are positive and not 1."""
    for i, (name, parameter) in enumerate(module.named_parameters()):
        parameter.data = numbers(parameter.shape, seed + 2 + i)
    for norm in module.modules():
        if isinstance(norm, nn.modules.batchnorm._BatchNorm | nn.LayerNorm | nn.GroupNorm):
            norm.weight.data = norm.weight.data / 2 + 1
        if isinstance(norm, nn.modules.batchnorm._BatchNorm):
            norm.running_mean = numbers(norm.running_mean.shape, seed + 50)
            norm.running_var = numbers(norm.running_var.shape, seed + 51) / 2 + 1


def distinct(x):
    """x with no two numbers closer than the kink's distance, so that no maximum is a tie."""
    order = torch.argsort(x.flatten())
    ranks = torch.empty_like(order)
    ranks[order] = torch.arange(len(order))
    return ((ranks.double() - len(order) / 2) * 0.02).round(decimals=2).reshape(x.shape)


def run(seed, name, shape, layer, module):
    kind = next(iter(layer))
    module = module.double().train()
    fill(module, seed)
    x = distinct(numbers(shape, seed)) if "Max" in str(module) else numbers(shape, seed, most=WIDE.get(kind, 1.0))
    x = away(x, *KINKS.get(kind, [])).requires_grad_()
    fed = {"x": tensor(x), "parameters": named(kind, state(module))}
    y = module(x)
    dy = numbers(y.shape, seed + 1)
    (dy * y).sum().backward()
    gradients = {key: parameter.grad for key, parameter in module.named_parameters()}
    after = {key: value for key, value in state(module).items() if "running" in key}
    result = {
        "name": name,
        "layers": [layer],
        **fed,
        **({"mask": tensor(MASK)} if kind == "dropout" else {}),
        "dy": tensor(dy),
        "y": tensor(y),
        "gradients": {"x": tensor(x.grad), **named(kind, gradients)},
        **({"after": named(kind, after)} if after else {}),
    }
    check(name, module, x, dy)
    return result


def named(kind, tensors):
    """As the package names a layer's parameters: its kind comes first."""
    return {f"{kind}.{key}": tensor(value) for key, value in tensors.items()}


def check(name, module, x, dy, h=1e-6):
    """PyTorch's gradients against a central difference along one direction: see batchnorm_eval_backward.py."""
    leaves = [x, *module.parameters()]
    directions = [numbers(leaf.shape, 999) for leaf in leaves]
    expected = sum((leaf.grad * direction).sum() for leaf, direction in zip(leaves, directions))
    values = []
    with torch.no_grad():
        for step in (h, -2 * h):
            for leaf, direction in zip(leaves, directions):
                leaf += step * direction
            values.append((dy * module(x)).sum())
    found = (values[0] - values[1]) / (2 * h)
    assert (found - expected).abs() < 1e-7 * (1 + expected.abs()), f"{name}: {found} by differences, {expected} by PyTorch"


def state(module):
    return {key: value for key, value in module.state_dict().items() if not key.endswith("num_batches_tracked")}


if __name__ == "__main__":
    cases = [run(100 * i + 100, name, *case) for i, (name, case) in enumerate(CASES.items())]
    write("layers.json", "layers.py", __doc__.split("\n\n", 2)[2], cases=cases)
