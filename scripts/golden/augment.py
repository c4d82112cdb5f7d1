"""What torchvision and Pillow make of a small picture: packages/cam-train/test/golden/augment.json, small-jpegs.json

usage: python augment.py        needs: torch==2.13.0 torchvision==0.28.0 numpy==2.4.6 pillow==13.0.0
"""

import base64
import io
import json

import numpy as np
import torch
from golden import GOLDEN
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F


def augmentations():
    i = np.arange(5 * 4 * 3)
    pixels = ((i * i * 7 + i * 37 + 11) % 251).astype(np.uint8).reshape(4, 5, 3)
    picture = torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
    mask = (picture[0:1] > 120).to(torch.uint8)
    padded = {mode: F.pad(picture, [2, 2, 2, 2], 0, mode) for mode in ("constant", "reflect")}
    found = {
        "brightness 0.7": F.adjust_brightness(picture, 0.7),
        "brightness 1.45": F.adjust_brightness(picture, 1.45),
        "contrast 0.4": F.adjust_contrast(picture, 0.4),
        "contrast 1.8": F.adjust_contrast(picture, 1.8),
        "saturation 0.3": F.adjust_saturation(picture, 0.3),
        "saturation 1.6": F.adjust_saturation(picture, 1.6),
        "hue 0.1": F.adjust_hue(picture, 0.1),
        "hue -0.37": F.adjust_hue(picture, -0.37),
        "grey": F.rgb_to_grayscale(picture, 3),
        "rotate 17": F.rotate(picture, 17.0, InterpolationMode.BILINEAR),
        "rotate -90": F.rotate(picture, -90.0, InterpolationMode.BILINEAR),
        "mask": mask,
        "mask rotate 33": F.rotate(mask, 33.0, InterpolationMode.NEAREST),
        "blur 0.5": F.gaussian_blur(picture, [5, 5], [0.5, 0.5]),
        "blur 0.9": F.gaussian_blur(picture, [7, 7], [0.9, 0.9]),
        # The rows and columns that begin 1 below and 2 right of the padded picture's own corner, less the padding of 2.
        "crop zero 2 -1": F.crop(padded["constant"], 1, 4, 4, 5),
        "crop reflect 2 -1": F.crop(padded["reflect"], 1, 4, 4, 5),
        "flip horizontal": F.hflip(picture),
        "flip vertical": F.vflip(picture),
    }
    out = {name: tensor.permute(1, 2, 0).flatten().tolist() for name, tensor in found.items()}
    part = Image.fromarray(pixels).crop((1, 0, 4, 3)).resize((5, 4), Image.BILINEAR)
    return {**out, "resized-crop 1 0 3 3": np.asarray(part).flatten().tolist()}


def waves(width, height, channels=3):
    i = np.arange(width * height * channels)
    noise = ((i * i * 7 + i * 37 + 11) % 251).reshape(height, width, channels)
    y, x = np.mgrid[0:height, 0:width]
    base = 128 + 90 * np.sin(x / 5.0 + np.arange(channels)[:, None, None]) * np.cos(y / 7.0)
    return np.clip(base.transpose(1, 2, 0) * 0.8 + noise * 0.2, 0, 255).astype(np.uint8)


def jpeg(pixels, mode=None, **options):
    picture = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])
    file = io.BytesIO()
    (picture.convert(mode) if mode else picture).save(file, "JPEG", **options)
    return base64.b64encode(file.getvalue()).decode()


def small_jpegs():
    turned = Image.Exif()
    turned[0x112] = 6
    return {
        "4:2:0 32x32": jpeg(waves(32, 32), quality=75, subsampling=2),
        "4:2:0 17x19": jpeg(waves(17, 19), quality=90, subsampling=2),
        "4:2:0 2x40": jpeg(waves(2, 40), quality=90, subsampling=2),
        "4:2:0 5x1": jpeg(waves(5, 1), quality=90, subsampling=2),
        "4:2:0 1x1": jpeg(waves(1, 1), quality=90, subsampling=2),
        "4:2:2 21x18": jpeg(waves(21, 18), quality=60, subsampling=1),
        "4:2:2 4x9": jpeg(waves(4, 9), quality=95, subsampling=1),
        "4:4:4 9x23": jpeg(waves(9, 23), quality=20, subsampling=0),
        "4:4:4 40x8 optimised": jpeg(waves(40, 8), quality=100, subsampling=0, optimize=True),
        "grey 19x10": jpeg(waves(19, 10, 1), quality=80),
        "flat 16x16": jpeg(np.full((16, 16, 3), (200, 30, 90), np.uint8), quality=75),
        "turned by EXIF": jpeg(waves(16, 8), quality=75, exif=turned),
        "progressive": jpeg(waves(16, 16), quality=75, progressive=True),
        "restarts": jpeg(waves(40, 16), quality=75, restart_marker_blocks=1),
        "CMYK": jpeg(waves(16, 16), mode="CMYK"),
    }


if __name__ == "__main__":
    GOLDEN.joinpath("small-jpegs.json").write_text(json.dumps(small_jpegs(), indent=1))
    GOLDEN.joinpath("augment.json").write_text(json.dumps(augmentations()))
