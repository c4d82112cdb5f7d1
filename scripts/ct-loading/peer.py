"""A process that loads a series to HU by pydicom with GDCM whenever it is asked: run.mjs. Answers in lines of JSON."""

import sys
import time

begin = time.perf_counter()

import hashlib
import json
import warnings
from pathlib import Path

import gdcm  # noqa: F401  loaded now, not within the first measurement
import numpy as np
import pydicom
from pydicom.pixels import pixel_array

warnings.simplefilter("ignore")


def load(folder):
    slices = [pydicom.dcmread(path) for path in Path(folder).iterdir()]
    row, column = np.reshape(slices[0].ImageOrientationPatient, (2, 3)).astype(float)
    normal = np.cross(row, column)
    slices.sort(key=lambda ds: float(np.dot(normal, ds.ImagePositionPatient)))
    volume = np.empty((len(slices), slices[0].Rows, slices[0].Columns), np.int16)
    for k, ds in enumerate(slices):
        stored = pixel_array(ds, decoding_plugin="gdcm")
        volume[k] = stored.astype(np.int16) * int(ds.RescaleSlope) + int(ds.RescaleIntercept)
    return volume


def answer(**value):
    print(json.dumps(value), flush=True)


answer(ms=1e3 * (time.perf_counter() - begin))
for _ in sys.stdin:
    begin = time.perf_counter()
    volume = load(sys.argv[1])
    answer(ms=1e3 * (time.perf_counter() - begin), sha256=hashlib.sha256(volume.tobytes()).hexdigest())
