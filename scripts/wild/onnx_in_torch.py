"""
An ONNX file as a PyTorch module, for the references of files that no PyTorch network stands behind: quantised, optimised and
half-precision ones, and what TensorFlow wrote. Written from ONNX's and ONNX Runtime's definitions, apart from camkit.

Evaluated in the module's own precision (`.double()` for references). Integers on a quantised path are held as floats.
Rounding passes gradients straight through, where the rounded value is within its type's range: as PyTorch's own
`fake_quantize` has it. Scales that follow from the data (DynamicQuantizeLinear) count as constants.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import nn

Tensor = torch.Tensor
ranges = {torch.uint8: (0, 255), torch.int8: (-128, 127), torch.uint16: (0, 65535), torch.int16: (-32768, 32767)}


class Probe(nn.Identity):
    """Stands where a named tensor passes, to be hooked."""


class OnnxNet(nn.Module):
    """`tensor` is the name of the value that passes `probe`. Outputs: a tensor, or a tuple of them."""

    def __init__(self, path: str, tensor: str | None = None):
        super().__init__()
        model = onnx.load(path)
        self.nodes = in_order(model.graph)
        self.functions = {(f.domain, f.name): f for f in model.functions}
        self.inputs = [i.name for i in model.graph.input if i.name not in {t.name for t in model.graph.initializer}]
        self.outputs = [o.name for o in model.graph.output]
        self.opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
        self.tensor = tensor
        self.probe = Probe()
        self.names: dict[str, str] = {}
        for i, t in enumerate(model.graph.initializer):
            self.names[t.name] = f"w{i}"
            self.register_buffer(f"w{i}", torch.from_numpy(np.array(numpy_helper.to_array(t))))
        # Half weights are computed with in single precision at least; `.half()` brings them back.
        self.float()

    def forward(self, *given: Tensor) -> Any:
        values: dict[str, Any] = {name: getattr(self, key) for name, key in self.names.items()}
        values.update(zip(self.inputs, given))
        values[""] = None
        self.real = given[0].dtype
        self.run(self.nodes, values)
        found = tuple(values[name] for name in self.outputs)
        return found[0] if len(found) == 1 else found

    def run(self, nodes: Any, values: dict[str, Any], given: dict[str, Any] | None = None) -> None:
        for node in nodes:
            inputs = [values[name] for name in node.input]
            own = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute if not a.ref_attr_name}
            refer = {a.name: a.ref_attr_name for a in node.attribute if a.ref_attr_name in (given or {})}
            attributes = {**own, **{name: given[of] for name, of in refer.items()}}
            key = f"{node.domain}:{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type
            if (node.domain, node.op_type) in self.functions:
                results = self.call(self.functions[node.domain, node.op_type], inputs, attributes)
            else:
                results = operators[key](Site(self, node, attributes), *inputs)
            for name, value in zip(node.output, results if isinstance(results, tuple) else (results,)):
                values[name] = self.probe(value) if name == self.tensor else value

    def call(self, function: Any, inputs: list[Any], attributes: dict[str, Any]) -> tuple[Any, ...]:
        values = dict(zip(function.input, inputs))
        values[""] = None
        self.run(function.node, values, attributes)
        return tuple(values[name] for name in function.output)


def in_order(graph: Any) -> list[Any]:
    """The nodes, each after those that make what it reads: converters don't always keep to it."""
    made = {t.name for t in graph.initializer} | {i.name for i in graph.input} | {""}
    waiting, sorted_ = list(graph.node), []
    while waiting:
        ready = [n for n in waiting if made.issuperset(n.input)]
        sorted_ += ready
        made.update(o for n in ready for o in n.output)
        taken = {id(n) for n in ready}
        waiting = [n for n in waiting if id(n) not in taken]
        assert ready, f"a cycle, or a value that nothing makes: {waiting[0].input}"
    return sorted_


class Site:
    """A node and its attributes."""

    def __init__(self, net: OnnxNet, node: Any, attributes: dict[str, Any]):
        self.net, self.node, self.attributes = net, node, attributes

    def __call__(self, name: str, otherwise: Any = None) -> Any:
        value = self.attributes.get(name, otherwise)
        return value.decode() if isinstance(value, bytes) else value


def through(real: Tensor, low: int, high: int) -> Tensor:
    """Rounded and saturated; the gradient passes where nothing was saturated."""
    rounded = torch.round(real.data)
    inside = (rounded >= low) & (rounded <= high)
    return torch.where(inside, real + (rounded - real.data), rounded.clamp(low, high))


def per_axis(v: Tensor, x: Tensor, axis: int) -> Tensor:
    return v.reshape([-1 if i == axis % x.dim() else 1 for i in range(x.dim())]) if v.dim() == 1 and v.numel() > 1 else v.reshape(())


def real(n: Site, x: Tensor) -> Tensor:
    return x.to(n.net.real)


def quantize(n: Site, x: Tensor, scale: Tensor, zero: Tensor | None = None, axis: int | None = None) -> Tensor:
    axis = n("axis", 1) if axis is None else axis
    kind = torch.uint8 if zero is None else zero.dtype
    point = per_axis(real(n, zero), x, axis) if zero is not None else 0
    y = through(x / per_axis(real(n, scale), x, axis) + point, *ranges[kind])
    return y


def dequantize(n: Site, x: Tensor, scale: Tensor, zero: Tensor | None = None, axis: int | None = None) -> Tensor:
    axis = n("axis", 1) if axis is None else axis
    shifted = real(n, x) - (per_axis(real(n, zero), x, axis) if zero is not None else 0)
    return shifted * per_axis(real(n, scale), x, axis)


def dynamic_quantize(n: Site, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    low, high = x.data.amin().clamp(max=0), x.data.amax().clamp(min=0)
    scale = (high - low) / 255
    zero = torch.round((0 - low) / scale).clamp(0, 255)
    return through(x / scale + zero, 0, 255), scale, zero.to(torch.uint8)


def minus(n: Site, x: Tensor, zero: Tensor | None, axis: int) -> Tensor:
    return real(n, x) - (per_axis(real(n, zero), x, axis) if zero is not None else 0)


def convolve(n: Site, x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
    x, w, b = real(n, x), real(n, w), None if b is None else real(n, b)
    rank = x.dim() - 2
    strides, dilations = n("strides", [1] * rank), n("dilations", [1] * rank)
    x, pads = padded(n, x, w.shape[2:], strides, dilations, 0.0)
    run = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[rank]
    return run(x, w, b, list(strides), pads, list(dilations), n("group", 1))


def batch_norm(n: Site, x: Tensor, w: Tensor, b: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    scale = real(n, w) / (real(n, variance) + n("epsilon", 1e-5)).sqrt()
    return (x - per_axis(real(n, mean), x, 1)) * per_axis(scale, x, 1) + per_axis(real(n, b), x, 1)


def padded(n: Site, x: Tensor, kernel: Any, strides: Any, dilations: Any, value: float) -> tuple[Tensor, list[int]]:
    """Uneven pads are applied, even ones handed on."""
    rank = len(kernel)
    auto = n("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        total = [max(0, (-(-s // t) - 1) * t + (k - 1) * d + 1 - s) for s, t, k, d in zip(x.shape[2:], strides, kernel, dilations)]
        small, large = [t // 2 for t in total], [t - t // 2 for t in total]
        pads = small + large if auto == "SAME_UPPER" else large + small
    else:
        pads = list(n("pads", [0] * 2 * rank))
    if pads[:rank] == pads[rank:] and value == 0.0:
        return x, pads[:rank]
    return F.pad(x, [p for i in reversed(range(rank)) for p in (pads[i], pads[rank + i])], value=value), [0] * rank


def pool(n: Site, x: Tensor, kind: str) -> Tensor:
    kernel = list(n("kernel_shape"))
    strides = list(n("strides", [1] * len(kernel)))
    x, pads = padded(n, x, kernel, strides, [1] * len(kernel), 0.0 if kind == "avg" else -float("inf"))
    run = getattr(F, f"{kind}_pool{len(kernel)}d")
    extra = {"count_include_pad": bool(n("count_include_pad", 0))} if kind == "avg" else {}
    return run(x, kernel, strides, pads, ceil_mode=bool(n("ceil_mode", 0)), **extra)


def gemm(n: Site, a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
    a, b = (a.T if n("transA", 0) else a), real(n, b.T if n("transB", 0) else b)
    y = n("alpha", 1.0) * (a @ b)
    return y if c is None else y + n("beta", 1.0) * real(n, c)


def axes_of(n: Site, given: Tensor | None) -> list[int] | None:
    axes = n("axes") if given is None else given.tolist()
    return None if axes is None else [int(a) for a in axes]


def reduce(kind: str) -> Callable:
    def run(n: Site, x: Tensor, axes: Tensor | None = None) -> Tensor:
        over = axes_of(n, axes)
        over = list(range(x.dim())) if over is None else over
        return getattr(torch, kind)(x, dim=tuple(over), keepdim=bool(n("keepdims", 1)))

    return run


def reshape(n: Site, x: Tensor, shape: Tensor) -> Tensor:
    return x.reshape([x.shape[i] if s == 0 and not n("allowzero", 0) else s for i, s in enumerate(shape.tolist())])


def slice_(n: Site, x: Tensor, starts: Any = None, ends: Any = None, axes: Any = None, steps: Any = None) -> Tensor:
    starts, ends = (n(k) if v is None else v.tolist() for k, v in (("starts", starts), ("ends", ends)))
    axes = n("axes", list(range(len(starts)))) if axes is None else axes.tolist()
    steps = [1] * len(starts) if steps is None else steps.tolist()
    for start, end, axis, step in zip(starts, ends, axes, steps):
        index = torch.arange(x.shape[axis])[slice(start, end, step) if step > 0 else slice(None)]
        x = x.index_select(axis, index)
    return x


def gather(n: Site, x: Tensor, at: Tensor) -> Tensor:
    axis = n("axis", 0) % x.dim()
    index = torch.where(at < 0, at + x.shape[axis], at)
    return x.index_select(axis, index.reshape(-1)).reshape([*x.shape[:axis], *at.shape, *x.shape[axis + 1 :]])


def split(n: Site, x: Tensor, sizes: Tensor | None = None) -> tuple[Tensor, ...]:
    axis = n("axis", 0)
    given = n("split") if sizes is None else sizes.tolist()
    return tuple(torch.split(x, given or x.shape[axis] // len(n.node.output), axis))


def layer_norm(n: Site, x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
    axis = n("axis", -1) % x.dim()
    return F.layer_norm(x, x.shape[axis:], real(n, w), None if b is None else real(n, b), n("epsilon", 1e-5))


def skip_layer_norm(n: Site, x: Tensor, skip: Tensor, w: Tensor, b: Any = None, bias: Any = None) -> tuple[Tensor, ...]:
    s = x + skip + (0 if bias is None else real(n, bias))
    y = F.layer_norm(s, s.shape[-1:], real(n, w), None if b is None else real(n, b), n("epsilon", 1e-12))
    return y, None, None, s


def attention(n: Site, x: Tensor, w: Tensor, b: Tensor | None = None, *rest: Any) -> Tensor:
    heads = n("num_heads")
    qkv = x @ real(n, w) + (0 if b is None else real(n, b))
    q, k, v = (t.reshape(*t.shape[:2], heads, -1).transpose(1, 2) for t in qkv.chunk(3, -1))
    scale = n("scale", 0.0) or q.shape[-1] ** -0.5
    y = torch.softmax(q @ k.transpose(-1, -2) * scale, -1) @ v
    return y.transpose(1, 2).reshape(x.shape[0], x.shape[1], -1)


def multi_head_attention(n: Site, q: Tensor, k: Tensor, v: Tensor, b: Any = None, *rest: Any) -> Tensor:
    heads = n("num_heads")
    if b is not None:
        q, k, v = (t + real(n, part) for t, part in zip((q, k, v), b.chunk(3)))
    q, k, v = (t.reshape(*t.shape[:2], heads, -1).transpose(1, 2) for t in (q, k, v))
    y = torch.softmax(q @ k.transpose(-1, -2) * (n("scale", 0.0) or q.shape[-1] ** -0.5), -1) @ v
    return y.transpose(1, 2).reshape(y.shape[0], y.shape[2], -1)


def matmul_nbits(n: Site, x: Tensor, packed: Tensor, scales: Tensor, zeros: Tensor | None = None, *rest: Any) -> Tensor:
    """Blocks of 4-bit numbers, two in a byte, the lower first; without zero points the middle is 8."""
    rows, depth, block = n("N"), n("K"), n("block_size")
    nibbles = torch.stack([packed & 15, packed >> 4], -1).reshape(rows, -1, block)
    if zeros is None:
        zero: Any = 8.0
    else:
        zero = torch.stack([zeros & 15, zeros >> 4], -1).reshape(rows, -1)[:, : nibbles.shape[1]].unsqueeze(-1).to(n.net.real)
    w = (nibbles.to(n.net.real) - zero) * real(n, scales).reshape(rows, -1, 1)
    return x @ w.reshape(rows, -1)[:, :depth].T


def activation(n: Site, x: Tensor) -> Tensor:
    kind, params = n("activation", ""), n("activation_params", [])
    table = {
        "": lambda: x,
        "Relu": lambda: F.relu(x),
        "Clip": lambda: x.clamp(*params),
        "Sigmoid": lambda: x.sigmoid(),
        "Tanh": lambda: x.tanh(),
        "LeakyRelu": lambda: F.leaky_relu(x, params[0]),
        "HardSigmoid": lambda: (params[0] * x + params[1]).clamp(0, 1),
    }
    return table[kind]()


def fused_conv(n: Site, x: Tensor, w: Tensor, b: Any = None, z: Any = None) -> Tensor:
    y = convolve(n, x, w, b)
    return activation(n, y if z is None else y + z)


def fused_matmul(n: Site, a: Tensor, b: Tensor) -> Tensor:
    a = a.transpose(-1, -2) if n("transA", 0) else a
    b = b.transpose(-1, -2) if n("transB", 0) else b
    return n("alpha", 1.0) * (a @ real(n, b))


def clip(n: Site, x: Tensor, low: Any = None, high: Any = None) -> Tensor:
    low, high = n("min") if low is None else low, n("max") if high is None else high
    return x.clamp(None if low is None else float(low), None if high is None else float(high))


def cast(n: Site, x: Tensor) -> Tensor:
    to = n("to")
    if to in (1, 10, 11):
        return x.to(n.net.real)
    return x.to({2: torch.uint8, 3: torch.int8, 6: torch.int32, 7: torch.int64, 9: torch.bool}[to])


def constant(n: Site) -> Tensor:
    (name, value), *_ = n.attributes.items()
    if name == "value":
        t = torch.from_numpy(np.array(numpy_helper.to_array(value)))
    else:
        t = torch.tensor(value)
    return real(n, t) if t.is_floating_point() else t


def resize(n: Site, x: Tensor, roi: Any = None, scales: Any = None, sizes: Any = None) -> Tensor:
    size = sizes.tolist()[2:] if sizes is not None and sizes.numel() else [int(s * f) for s, f in zip(x.shape[2:], scales.tolist()[2:])]
    mode = n("mode", "nearest")
    if mode == "nearest":
        assert n("coordinate_transformation_mode", "half_pixel") == "asymmetric"
        return F.interpolate(x, size=size, mode="nearest")
    aligned = n("coordinate_transformation_mode", "half_pixel") == "align_corners"
    return F.interpolate(x, size=size, mode={"linear": "bilinear"}[mode], align_corners=aligned)


def qlinear_conv(n: Site, x, xs, xz, w, ws, wz, ys, yz, b=None) -> Tensor:
    y = convolve(n, dequantize(n, x, xs, xz, 1), dequantize(n, w, ws, wz, 0))
    if b is not None:
        y = y + per_axis(real(n, b) * real(n, xs) * real(n, ws), y, 1)
    return quantize(n, y, ys, yz, 1)


def qlinear(run: Callable) -> Callable:
    """Two operands, each with scale and zero point, then those of the result."""

    def both(n: Site, a, sa, za, b, sb, zb, sy, zy) -> Tensor:
        return quantize(n, run(dequantize(n, a, sa, za, -1), dequantize(n, b, sb, zb, -1)), sy, zy, 1)

    return both


def qgemm(n: Site, a, sa, za, b, sb, zb, c=None, sy=None, zy=None) -> Tensor:
    left, right = dequantize(n, a, sa, za, 1), dequantize(n, b, sb, zb, 0 if n("transB", 0) else 1)
    y = n("alpha", 1.0) * ((left.T if n("transA", 0) else left) @ (right.T if n("transB", 0) else right))
    if c is not None:
        y = y + real(n, c) * real(n, sa) * real(n, sb) * n("alpha", 1.0)
    return y if sy is None else quantize(n, y, sy, zy, 1)


def qpool(n: Site, x, sx, zx, sy, zy) -> Tensor:
    y = dequantize(n, x, sx, zx, 1)
    over = tuple(range(1, x.dim() - 1)) if n("channels_last", 0) else tuple(range(2, x.dim()))
    return quantize(n, y.mean(over, keepdim=True), sy, zy, 1)


def qconcat(n: Site, sy, zy, *rest) -> Tensor:
    parts = [dequantize(n, *rest[i : i + 3], 1) for i in range(0, len(rest), 3)]
    return quantize(n, torch.cat(parts, n("axis")), sy, zy, 1)


def unary(run: Callable) -> Callable:
    return lambda n, x: run(x)


def binary(run: Callable) -> Callable:
    def both(n: Site, a: Tensor, b: Tensor) -> Tensor:
        if a.is_floating_point() != b.is_floating_point():
            a, b = real(n, a), real(n, b)
        return run(a, b)

    return both


def gelu(x: Tensor) -> Tensor:
    return F.gelu(x)


def softmax(run: Callable) -> Callable:
    def both(n: Site, x: Tensor) -> Tensor:
        if n.net.opset >= 13:
            return run(x, n("axis", -1))
        axis = n("axis", 1) % x.dim()
        return run(x.reshape(*x.shape[:axis], -1), axis).reshape(x.shape)

    return both


def squeeze(n: Site, x: Tensor, axes: Any = None) -> Tensor:
    over = axes_of(n, axes)
    return x.squeeze() if over is None else x.squeeze(tuple(over))


def unsqueeze(n: Site, x: Tensor, axes: Any = None) -> Tensor:
    over = axes_of(n, axes) or []
    for axis in sorted(a % (x.dim() + len(over)) for a in over):
        x = x.unsqueeze(axis)
    return x


def matmul(n: Site, a: Tensor, b: Tensor) -> Tensor:
    return real(n, a) @ real(n, b)


operators: dict[str, Callable] = {
    "Constant": constant,
    "Identity": unary(lambda x: x),
    "Dropout": lambda n, x, *rest: x,
    "Cast": cast,
    "Shape": unary(lambda x: torch.tensor(x.shape)),
    "ConstantOfShape": lambda n, s: torch.full(s.tolist(), float(numpy_helper.to_array(n("value"))[0]) if n("value") else 0.0, dtype=n.net.real),
    "Conv": convolve,
    "BatchNormalization": batch_norm,
    "MaxPool": lambda n, x: pool(n, x, "max"),
    "AveragePool": lambda n, x: pool(n, x, "avg"),
    "GlobalAveragePool": unary(lambda x: x.mean(tuple(range(2, x.dim())), keepdim=True)),
    "GlobalMaxPool": unary(lambda x: x.amax(tuple(range(2, x.dim())), keepdim=True)),
    "Gemm": gemm,
    "MatMul": matmul,
    "Add": binary(torch.add),
    "Sub": binary(torch.sub),
    "Mul": binary(torch.mul),
    "Div": binary(lambda a, b: a / b if a.is_floating_point() else torch.div(a, b, rounding_mode="trunc")),
    "Pow": binary(torch.pow),
    "Max": binary(torch.maximum),
    "Min": binary(torch.minimum),
    "Equal": binary(torch.eq),
    "Where": lambda n, c, a, b: torch.where(c, a, b),
    "Sqrt": unary(torch.sqrt),
    "Reciprocal": unary(torch.reciprocal),
    "Exp": unary(torch.exp),
    "Erf": unary(torch.erf),
    "Tanh": unary(torch.tanh),
    "Sigmoid": unary(torch.sigmoid),
    "Relu": unary(F.relu),
    "LeakyRelu": lambda n, x: F.leaky_relu(x, n("alpha", 0.01)),
    "Gelu": unary(gelu),
    "HardSwish": unary(F.hardswish),
    "HardSigmoid": lambda n, x: (n("alpha", 0.2) * x + n("beta", 0.5)).clamp(0, 1),
    "Clip": clip,
    "Softmax": softmax(torch.softmax),
    "LogSoftmax": softmax(torch.log_softmax),
    "LayerNormalization": layer_norm,
    "ReduceMean": reduce("mean"),
    "ReduceSum": reduce("sum"),
    "ReduceMax": reduce("amax"),
    "Flatten": lambda n, x: x.reshape(int(np.prod(x.shape[: n("axis", 1)])), -1),
    "Reshape": reshape,
    "Transpose": lambda n, x: x.permute(n("perm", list(reversed(range(x.dim()))))),
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Expand": lambda n, x, s: x.expand(torch.broadcast_shapes(x.shape, tuple(s.tolist()))),
    "Concat": lambda n, *x: torch.cat([t for t in x], n("axis")),
    "Slice": slice_,
    "Split": split,
    "Gather": gather,
    "Pad": lambda n, x, p, v=None, *rest: F.pad(
        x, [q for i in reversed(range(x.dim())) for q in (int(p[i]), int(p[x.dim() + i]))], value=0.0 if v is None else float(v)
    ),
    "Resize": resize,
    "QuantizeLinear": quantize,
    "DequantizeLinear": dequantize,
    "DynamicQuantizeLinear": dynamic_quantize,
    "MatMulInteger": lambda n, a, b, za=None, zb=None: minus(n, a, za, -2) @ minus(n, b, zb, -1),
    "ConvInteger": lambda n, x, w, zx=None, zw=None: convolve(n, minus(n, x, zx, 1), minus(n, w, zw, 0)),
    "QLinearConv": qlinear_conv,
    "QLinearMatMul": qlinear(torch.matmul),
    "com.microsoft:QLinearAdd": qlinear(torch.add),
    "com.microsoft:QLinearMul": qlinear(torch.mul),
    "com.microsoft:QLinearGlobalAveragePool": qpool,
    "com.microsoft:QLinearConcat": qconcat,
    "com.microsoft:QGemm": qgemm,
    "com.microsoft:QuantizeLinear": quantize,
    "com.microsoft:DequantizeLinear": dequantize,
    "com.microsoft:MatMulNBits": matmul_nbits,
    "com.microsoft:FusedConv": fused_conv,
    "com.microsoft:FusedMatMul": fused_matmul,
    "com.microsoft:Gelu": unary(gelu),
    "com.microsoft:FastGelu": lambda n, x, b=None: F.gelu(x if b is None else x + real(n, b), approximate="tanh"),
    "com.microsoft:BiasGelu": lambda n, x, b: F.gelu(x + real(n, b)),
    "com.microsoft:QuickGelu": lambda n, x: x * torch.sigmoid(n("alpha", 1.702) * x),
    "com.microsoft:SkipLayerNormalization": skip_layer_norm,
    "com.microsoft:Attention": attention,
    "com.microsoft:MultiHeadAttention": multi_head_attention,
}
