"""The scenes network in PyTorch, and as an ONNX graph whose tensors carry readable names.

image [n, 3, 96, 96] -> features [n, 64, 12, 12] (stride 8) -> logits [n, 8], one per class: a scene holds several.
A global average and a linear head follow the features, so Grad-CAM there equals relu(CAM) / 144: a check anyone can run.
"""

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

SIZE = 96
CLASSES = 8
FEATURES = 64

# The layers that halve have kernel 4 and pad 1: output i sees inputs 2i - 1 … 2i + 2, centred between 2i and 2i + 1, so a
# feature cell is centred on its own 8 x 8 pixels and a map upsampled with half-pixel centres lies on the object. With
# kernel 3 the centre is at 2i, and after three of them every map lies 3.5 pixels too far right and down.
#
# name, input channels, output channels, kernel, stride, adds its own input before the ReLU
LAYERS = [
    ("stem", 3, 16, 4, 2, False),
    ("down1", 16, 32, 4, 2, False),
    ("mix1", 32, 32, 3, 1, True),
    ("down2", 32, 48, 4, 2, False),
    ("mix2", 48, 48, 3, 1, True),
    ("features", 48, FEATURES, 1, 1, False),
]


def padding(kernel):
    return (kernel - 1) // 2


class Layer(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride, residual):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding(kernel), bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.residual = residual

    def forward(self, x):
        y = self.norm(self.conv(x))
        return torch.relu(y + x if self.residual else y)

    def folded(self):
        """Weight and bias of the one convolution that does what conv and norm do in evaluation (in float64)."""
        norm = self.norm
        scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        weight = self.conv.weight.double() * scale[:, None, None, None]
        bias = norm.bias.double() - norm.running_mean.double() * scale
        return weight.detach().numpy().astype(np.float32), bias.detach().numpy().astype(np.float32)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(Layer(*row[1:]) for row in LAYERS)
        self.head = nn.Linear(FEATURES, CLASSES)
        # Only for training; see `forward`.
        self.cell_scale = nn.Parameter(torch.tensor(0.1))
        self.cell_bias = nn.Parameter(torch.full((CLASSES,), -5.0))

    def forward(self, image):
        """Logits [n, classes], and in training a second opinion on them, from single cells.

        The average is content with evidence anywhere: a corner seen from beside the object counts as much as its middle.
        The second opinion asks that some cell alone can tell. A cell's logit is the class map there, times a scale, plus
        a bias; the log-sum-exp over cells is close to "any of them". The cell that sees the whole object does that best,
        and it lies in the object's middle. No mask is used, and the exported file has the average only.
        """
        x = image
        for layer in self.layers:
            x = layer(x)
        logits = self.head(x.mean((2, 3)))
        if not self.training:
            return logits
        maps = torch.einsum("ck,nkhw->nchw", self.head.weight, x)
        return logits, torch.logsumexp(maps.flatten(2) * self.cell_scale, 2) + self.cell_bias


def to_onnx(network, path, producer_version):
    """Writes one file, opset 17, weights inside, batch axis "n". The same weights give the same bytes."""
    nodes, weights = [], []

    def weight(name, value):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    x = "image"
    for (name, _, _, kernel, stride, residual), layer in zip(LAYERS, network.layers):
        kernel_values, bias_values = layer.folded()
        inputs = [x, weight(f"{name}.weight", kernel_values), weight(f"{name}.bias", bias_values)]
        pad = padding(kernel)
        nodes.append(
            helper.make_node(
                "Conv", inputs, [f"{name}.conv"], name=f"/{name}/Conv",
                kernel_shape=[kernel, kernel], strides=[stride, stride], pads=[pad] * 4,
            )
        )
        before_relu = f"{name}.conv"
        if residual:
            before_relu = f"{name}.sum"
            nodes.append(helper.make_node("Add", [f"{name}.conv", x], [before_relu], name=f"/{name}/Add"))
        nodes.append(helper.make_node("Relu", [before_relu], [name], name=f"/{name}/Relu"))
        x = name
    nodes.append(helper.make_node("GlobalAveragePool", [x], ["pooled"], name="/head/GlobalAveragePool"))
    nodes.append(helper.make_node("Flatten", ["pooled"], ["embedding"], name="/head/Flatten", axis=1))
    head = [
        "embedding",
        weight("head.weight", network.head.weight.detach().numpy()),
        weight("head.bias", network.head.bias.detach().numpy()),
    ]
    nodes.append(helper.make_node("Gemm", head, ["logits"], name="/head/Gemm", transB=1))

    graph = helper.make_graph(
        nodes,
        "scenes",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", CLASSES])],
        weights,
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
        producer_name="camkit/scripts/train-scenes",
        producer_version=producer_version,
    )
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
