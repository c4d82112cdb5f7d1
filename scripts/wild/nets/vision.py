"""Classifiers of pictures, as timm, torchvision and transformers make them."""

from __future__ import annotations

import timm
import torch
import torchvision
from torch import nn

from case import Case, dynamo, enliven, photo, pictures, script
from registry import network


class Logits(nn.Module):
    """A transformers model that answers with one tensor."""

    def __init__(self, model: nn.Module, pick: str = "logits"):
        super().__init__()
        self.model, self.pick = model, pick

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return getattr(self.model(*inputs), self.pick)


def mobilenet(size: int = 96) -> Case:
    net = torchvision.models.mobilenet_v2(weights=None, width_mult=0.5, num_classes=100)
    enliven(net, 1, lambda n: n(photo(16, 3, size, size)))
    return Case(net, pictures("input", 1, 3, size, size), "features")


@network("MobileNetV2", "torchvision 0.28", "float32: what the quantised and float16 files are made of")
def mobilenet_v2():
    return mobilenet()


@network("ConvNeXt V2 (timm)", "timm 1.0.22", "global response normalisation, depthwise 7 x 7")
def convnextv2_atto():
    net = enliven(timm.create_model("convnextv2_atto", pretrained=False, num_classes=100), 2)
    return Case(net, pictures("input", 1, 3, 96, 96), "stages")


@network("ConvNeXt V2 (transformers)", "transformers 4.57", "ConvNeXt V2 as transformers has it, dynamo exporter")
def convnextv2_hf():
    from transformers import ConvNextV2Config, ConvNextV2ForImageClassification

    config = ConvNextV2Config(hidden_sizes=[16, 32, 64, 96], depths=[1, 1, 2, 1], num_labels=20)
    net = enliven(Logits(ConvNextV2ForImageClassification(config)), 3)
    return Case(net, pictures("pixel_values", 1, 3, 96, 96), "model.convnextv2.encoder", export=dynamo(), pick=lambda o: o[0])


@network("Swin V2", "timm 1.0.22", "windows with continuous relative positions, cosine attention")
def swinv2_tiny():
    net = timm.create_model(
        "swinv2_tiny_window8_256", pretrained=False, img_size=64, window_size=4, embed_dim=24, num_heads=(1, 2, 4, 8), num_classes=50
    )
    enliven(net, 4)
    return Case(net, pictures("input", 1, 3, 64, 64), "layers.3", "NHWC", export=script(dynamic=False))


@network("Swin-T", "torchvision 0.28", "shifted windows on NHWC values")
def swin_t():
    net = torchvision.models.swin_t(weights=None, num_classes=50)
    enliven(net, 5)
    return Case(net, pictures("input", 1, 3, 96, 96), "features.7.1.norm1", "NHWC")


@network("ViT, packed attention", "torchvision 0.28", "one projection for queries, keys and values; heads and a free batch on one axis")
def vit_packed():
    net = torchvision.models.VisionTransformer(
        image_size=64, patch_size=16, num_layers=3, num_heads=4, hidden_dim=64, mlp_dim=128, num_classes=50
    )
    enliven(net, 90)
    return Case(net, pictures("input", 1, 3, 64, 64), "encoder.layers.encoder_layer_2.ln_1", "NTC:1")


@network("Hiera", "timm 1.0.22", "hierarchical ViT, pooled attention between stages")
def hiera_tiny():
    net = timm.create_model("hiera_tiny_224", pretrained=False, img_size=(96, 96), embed_dim=48, num_classes=50)
    enliven(net, 6)
    # Tokens come in the order of windows, so that one is a run of them; behind the last pooling that is the rows' again.
    return Case(net, pictures("input", 1, 3, 96, 96), "blocks.11", "NTC:0", export=script(dynamic=False))


@network("PVT v2", "timm 1.0.22", "pyramid vision transformer with convolutions in its MLPs")
def pvt_v2_b0():
    net = enliven(timm.create_model("pvt_v2_b0", pretrained=False, num_classes=50), 7)
    return Case(net, pictures("input", 1, 3, 96, 96), "stages.3")


@network("MobileViT", "timm 1.0.22", "convolutions and unfolded attention in turn")
def mobilevit_xxs():
    net = timm.create_model("mobilevit_xxs", pretrained=False, num_classes=50)
    enliven(net, 8, lambda n: n(photo(8, 3, 128, 128)))
    return Case(net, pictures("input", 1, 3, 128, 128), "final_conv", export=script(dynamic=False))


@network("MaxViT", "timm 1.0.22", "windows and grids in turn (MaxViT)")
def maxvit_pico():
    net = timm.create_model("maxvit_rmlp_pico_rw_256", pretrained=False, img_size=64, num_classes=50)
    enliven(net, 9, lambda n: n(photo(8, 3, 64, 64)))
    return Case(net, pictures("input", 1, 3, 64, 64), "stages.3", export=script(dynamic=False))


@network("SegFormer, segmentation", "transformers 4.57", "a hierarchical encoder and a dense head")
def segformer():
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    config = SegformerConfig(
        hidden_sizes=[16, 32, 40, 64], depths=[1, 1, 1, 1], decoder_hidden_size=64, num_labels=6, num_attention_heads=[1, 2, 4, 4]
    )
    net = Logits(SegformerForSemanticSegmentation(config))
    enliven(net, 10, lambda n: n(photo(8, 3, 96, 96)))
    return Case(net, pictures("pixel_values", 1, 3, 96, 96), "model.decode_head.activation")


def frozen(net: nn.Module, size: int) -> nn.Module:
    return enliven(net, 11, lambda n: n(photo(16, 3, size, size)))


@network("GoogLeNet, opset 11", "torchvision 0.28", "inception: pools beside convolutions, concatenated")
def googlenet():
    net = frozen(torchvision.models.googlenet(weights=None, num_classes=30, aux_logits=False, init_weights=False), 96)
    return Case(net, pictures("input", 1, 3, 96, 96), "inception5b", export=script(11))


@network("ResNet-18, opset 9", "torchvision 0.28", "opset 9 (PyTorch's oldest exporter form)", name="resnet18_opset9")
def resnet18_opset9():
    net = frozen(torchvision.models.resnet18(weights=None, num_classes=30), 96)
    return Case(net, pictures("input", 1, 3, 96, 96), "layer4", export=script(9))


@network("LR-ASPP segmentation, opset 11", "torchvision 0.28", "opset 11, bilinear Resize, dense output", name="lraspp_opset11")
def lraspp_opset11():
    class Dense(nn.Module):
        def __init__(self):
            super().__init__()
            self.m = torchvision.models.segmentation.lraspp_mobilenet_v3_large(
                weights=None, weights_backbone=None, num_classes=5
            )

        def forward(self, x):
            return self.m(x)["out"]

    net = frozen(Dense(), 96)
    return Case(net, pictures("input", 1, 3, 96, 96), "m.classifier.cbr", export=script(11))


@network("RegNet, external data", "torchvision 0.28", "dynamo exporter, external data, local functions kept where it makes any")
def regnet_external():
    net = frozen(torchvision.models.regnet_y_400mf(weights=None, num_classes=30), 96)
    return Case(net, pictures("input", 1, 3, 96, 96), "trunk_output", export=dynamo(external_data=True))
