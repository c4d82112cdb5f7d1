"""Gradients by PyTorch's autograd in float64, for operators that finite differences alone would check: autograd.json.

pip install torch==2.13 numpy; python autograd.py. Deformable convolution and RoiAlign are written out point by point, as
their papers define them. A case is an operator with its attributes and inputs as ONNX
has them, the cotangents of its outputs, and the gradients of some inputs by position.
"""
import json
import os

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
CASES = []


def leaf(*shape):
    return (torch.rand(*shape) * 2 - 1).requires_grad_()


def packed(tensor):
    array = tensor.detach().numpy() if isinstance(tensor, torch.Tensor) else np.asarray(tensor)
    kind = "float32" if array.dtype == np.float64 else str(array.dtype)
    return {"dtype": kind, "shape": list(array.shape), "data": [float(f"{v:.7g}") for v in array.ravel().tolist()]}


def case(op, inputs, outputs, gradients, attributes=None, opset=18):
    """gradients: input position -> the tensor that PyTorch differentiates, and how its gradient is laid out in ONNX."""
    cotangents = [torch.rand_like(output) - 0.5 for output in outputs]
    loss = sum((output * cotangent).sum() for output, cotangent in zip(outputs, cotangents))
    leaves = [(at, tensors, lay) for at, (tensors, lay) in gradients.items()]
    flat = [tensor for _, tensors, _ in leaves for tensor in tensors]
    found = iter(torch.autograd.grad(loss, flat, retain_graph=True))
    CASES.append(
        dict(
            op=op,
            opset=opset,
            attributes=attributes or {},
            inputs=[None if given is None else packed(given) for given in inputs],
            cotangents=[packed(cotangent) for cotangent in cotangents],
            outputs=[packed(output) for output in outputs],
            gradients={at: packed(lay(*[next(found) for _ in tensors])) for at, tensors, lay in leaves},
        )
    )


def same(value):
    return value


def recurrent(op, module, order, width, hidden, lengths):
    """PyTorch's gates in ONNX's order; both directions, biases and initial states; sequences of several lengths."""
    steps, batch = max(lengths), len(lengths)
    x = leaf(steps, batch, width)
    states = [leaf(2, batch, hidden) for _ in range(2 if op == "LSTM" else 1)]
    gates = len(order)

    def laid(*rows):
        return torch.stack([torch.cat([row.chunk(gates)[i] for i in order]) for row in rows])

    def parameters(name):
        return [getattr(module, f"{name}_l0{suffix}") for suffix in ("", "_reverse")]

    w, r, wb, rb = (parameters(f"{kind}_{side}") for kind in ("weight", "bias") for side in ("ih", "hh"))
    sequence = pack_padded_sequence(x, lengths, enforce_sorted=False)
    y, last = module(sequence, tuple(states) if op == "LSTM" else states[0])
    y, _ = pad_packed_sequence(y, total_length=steps)
    y = y.reshape(steps, batch, 2, hidden).transpose(1, 2)
    outputs = [y, *(last if op == "LSTM" else [last])]
    bias = lambda *rows: torch.cat([laid(*rows[:2]), laid(*rows[2:])], 1)
    inputs = [x, laid(*w), laid(*r), bias(*wb, *rb), np.array(lengths, dtype=np.int32), *states]
    gradients = {0: ([x], same), 1: (w, laid), 2: (r, laid), 3: (wb + rb, bias), 5: ([states[0]], same)}
    if op == "LSTM":
        gradients[6] = ([states[1]], same)
    attributes = dict(hidden_size=hidden, direction="bidirectional")
    if op == "GRU":
        attributes["linear_before_reset"] = 1
    case(op, inputs, outputs, gradients, attributes)


recurrent("LSTM", torch.nn.LSTM(2, 3, bidirectional=True), [0, 3, 1, 2], 2, 3, [2, 4])
recurrent("GRU", torch.nn.GRU(2, 3, bidirectional=True), [1, 0, 2], 2, 3, [2, 4])
recurrent("RNN", torch.nn.RNN(2, 3, bidirectional=True), [0], 2, 3, [4, 1])



def read(image, y, x):
    """[C, H, W] between its pixels, 0 outside."""
    total = 0
    for row in (torch.floor(y), torch.floor(y) + 1):
        for column in (torch.floor(x), torch.floor(x) + 1):
            if 0 <= row < image.shape[1] and 0 <= column < image.shape[2]:
                near = (1 - (y - row.detach()).abs()) * (1 - (x - column.detach()).abs())
                total = total + near * image[:, int(row), int(column)]
    return total


def deformed(x, w, offset, b, mask, stride, pad, dilation, groups, offset_groups):
    n, c, m = x.shape[0], x.shape[1], w.shape[0]
    kh, kw = w.shape[2:]
    result = []
    for image in range(n):
        for row in range(offset.shape[2]):
            for column in range(offset.shape[3]):
                total = b.clone()
                for tap in range(kh * kw):
                    seen = []
                    for group in range(offset_groups):
                        at = group * kh * kw + tap
                        down, right = offset[image, 2 * at, row, column], offset[image, 2 * at + 1, row, column]
                        y = row * stride[0] - pad[0] + tap // kw * dilation[0] + down
                        z = column * stride[1] - pad[1] + tap % kw * dilation[1] + right
                        own = x[image, group * c // offset_groups : (group + 1) * c // offset_groups]
                        seen.append((read(own, y, z) + torch.zeros(own.shape[0])) * mask[image, at, row, column])
                    seen = torch.cat(seen).chunk(groups)
                    weights = w[:, :, tap // kw, tap % kw].chunk(groups)
                    total = total + torch.cat([weight @ value for weight, value in zip(weights, seen)])
                result.append(total)
    return torch.stack(result).reshape(n, *offset.shape[2:], m).permute(0, 3, 1, 2)


def aligned_regions(x, boxes, images, size, scale, ratio, half):
    result = []
    for box, image in zip(boxes, images):
        left, top, right, bottom = (box * scale - (0.5 if half else 0)).tolist()
        width, height = right - left, bottom - top
        if not half:
            width, height = max(width, 1), max(height, 1)
        cell = (height / size[0], width / size[1])
        points = [ratio or max(int(np.ceil(extent)), 1) for extent in cell]
        for row in range(size[0]):
            for column in range(size[1]):
                total = torch.zeros(x.shape[1])
                for i in range(points[0]):
                    for j in range(points[1]):
                        y = top + (row + (i + 0.5) / points[0]) * cell[0]
                        z = left + (column + (j + 0.5) / points[1]) * cell[1]
                        if -1 <= y <= x.shape[2] and -1 <= z <= x.shape[3]:
                            place = [min(max(v, 0), x.shape[a] - 1) for v, a in ((y, 2), (z, 3))]
                            total = total + read(x[image], *(torch.tensor(v) for v in place))
                result.append(total / (points[0] * points[1]))
    return torch.stack(result).reshape(len(boxes), *size, -1).permute(0, 3, 1, 2)


x, w, b = leaf(1, 4, 4, 3), leaf(4, 2, 2, 3), leaf(4)
offset, mask = leaf(1, 2 * 2 * 6, 2, 3), leaf(1, 2 * 6, 2, 3)
y = deformed(x, w, offset, b, mask, (2, 2), (0, 2), (1, 1), 2, 2)
case("DeformConv", [x, w, offset, b, mask], [y], {i: ([t], same) for i, t in enumerate([x, w, offset, b, mask])},
     dict(group=2, offset_group=2, strides=[2, 2], pads=[0, 2, 0, 2], dilations=[1, 1]), 19)

x = leaf(2, 2, 6, 5)
boxes = torch.tensor([[0.5, 1, 4.2, 5.5], [1.3, 0.2, 2.1, 6.8], [3, 2, 8, 4.5]])
images = np.array([0, 1, 0])
for aligned, ratio, scale in ((True, 2, 1.0), (False, 0, 0.75)):
    y = aligned_regions(x, boxes, images, (2, 3), scale, ratio, aligned)
    case("RoiAlign", [x, boxes, images], [y], {0: ([x], same)},
         dict(output_height=2, output_width=3, sampling_ratio=ratio, spatial_scale={"float": scale},
              coordinate_transformation_mode="half_pixel" if aligned else "output_half_pixel"))

x = leaf(1, 2 * 6, 6)
y = torch.nn.functional.fold(x, (5, 6), (2, 3), dilation=(2, 1), padding=(1, 0), stride=(2, 2))
case("Col2Im", [x, np.array([5, 6]), np.array([2, 3])], [y], {0: ([x], same)},
     dict(strides=[2, 2], pads=[1, 0, 1, 0], dilations=[2, 1]))

x, angles = leaf(2, 3, 4, 6), torch.rand(4, 3) * 6
first, second = x.chunk(2, -1)
y = torch.cat([first * angles.cos() - second * angles.sin(), first * angles.sin() + second * angles.cos()], -1)
positions = np.tile(np.arange(4), (2, 1))
case("RotaryEmbedding", [x, angles.cos(), angles.sin(), positions], [y], {0: ([x], same)}, opset=23)
case("com.microsoft:RotaryEmbedding", [x, positions, angles.cos(), angles.sin()], [y], {0: ([x], same)})

x, window = leaf(2, 16), torch.hann_window(6)
y = torch.view_as_real(torch.stft(x, 6, 3, window=window, center=False, return_complex=True)).transpose(1, 2)
case("STFT", [x[..., None], np.array(3), window], [y], {0: ([x], lambda g: g[..., None])})
x = leaf(2, 5, 2)
y = torch.fft.irfft(torch.view_as_complex(x), n=9, dim=1)[..., None]
case("DFT", [x, np.array(9)], [y], {0: ([x], same)}, dict(inverse=1, onesided=1), 20)

x = leaf(2, 4, 4)
case("Det", [x], [torch.linalg.det(x)], {0: ([x], same)})

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "autograd.json"), "w") as file:
    head = {"program": "PyTorch", "version": torch.__version__}
    file.write(json.dumps(head)[:-1] + ', "cases": [\n' + ",\n".join(json.dumps(one, separators=(",", ":")) for one in CASES) + "\n]}\n")
