"""Detectors: ultralytics', torchvision's and transformers'."""

from __future__ import annotations

import os
import shutil
from typing import Any

import torch
import torchvision
from torch import nn

from case import Case, Feeds, enliven, photo, pictures, script
from registry import network


class Yolo(nn.Module):
    """An ultralytics network in evaluation: its output, and each class's best anchor before the sigmoid: [N, classes]."""

    def __init__(self, config: str, size: int, seed: int, end2end: bool = False):
        super().__init__()
        from ultralytics import YOLO

        self.yolo = YOLO(config)
        self.net = self.yolo.model
        self.size = size
        if end2end:
            self.net.end2end = True
        enliven(self.net, seed, lambda n: n(photo(8, 3, size, size).sigmoid()))

    def forward(self, x):
        y, raw = self.net(x)
        raw = raw["one2one" if self.net.end2end else "one2many"] if "one2many" in raw else raw
        return raw["scores"].amax(2), y


def ultralytics_export(**options):
    def export(case: Case, feeds: Feeds, path: str) -> None:
        """Through ultralytics itself, with its metadata; its exporter fuses batch norms, on a copy."""
        import copy

        yolo = copy.copy(case.net.yolo)
        yolo.model = copy.deepcopy(case.net.net)
        yolo.overrides = {**yolo.overrides, "model": path.replace("model.onnx", "yolo.pt")}
        yolo.model.pt_path = path.replace("model.onnx", "yolo.pt")
        made = yolo.export(format="onnx", imgsz=case.net.size, opset=17, simplify=False, verbose=False, **options)
        if os.path.abspath(made) != os.path.abspath(path):
            shutil.move(made, path)

    return export


def yolo(config: str, layer: str, size: int = 160, seed: int = 50, end2end: bool = False, **options) -> Case:
    net = Yolo(config, size, seed, end2end)

    def draw() -> Feeds:
        return {"images": photo(1, 3, size, size).sigmoid()}

    return Case(net, draw, f"net.{layer}", export=ultralytics_export(**options), outputs=["output0"])


@network("YOLOv8n", "ultralytics 8.4", "no NMS: boxes and class probabilities of all anchors in one output")
def yolov8n():
    return yolo("yolov8n.yaml", "model.21")


@network("YOLOv8n with NMS", "ultralytics 8.4", "NMS inside: boxes, score, class of what is left", name="yolov8n_nms")
def yolov8n_nms():
    return yolo("yolov8n.yaml", "model.21", nms=True, conf=0.001)


@network("YOLO11n", "ultralytics 8.4", "no NMS, attention in its neck")
def yolo11n():
    return yolo("yolo11n.yaml", "model.22", seed=57)


@network("YOLO11n, free batch and size", "ultralytics 8.4", "the same with a free batch and size", name="yolo11n_dynamic")
def yolo11n_dynamic():
    return yolo("yolo11n.yaml", "model.22", seed=57, dynamic=True)


@network("YOLO11n with NMS", "ultralytics 8.4", "NMS inside: boxes, score, class of what is left", name="yolo11n_nms")
def yolo11n_nms():
    return yolo("yolo11n.yaml", "model.22", seed=57, nms=True, conf=0.001)


@network("YOLO26n, end to end", "ultralytics 8.4", "end to end, no NMS needed: the best 300 are chosen in the graph")
def yolo26n():
    return yolo("yolo26n.yaml", "model.22", end2end=True, nms=False)


@network("YOLO26n with NMS", "ultralytics 8.4", "its other head, of which NMS chooses", name="yolo26n_nms")
def yolo26n_nms():
    return yolo("yolo26n.yaml", "model.22", seed=57, nms=True, conf=0.001)


@network("YOLO11n classifier", "ultralytics 8.4", "a classifier with a softmax at its end", name="yolo11n_cls")
def yolo11n_cls():
    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            from ultralytics import YOLO

            self.yolo = YOLO("yolo11n-cls.yaml")
            self.net = self.yolo.model
            self.size = 96
            enliven(self.net, 51, lambda n: n(photo(8, 3, 96, 96).sigmoid()))

        def forward(self, x):
            y = self.net(x)
            return y[1] if isinstance(y, tuple) else y

    return Case(Classifier(), lambda: {"images": photo(1, 3, 96, 96).sigmoid()}, "net.model.10.conv",
                export=ultralytics_export(), outputs=["output0"])


@network("YOLO11n segmentation", "ultralytics 8.4", "segmentation: a second output of mask prototypes", name="yolo11n_seg")
def yolo11n_seg():
    return yolo("yolo11n-seg.yaml", "model.22", seed=57)


class Fcos(nn.Module):
    """torchvision's FCOS on one picture, as its exporters are given it: boxes, scores, labels after NMS."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x):
        found = self.net([x[0]])[0]
        return found["scores"], found["boxes"], found["labels"]


def small_detector(kind: str, **options) -> nn.Module:
    from torchvision.models import detection

    net = getattr(detection, kind)(
        weights=None, weights_backbone=None, num_classes=5, min_size=128, max_size=128, image_mean=[0.0] * 3, image_std=[1.0] * 3,
        **options,
    )
    return enliven(net, 52, lambda n: n([photo(1, 3, 128, 128)[0] for _ in range(4)]))


def best(outputs: Any) -> Any:
    return {"kind": "element", "output": "scores", "indices": [0]}


def best_score(outputs: Any, target: Any) -> torch.Tensor:
    return outputs[0][0]


def torchvision_detector(kind: str, layer: str, **options) -> Case:
    net = Fcos(small_detector(kind, **options))
    return Case(net, pictures("input", 1, 3, 128, 128), layer, export=script(17, dynamic=False),
                choose=best, score=best_score, outputs=["scores", "boxes", "labels"],
                pick=lambda o: o["0"] if isinstance(o, dict) else o)


@network("FCOS", "torchvision 0.28", "normalisation, anchors, five pyramid levels and NMS in one graph; the best detection's score")
def fcos():
    from torchvision.models import detection
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
    from torchvision.ops.feature_pyramid_network import LastLevelP6P7

    backbone = resnet_fpn_backbone(backbone_name="resnet18", weights=None, norm_layer=nn.BatchNorm2d, returned_layers=[2, 3, 4],
                                   extra_blocks=LastLevelP6P7(256, 256))
    net = detection.FCOS(backbone, num_classes=5, min_size=128, max_size=128, score_thresh=0.0, detections_per_img=10)
    enliven(net, 52, lambda n: n([photo(1, 3, 128, 128)[0] for _ in range(4)]))
    return Case(Fcos(net), pictures("input", 1, 3, 128, 128), "net.backbone.fpn", export=script(17, dynamic=False), choose=best,
                score=best_score, outputs=["scores", "boxes", "labels"], pick=lambda o: o["1"])


@network("Faster R-CNN", "torchvision 0.28", "two stages: RoiAlign between them; the best detection's score")
def faster_rcnn():
    return torchvision_detector("fasterrcnn_mobilenet_v3_large_320_fpn", "net.backbone.fpn",
                                box_score_thresh=0.0, box_detections_per_img=10, rpn_pre_nms_top_n_test=30, rpn_post_nms_top_n_test=10)


@network("SSDlite", "torchvision 0.28", "SSDlite: softmax over classes of every default box, NMS")
def ssdlite():
    from torchvision.models import detection

    net = detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=5, score_thresh=0.0,
                                                  detections_per_img=10, topk_candidates=20)
    enliven(net, 53, lambda n: n([photo(1, 3, 320, 320)[0] for _ in range(2)]))
    return Case(Fcos(net), pictures("input", 1, 3, 320, 320), "net.backbone", export=script(17, dynamic=False), choose=best,
                score=best_score, outputs=["scores", "boxes", "labels"], pick=lambda o: o["0"])


@network("DETR", "transformers 4.57", "DETR: queries, no NMS; logits [N, queries, classes]")
def detr():
    from transformers import DetrConfig, DetrForObjectDetection, ResNetConfig

    backbone = ResNetConfig(embedding_size=16, hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1], layer_type="basic", out_features=["stage4"])
    config = DetrConfig(use_timm_backbone=False, use_pretrained_backbone=False, backbone=None, backbone_config=backbone, d_model=48, num_queries=8,
                        encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=64,
                        decoder_ffn_dim=64, num_labels=6, attn_implementation="eager")

    class Detr(nn.Module):
        def __init__(self):
            super().__init__()
            self.m = DetrForObjectDetection(config)

        def forward(self, x):
            out = self.m(x)
            return out.logits, out.pred_boxes

    net = enliven(Detr(), 54, lambda n: n(photo(8, 3, 128, 128)))
    element = lambda outputs: {"kind": "element", "output": "logits", "indices": [0, *divmod(int(outputs[0][0].argmax()), outputs[0].shape[2])]}
    return Case(net, pictures("pixel_values", 1, 3, 128, 128), "m.model.input_projection", export=script(17, dynamic=False),
                choose=element, score=lambda y, t: y[0][tuple(t["indices"])], outputs=["logits", "pred_boxes"])


@network("RT-DETR", "transformers 4.57", "RT-DETR: deformable attention (GridSample), queries chosen by TopK")
def rt_detr():
    from transformers import RTDetrConfig, RTDetrForObjectDetection, RTDetrResNetConfig

    backbone = RTDetrResNetConfig(embedding_size=16, hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1], layer_type="basic", out_features=["stage2", "stage3", "stage4"])
    config = RTDetrConfig(backbone_config=backbone, use_timm_backbone=False, use_pretrained_backbone=False, backbone=None, encoder_hidden_dim=32,
                          encoder_in_channels=[32, 48, 64], d_model=32, num_queries=8, decoder_layers=2, decoder_attention_heads=4,
                          encoder_attention_heads=4, encoder_ffn_dim=48, decoder_ffn_dim=48, decoder_in_channels=[32, 32, 32],
                          num_labels=6, num_denoising=0, anchor_image_size=None, attn_implementation="eager")

    class Detr(nn.Module):
        def __init__(self):
            super().__init__()
            self.m = RTDetrForObjectDetection(config)

        def forward(self, x):
            out = self.m(x)
            return out.logits, out.pred_boxes

    net = enliven(Detr(), 55, lambda n: n(photo(8, 3, 128, 128)))
    element = lambda outputs: {"kind": "element", "output": "logits", "indices": [0, *divmod(int(outputs[0][0].argmax()), outputs[0].shape[2])]}
    return Case(net, pictures("pixel_values", 1, 3, 128, 128), "m.model.encoder_input_proj.2", export=script(17, dynamic=False),
                choose=element, score=lambda y, t: y[0][tuple(t["indices"])], outputs=["logits", "pred_boxes"])
