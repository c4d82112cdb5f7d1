"""The HU volume of a real scan as pydicom with GDCM reads it: packages/medical/test/golden/real-scan.json.

usage: python real_scan.py ../../../shared/data/ct/series/covid-ct-md-P002 > ../../packages/medical/test/golden/real-scan.json
needs: pydicom==3.0.2 python-gdcm==3.2.6 numpy==2.4.6 (python 3.11)

Slices in the order of their positions along the normal, int16, little endian: SHA-256 of all of them, and of each one its height
(mm along the normal), sum, and SHA-256's first 16 digits, so that a difference says where it is.
"""
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pydicom
from pydicom.pixels import pixel_array
from pydicom.pixels.processing import apply_rescale

folder = Path(sys.argv[1])


def read(path):
    ds = pydicom.dcmread(path)
    across, down = np.array(ds.ImageOrientationPatient, float).reshape(2, 3)
    hu = apply_rescale(pixel_array(path, decoding_plugin="gdcm"), ds)
    assert np.array_equal(hu, hu.astype("<i2"))
    return float(np.dot(np.cross(across, down), np.array(ds.ImagePositionPatient, float))), ds, hu.astype("<i2")


slices = sorted((read(path) for path in sorted(folder.iterdir())), key=lambda slice: slice[0])
volume = np.stack([hu for _, _, hu in slices])
first = slices[0][1]
print(json.dumps({
    "shape": volume.shape,
    "pixelSpacing": [float(x) for x in first.PixelSpacing],
    "origin": [float(x) for x in first.ImagePositionPatient],
    "sha256": hashlib.sha256(volume.tobytes()).hexdigest(),
    "range": [int(volume.min()), int(volume.max())],
    "slices": [
        [height, int(hu.sum(dtype=np.int64)), hashlib.sha256(hu.tobytes()).hexdigest()[:16]]
        for height, _, hu in slices
    ],
}))
