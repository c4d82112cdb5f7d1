"""Static quantisation (QDQ) of an exported network, as users do it: python quantise.py FROM TO."""
import pathlib
import shutil
import sys

import numpy as np
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


class Noise(CalibrationDataReader):
    def __init__(self, x):
        rng = np.random.default_rng(0)
        self.feeds = iter([{"input": x}, *({"input": rng.standard_normal(x.shape).astype(np.float32)} for _ in range(3))])

    def get_next(self):
        return next(self.feeds, None)


source, target = map(pathlib.Path, sys.argv[1:])
target.mkdir(parents=True, exist_ok=True)
x = np.load(source / "x.npy").astype(np.float32)
prepared = target / "prepared.onnx"
quant_pre_process(source / "model.onnx", prepared, skip_symbolic_shape=True)
quantize_static(
    prepared,
    target / "model.onnx",
    Noise(x),
    quant_format=QuantFormat.QDQ,
    per_channel=True,
    activation_type=QuantType.QUInt8,
    weight_type=QuantType.QInt8,
)
prepared.unlink()
shutil.copy(source / "x.npy", target / "x.npy")
