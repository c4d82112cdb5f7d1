"""Vision transformers, CLIP, SAM, video, in small configurations."""

from __future__ import annotations

import torch
from torch import nn

from case import Case, clips, dynamo, enliven, photo, pictures, script
from nets.vision import Logits
from registry import model, network


def vit(layers: int = 4, hidden: int = 64, heads: int = 4, **options) -> nn.Module:
    from transformers import ViTConfig, ViTForImageClassification

    config = ViTConfig(
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=hidden * 4,
        image_size=96,
        patch_size=16,
        num_labels=20,
        attn_implementation="eager",
        **options,
    )
    return enliven(Logits(ViTForImageClassification(config)), 20)


def vit_case(**options) -> Case:
    return Case(
        vit(**options),
        pictures("pixel_values", 1, 3, 96, 96),
        "model.vit.encoder.layer.3.layernorm_before",
        "NTC:1",
        export=script(17),
    )


@network("ViT", "transformers 4.57", "float32: what the optimised, 4-bit and dynamically quantised files are made of")
def vit_hf():
    return vit_case()


@network("ViT, dynamo exporter", "transformers 4.57", "dynamo exporter, scaled dot product attention", name="vit_hf_dynamo")
def vit_hf_dynamo():
    case = vit_case()
    case.export = dynamo()
    return case


@network("DINOv2 with registers, classifier", "transformers 4.57", "class token and 4 registers, interpolated positions")
def dinov2_registers():
    from transformers import Dinov2WithRegistersConfig, Dinov2WithRegistersForImageClassification

    config = Dinov2WithRegistersConfig(
        hidden_size=64,
        num_hidden_layers=4,
        num_attention_heads=4,
        image_size=112,
        patch_size=14,
        num_register_tokens=4,
        num_labels=20,
        attn_implementation="eager",
    )
    net = enliven(Logits(Dinov2WithRegistersForImageClassification(config)), 21)
    return Case(net, pictures("pixel_values", 1, 3, 112, 112), "model.dinov2_with_registers.encoder.layer.3.norm1", "NTC:5",
                export=dynamo())


@network("DINOv2 with registers, backbone", "transformers 4.57", "the bare backbone: its output is tokens, not classes", name="dinov2_backbone")
def dinov2_backbone():
    from transformers import Dinov2WithRegistersConfig, Dinov2WithRegistersModel

    config = Dinov2WithRegistersConfig(
        hidden_size=64, num_hidden_layers=4, num_attention_heads=4, image_size=112, patch_size=14, num_register_tokens=4,
        attn_implementation="eager",
    )
    net = enliven(Logits(Dinov2WithRegistersModel(config), "pooler_output"), 22)
    return Case(net, pictures("pixel_values", 1, 3, 112, 112), "model.encoder.layer.3.norm1", "NTC:5", outputs=["pooler_output"],
                export=dynamo())


def clip_config():
    from transformers import CLIPConfig

    text = dict(hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, vocab_size=200,
                max_position_embeddings=16, eos_token_id=199, bos_token_id=198, pad_token_id=0)
    vision = dict(hidden_size=64, intermediate_size=128, num_hidden_layers=3, num_attention_heads=4, image_size=96, patch_size=16)
    return CLIPConfig(text_config=text, vision_config=vision, projection_dim=48, attn_implementation="eager")


def prompts() -> torch.Tensor:
    """Three sentences of different length: start, words, end, padding."""
    ids = torch.zeros(3, 10, dtype=torch.long)
    for row, words in enumerate((3, 5, 7)):
        ids[row, : words + 2] = torch.cat([torch.tensor([198]), torch.randint(1, 198, (words,)), torch.tensor([199])])
    return ids


def clip_feeds():
    ids = prompts()
    return {"pixel_values": photo(1, 3, 96, 96), "input_ids": ids, "attention_mask": (ids != 0).long()}


class ClipPair(nn.Module):
    def __init__(self):
        super().__init__()
        from transformers import CLIPModel

        self.clip = CLIPModel(clip_config())

    def forward(self, pixel_values, input_ids, attention_mask):
        out = self.clip(input_ids=input_ids, pixel_values=pixel_values, attention_mask=attention_mask)
        return out.logits_per_image, out.logits_per_text, out.text_embeds, out.image_embeds


def clip_pair_case(export) -> Case:
    net = enliven(ClipPair(), 23)
    with torch.no_grad():
        net.clip.logit_scale.fill_(2.6592)
    names = ["logits_per_image", "logits_per_text", "text_embeds", "image_embeds"]
    return Case(net, clip_feeds, "clip.vision_model.encoder.layers.2.layer_norm1", "NTC:1", export=export, outputs=names)


def clip_axes(case, feeds, path):
    torch.onnx.export(
        case.net, tuple(feeds.values()), path, dynamo=False, opset_version=17, input_names=list(feeds), output_names=case.outputs,
        dynamic_axes={
            "pixel_values": {0: "image_batch"}, "input_ids": {0: "text_batch", 1: "sequence"},
            "attention_mask": {0: "text_batch", 1: "sequence"},
            "logits_per_image": {0: "image_batch", 1: "text_batch"}, "logits_per_text": {0: "text_batch", 1: "image_batch"},
            "text_embeds": {0: "text_batch"}, "image_embeds": {0: "image_batch"},
        },
    )


@network("CLIP, both towers", "transformers 4.57", "two towers in one graph, three inputs; a class is a sentence")
def clip_pair():
    return clip_pair_case(clip_axes)


@network("CLIP, both towers, dynamo exporter", "transformers 4.57", "the same, dynamo exporter", name="clip_pair_dynamo")
def clip_pair_dynamo():
    return clip_pair_case(dynamo())


@network("CLIP, image tower", "transformers 4.57", "an image tower alone: its output is an embedding")
def clip_image():
    from transformers import CLIPVisionModelWithProjection

    config = clip_config().vision_config
    config.projection_dim = 48
    config._attn_implementation = "eager"
    net = enliven(Logits(CLIPVisionModelWithProjection(config), "image_embeds"), 24)
    return Case(
        net, pictures("pixel_values", 1, 3, 96, 96), "model.vision_model.encoder.layers.2.layer_norm1", "NTC:1",
        outputs=["image_embeds"],
    )


def sam(**options) -> nn.Module:
    from transformers import SamVisionConfig, SamVisionModel

    return Logits(SamVisionModel(SamVisionConfig(attn_implementation="eager", **options)), "last_hidden_state")


@network("SAM encoder, small", "transformers 4.57", "a SAM encoder, small: windows, decomposed relative positions, NHWC inside")
def sam_tiny():
    net = sam(hidden_size=32, num_hidden_layers=3, num_attention_heads=2, image_size=128, patch_size=16, window_size=3,
              global_attn_indexes=[1], output_channels=24, mlp_dim=64, num_pos_feats=16)
    enliven(net, 25)
    return Case(net, pictures("pixel_values", 1, 3, 128, 128), "model.vision_encoder.neck.layer_norm1",
                export=script(17), outputs=["image_embeddings"])


@model("SAM encoder, ViT-B at 1024 x 1024", "transformers 4.57", "a SAM encoder, ViT-B at 1024 x 1024: its gradient takes more memory than most machines have")
def sam_vit_b(name, folder, facts):
    """Without references: PyTorch needs the memory just as much. What is asked is that it is refused, and not begun."""
    from names import operators
    from reference import save_feeds, write_meta

    net = enliven(sam(), 26)
    feeds = {"pixel_values": photo(1, 3, 1024, 1024)}
    case = Case(net, lambda: feeds, outputs=["image_embeddings"])
    with torch.no_grad():
        script(17, dynamic=False)(case, feeds, f"{folder}/model.onnx")
    save_feeds(folder, feeds)
    meta = {"name": name, **facts, "inputs": ["pixel_values"], "target": 0, "memory": 8e9, "refusal": "memory",
            "ops": operators(f"{folder}/model.onnx")}
    write_meta(folder, meta)
    return meta


@network("VideoMAE", "transformers 4.57", "a video transformer: tubelets, [N, T, C, H, W]")
def videomae():
    from transformers import VideoMAEConfig, VideoMAEForVideoClassification

    config = VideoMAEConfig(hidden_size=48, num_hidden_layers=3, num_attention_heads=3, intermediate_size=96, image_size=64,
                            patch_size=16, num_frames=8, tubelet_size=2, num_labels=10, attn_implementation="eager")
    net = enliven(Logits(VideoMAEForVideoClassification(config)), 27)
    return Case(net, pictures("pixel_values", 1, 8, 3, 64, 64), "model.videomae.encoder.layer.2.layernorm_before", "NTC:0:4x4x4",
                ask=clips("pixel_values", [8, 64, 64]))


@network("TimeSformer", "transformers 4.57", "divided space-time attention, [N, T, C, H, W]")
def timesformer():
    from transformers import TimesformerConfig, TimesformerForVideoClassification

    config = TimesformerConfig(hidden_size=48, num_hidden_layers=3, num_attention_heads=3, intermediate_size=96, image_size=64,
                               patch_size=16, num_frames=4, num_labels=10)
    net = enliven(Logits(TimesformerForVideoClassification(config)), 28)
    return Case(net, pictures("pixel_values", 1, 4, 3, 64, 64), "model.timesformer.embeddings.patch_embeddings.projection", "NTCHW:4", export=script(17, dynamic=False),
                ask=clips("pixel_values", [4, 64, 64]))


@network("Video Swin", "torchvision 0.28", "3-D shifted windows, [N, C, T, H, W]")
def swin3d():
    from torchvision.models.video.swin_transformer import SwinTransformer3d

    net = SwinTransformer3d(patch_size=[2, 4, 4], embed_dim=24, depths=[2, 2], num_heads=[2, 4], window_size=[2, 4, 4], num_classes=10)
    enliven(net, 29)
    return Case(net, pictures("input", 1, 3, 8, 64, 64), "norm", "NHWC", export=script(dynamic=False))
