"""What picture models' own processors make of a picture, and the files they leave beside an exported model.

Writes per case the files, the graph input's shape, and some of the values that the processor feeds: of a picture that both sides draw by
a formula, and of a photograph, which stays where it is.

    pip install torch==2.13.0 torchvision==0.28.0 transformers==4.57.6 timm==1.0.22 ultralytics==8.4.190 pillow
    python scripts/golden/processors.py packages/cam-core/src/model/foreign/golden/processors.json ../shared/data/photos/coral/cat.bmp
"""

import json
import sys
import tempfile
from pathlib import Path

import torch

for operator in ("nms", "qnms"):  # torchvision asks for them though nothing here does; builds without its extension lack them
    try:
        torch.library.define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    except RuntimeError:
        pass

import numpy as np
import timm
import transformers as hf
from PIL import Image
from ultralytics.data.augment import LetterBox, classify_transforms

SAMPLES = 12


def drawn(width, height):
    """The picture of image/test-picture.ts."""
    i = np.arange(width * height * 3)
    return Image.fromarray(((i * i * 7 + i * 37 + 11) % 251).astype(np.uint8).reshape(height, width, 3))


def hugging_face(processor, config, picture):
    with tempfile.TemporaryDirectory() as folder:
        processor.save_pretrained(folder)
        config.save_pretrained(folder)
        files = {path.name: json.loads(path.read_text()) for path in sorted(Path(folder).glob("*.json"))}
    return files, processor(picture, return_tensors="np")["pixel_values"]


def of_timm(name, picture, **changes):
    model = timm.create_model(name, pretrained=False)
    model.pretrained_cfg = {**model.pretrained_cfg, **changes}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.json"
        timm.models._hub.save_config_for_hf(model, file, {"label_names": ["n01440764", "n01443537"], "label_descriptions": {"n01440764": "tench"}})
        config = json.loads(file.read_text())
    data = timm.data.resolve_data_config(pretrained_cfg=model.pretrained_cfg)
    return {"config.json": config}, timm.data.create_transform(**data)(picture)[None].numpy()


def letterbox(size, picture):
    bgr = np.asarray(picture)[..., ::-1]
    made = LetterBox(new_shape=size, auto=False)(image=np.ascontiguousarray(bgr))
    return {}, (made[..., ::-1].transpose(2, 0, 1)[None] / 255).astype(np.float32)


def ultralytics_metadata(task, size):
    names = {0: "person", 1: "o'clock"}
    return {k: str(v) for k, v in {"description": "Ultralytics YOLO11n model trained on coco.yaml", "author": "Ultralytics",
            "license": "AGPL-3.0 License (https://ultralytics.com/license)", "stride": 32, "task": task, "batch": 1,
            "imgsz": list(size), "names": names, "channels": 3}.items()}


labels = {"id2label": {0: "cat", 1: "dog"}, "label2id": {"cat": 0, "dog": 1}}
CASES = {
    "ViT": lambda p: hugging_face(hf.ViTImageProcessor(size={"height": 48, "width": 32}), hf.ViTConfig(image_size=(48, 32), patch_size=16, architectures=["ViTForImageClassification"], **labels), p),
    "DeiT": lambda p: hugging_face(hf.DeiTImageProcessor(size={"height": 40, "width": 40}, crop_size={"height": 32, "width": 32}), hf.DeiTConfig(image_size=32, patch_size=16, architectures=["DeiTForImageClassification"], problem_type="multi_label_classification", **labels), p),
    "ConvNeXt below 384": lambda p: hugging_face(hf.ConvNextImageProcessor(size={"shortest_edge": 32}), hf.ConvNextConfig(architectures=["ConvNextForImageClassification"], **labels), p),
    "ConvNeXt from 384": lambda p: hugging_face(hf.ConvNextImageProcessor(size={"shortest_edge": 384}), hf.ConvNextConfig(), p),
    "CLIP": lambda p: hugging_face(hf.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}), hf.CLIPConfig(vision_config={"image_size": 32, "patch_size": 16}), p),
    "SigLIP": lambda p: hugging_face(hf.SiglipImageProcessor(size={"height": 32, "width": 32}), hf.SiglipVisionConfig(image_size=32, patch_size=16), p),
    "DINOv2 with registers": lambda p: hugging_face(hf.BitImageProcessor(size={"shortest_edge": 40}, crop_size={"height": 28, "width": 28}, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225]), hf.Dinov2WithRegistersConfig(patch_size=14, num_register_tokens=4), p),
    "Swin": lambda p: hugging_face(hf.ViTImageProcessor(size={"height": 32, "width": 32}, resample=3, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225]), hf.SwinConfig(architectures=["SwinForImageClassification"], **labels), p),
    "LeViT": lambda p: hugging_face(hf.LevitImageProcessor(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}), hf.LevitConfig(), p),
    "PoolFormer": lambda p: hugging_face(hf.PoolFormerImageProcessor(size={"shortest_edge": 36}, crop_size={"height": 36, "width": 36}), hf.PoolFormerConfig(), p),
    "MobileViT (BGR)": lambda p: hugging_face(hf.MobileViTImageProcessor(size={"shortest_edge": 36}, crop_size={"height": 32, "width": 32}), hf.MobileViTConfig(), p),
    "EfficientNet": lambda p: hugging_face(hf.EfficientNetImageProcessor(size={"height": 33, "width": 33}, image_mean=[0.485, 0.456, 0.406], image_std=[0.47853944, 0.4732864, 0.47434163]), hf.EfficientNetConfig(), p),
    "rescaled to -1..1": lambda p: hugging_face(hf.EfficientNetImageProcessor(size={"height": 33, "width": 33}, rescale_factor=1 / 127.5, rescale_offset=True, do_normalize=False, include_top=False), hf.EfficientNetConfig(), p),
    "VideoMAE": lambda p: hugging_face(hf.VideoMAEImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}), hf.VideoMAEConfig(image_size=32, patch_size=16, num_frames=4, architectures=["VideoMAEForVideoClassification"], **labels), [[p] * 4][0]),
    "timm, crop": lambda p: of_timm("resnet18", p, input_size=(3, 32, 32), crop_pct=0.875),
    "timm, squash": lambda p: of_timm("resnet18", p, input_size=(3, 32, 32), crop_pct=0.9, crop_mode="squash", interpolation="bilinear"),
    "timm, not square": lambda p: of_timm("resnet18", p, input_size=(3, 32, 48), crop_pct=1.0, interpolation="bilinear"),
    "YOLO, detection": lambda p: letterbox((64, 96), p),
    "YOLO, classification": lambda p: ({}, classify_transforms((32, 32))(p)[None].numpy()),
}


def sampled(values, seed):
    values = np.asarray(values, np.float32).ravel()
    at = sorted(int(i) for i in np.random.default_rng(seed).choice(values.size, SAMPLES, replace=False))
    return [[i, round(float(values[i]), 4)] for i in at]


def case(name, make, photo):
    files, values = make(drawn(75, 53))
    metadata = {}
    if name.startswith("YOLO"):
        metadata = ultralytics_metadata("classify" if "classification" in name else "detect", np.shape(values)[2:])
    return {
        "name": name,
        "files": files,
        "metadata": metadata,
        "shape": list(np.shape(values)),
        "drawn": sampled(values, len(name)),
        "photo": sampled(make(photo)[1], len(name) + 1),
    }


def compact(cases):
    """One line a case: the files are what they are, and nobody reads the numbers."""
    return "[\n" + ",\n".join(json.dumps(each) for each in cases) + "\n]\n"


def main():
    out = Path(sys.argv[1])
    photo = Image.open(sys.argv[2]).convert("RGB")
    versions = {"transformers": hf.__version__, "timm": timm.__version__, "torch": torch.__version__}
    out.write_text(compact([case(name, make, photo) for name, make in CASES.items()]))
    print(len(CASES), versions, out.stat().st_size)


main()
