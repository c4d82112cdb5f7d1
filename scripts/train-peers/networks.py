"""The networks whose training step is measured, what they are fed, and their form as ONNX files that can be trained."""

from dataclasses import dataclass
from typing import Callable

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy


@dataclass(frozen=True)
class Network:
    make: Callable  # () -> nn.Module
    shape: tuple  # of the input batch [N, C, ...space]
    classes: int  # 1: one logit, labels 0 or 1
    optimiser: str  # a key of peers.OPTIMISERS, unless the request names another
    seed: int  # of the batch; see peers.do_agreement

    def loss(self, logits, labels):
        """Mean over the batch. logits [N, classes]; labels [N] class numbers, or [N, 1] zeros and ones for one logit."""
        return (binary_cross_entropy_with_logits if self.classes == 1 else cross_entropy)(logits, labels)


class Cifake(nn.Module):
    """Input 0 … 1 -> two times (convolution 3x3 without padding, 32 filters, ReLU, pooling by 2) -> dense 64 -> one logit.

    84,001 parameters. Source: Bird and Lotfi 2023, arXiv:2303.14126, the network chosen of 36.
    """

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 3)
        self.conv2 = nn.Conv2d(32, 32, 3)
        self.dense1 = nn.Linear(32 * 6 * 6, 64)
        self.dense2 = nn.Linear(64, 1)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.conv1(x)), 2)  # [N, 32, 15, 15]
        x = nn.functional.max_pool2d(torch.relu(self.conv2(x)), 2)  # [N, 32, 6, 6]
        return self.dense2(torch.relu(self.dense1(torch.flatten(x, 1))))


def models():
    """torchvision's models. Imported only where it is used, so that the small network's process doesn't hold it."""
    # A torchvision built for CUDA beside a torch built for the CPU (what PyPI and pytorch.org give) lacks its own operators
    # and fails at import; naming them is enough, since no network here uses them.
    for operator in ("nms", "qnms"):
        try:
            torch.library.define(f"torchvision::{operator}", "(Tensor a, Tensor b, float c) -> Tensor")
        except RuntimeError:
            pass
    import torchvision

    return torchvision.models


NETWORKS = {
    "cifake_32": Network(Cifake, (32, 3, 32, 32), 1, "adam", 3),
    "cifake_128": Network(Cifake, (128, 3, 32, 32), 1, "adam", 3),
    "resnet18": Network(lambda: models().resnet18(weights=None), (16, 3, 64, 64), 1000, "sgd", 5),
    # Dropout is off: its random numbers are each side's own.
    "mobilenet_v2": Network(lambda: models().mobilenet_v2(weights=None, dropout=0.0), (16, 3, 96, 96), 1000, "sgd", 3),
    "r3d_18": Network(lambda: models().video.r3d_18(weights=None), (1, 3, 16, 64, 64), 400, "sgd", 0),
}


def build(name):
    """The network in training form with torchvision's initial weights, the same in every process."""
    torch.manual_seed(sum(map(ord, name)))
    return NETWORKS[name].make().train()


def batch(name):
    """The one batch that is fed in every step: x [N, C, ...space] standard normal, labels as `Network.loss` takes them."""
    network = NETWORKS[name]
    generator = torch.Generator().manual_seed(network.seed)
    x = torch.randn(network.shape, generator=generator)
    n = network.shape[0]
    if network.classes == 1:
        return x, torch.randint(2, (n, 1), generator=generator).float()
    return x, torch.randint(network.classes, (n,), generator=generator)


def export(name, path):
    """Writes the network in inference form, opset 17, batch axis "n", nothing folded; weights keep their PyTorch names.

    Raises ValueError when a weight or a running statistic isn't in the file as it is in the network, or when a batch
    normalisation was folded away: the other side would then train another network.
    """
    import onnx  # here, since it would count as memory of a process that trains

    net = build(name).eval()
    torch.onnx.export(
        net,
        (batch(name)[0],),
        path,
        dynamo=False,
        opset_version=17,
        # With EVAL the exporter folds batch normalisations into the convolutions before them.
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
        input_names=["input"],
        output_names=["logits"],
        dynamic_axes={"input": {0: "n"}, "logits": {0: "n"}},
    )
    model = onnx.load(path)
    unshare(model.graph)
    check(net, model.graph)
    onnx.save(model, path)


def unshare(graph):
    """Gives each parameter its own tensor: the exporter keeps equal ones (fresh norms' zeros) once."""
    held = {tensor.name: tensor for tensor in graph.initializer}
    for node in [node for node in graph.node if node.op_type == "Identity" and node.input[0] in held]:
        graph.initializer.add().CopyFrom(held[node.input[0]])
        graph.initializer[-1].name = node.output[0]
        graph.node.remove(node)


def check(net, graph):
    from onnx import numpy_helper

    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for key, value in state(net).items():
        if key not in held or not np.array_equal(held[key], value.numpy()):
            raise ValueError(f"the exported file doesn't hold {key} as the network does")
    norms = [module for module in net.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    nodes = [node for node in graph.node if node.op_type == "BatchNormalization"]
    if len(nodes) != len(norms) or any(sum(name in held for name in node.input) != 4 for node in nodes):
        raise ValueError(f"{len(norms)} batch normalisations became {len(nodes)} nodes, or lost parameters")


def state(net):
    """Weights and running statistics by name; not the counter of batches, which has no place in ONNX."""
    return {key: value.detach() for key, value in net.state_dict().items() if not key.endswith("num_batches_tracked")}
