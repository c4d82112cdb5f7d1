"""The networks that are measured, each cut at the layer whose activations Grad-CAM reads."""

import copy
from dataclasses import dataclass
from typing import Callable

import torch

# A torchvision built for CUDA beside a torch built for the CPU (what PyPI and pytorch.org give) lacks its own operators and
# fails at import; naming them is enough, since no network here uses them.
for operator in ("nms", "qnms"):
    try:
        torch.library.define(f"torchvision::{operator}", "(Tensor a, Tensor b, float c) -> Tensor")
    except RuntimeError:
        pass
import torchvision  # noqa: E402


@dataclass
class Cut:
    """`trunk` gives the activations A and what else the head needs; `head` goes from there to the logits."""

    make: Callable
    trunk: Callable  # (net, x) -> (A, rest)
    head: Callable  # (net, A, rest) -> logits
    layer: Callable  # net -> the module whose output is A, for pytorch-grad-cam
    tokens: bool = False  # A is [N, 1 + h * w, K] with the class token first, not [N, K, h, w]


def resnet_trunk(net, x):
    x = net.maxpool(net.relu(net.bn1(net.conv1(x))))
    return net.layer4(net.layer3(net.layer2(net.layer1(x)))), None


def pooled(net, features):
    return torch.flatten(torch.nn.functional.adaptive_avg_pool2d(features, 1), 1)


def vit_trunk(net, x):
    x = net._process_input(x)
    x = torch.cat([net.class_token.expand(x.shape[0], -1, -1), x], dim=1) + net.encoder.pos_embedding
    for block in net.encoder.layers[:-1]:
        x = block(x)
    return net.encoder.layers[-1].ln_1(x), x


def vit_head(net, a, x):
    block = net.encoder.layers[-1]
    x = x + block.self_attention(a, a, a, need_weights=False)[0]
    x = x + block.mlp(block.ln_2(x))
    return net.heads(net.encoder.ln(x)[:, 0])


def features_of(make):
    """MobileNetV2 and EfficientNet: features, global average pooling, classifier."""
    return Cut(
        make=make,
        trunk=lambda net, x: (net.features(x), None),
        head=lambda net, a, _: net.classifier(pooled(net, a)),
        layer=lambda net: net.features,
    )


NETWORKS = {
    "resnet50": Cut(
        make=torchvision.models.resnet50,
        trunk=resnet_trunk,
        head=lambda net, a, _: net.fc(pooled(net, a)),
        layer=lambda net: net.layer4,
    ),
    "mobilenet_v2": features_of(torchvision.models.mobilenet_v2),
    "efficientnet_b0": features_of(torchvision.models.efficientnet_b0),
    "vit_b_16": Cut(
        make=torchvision.models.vit_b_16,
        trunk=vit_trunk,
        head=vit_head,
        layer=lambda net: net.encoder.layers[-1].ln_1,
        tokens=True,
    ),
    "swin_t": Cut(
        make=torchvision.models.swin_t,
        trunk=lambda net, x: (net.permute(net.norm(net.features(x))), None),
        head=lambda net, a, _: net.head(pooled(net, a)),
        layer=lambda net: net.permute,
    ),
}


def build(name):
    """Random weights, the same in every process; normalisations and a zero head are given something to do."""
    torch.manual_seed(sum(map(ord, name)))
    net = NETWORKS[name].make(weights=None).eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
        if isinstance(module, torch.nn.Linear) and module.weight.data.abs().max() == 0:
            module.weight.data.normal_(0, 0.02)
    return net


def frozen(net):
    """A copy whose parameters ask for no gradient."""
    return copy.deepcopy(net).requires_grad_(False)
