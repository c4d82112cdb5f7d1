"""Networks on volumes."""

from __future__ import annotations

import torch
from torch import nn

from case import Case, enliven, photo, pictures, script
from registry import network


def unet(kind: str, **options) -> nn.Module:
    from dynamic_network_architectures.architectures import unet as made

    return getattr(made, kind)(
        input_channels=1, n_stages=4, features_per_stage=[8, 16, 24, 32], conv_op=nn.Conv3d, kernel_sizes=3, strides=[1, 2, 2, 2],
        num_classes=3, n_conv_per_stage_decoder=[1, 1, 1], conv_bias=True, norm_op=nn.InstanceNorm3d,
        norm_op_kwargs={"eps": 1e-5, "affine": True}, nonlin=nn.LeakyReLU, nonlin_kwargs={"inplace": True}, deep_supervision=False,
        **options,
    )


@network("nnU-Net, plain", "dynamic-network-architectures 0.4.4", "nnU-Net's plain U-Net in 3-D: instance norm, transposed convolutions")
def nnunet_plain():
    net = enliven(unet("PlainConvUNet", n_conv_per_stage=[1, 1, 1, 1]), 30)
    return Case(net, pictures("input", 1, 1, 32, 32, 32), "encoder.stages.3")


@network("nnU-Net, residual encoder", "dynamic-network-architectures 0.4.4", "nnU-Net's residual encoder in 3-D")
def nnunet_residual():
    net = enliven(unet("ResidualEncoderUNet", n_blocks_per_stage=[1, 1, 2, 2]), 31)
    return Case(net, pictures("input", 1, 1, 32, 32, 32), "encoder.stages.3")


@network("DenseNet in 3-D", "monai 1.6", "a 3-D DenseNet")
def monai_densenet():
    from monai.networks.nets import DenseNet

    net = DenseNet(spatial_dims=3, in_channels=1, out_channels=4, init_features=8, growth_rate=4, block_config=(2, 2, 2))
    enliven(net, 32, lambda n: n(photo(4, 1, 32, 32, 32)))
    return Case(net, pictures("input", 1, 1, 32, 32, 32), "features")


@network("UNETR", "monai 1.6", "UNETR: a ViT on volumes with a convolutional decoder")
def monai_unetr():
    from monai.networks.nets import UNETR

    net = UNETR(in_channels=1, out_channels=3, img_size=32, feature_size=4, hidden_size=48, mlp_dim=96, num_heads=4, spatial_dims=3)
    enliven(net, 33)
    return Case(net, pictures("input", 1, 1, 32, 32, 32), "vit.norm", "NTC:0:2x2x2", export=script(dynamic=False))
