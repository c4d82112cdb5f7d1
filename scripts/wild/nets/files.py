"""Files made of other files: quantised, half precision, optimised, older opsets, external data, local functions."""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
from typing import Any, Callable

import numpy as np
import onnx
import torch
from onnx import helper

from case import Case, Feeds, dynamo, enliven, photo, pictures, script
from nets.transformer import vit_case
from nets.vision import frozen, mobilenet
from registry import model, seed_of


def before(*kinds: str) -> Callable[[onnx.ModelProto], str]:
    """What the last node of one of these kinds reads."""

    def find(file: onnx.ModelProto) -> str:
        return next(node.input[0] for node in reversed(file.graph.node) if node.op_type in kinds)

    return find


def derived(title: str, source: str, special: str, base: Callable[[], Case], tensor: Callable[[onnx.ModelProto], str], layout: str = "NCHW",
            precision: torch.dtype = torch.float32, name: str | None = None,
            tries: int = 16) -> Callable:
    """
    A file made by `change(path of the float32 file, path, base)`. Its references are those of the file itself, run in PyTorch;
    how far they lie from the network that it was made of is written down beside them.
    """

    def add(change: Callable[[str, str, Case], None]) -> Callable:
        def make(name: str, folder: str, facts: dict[str, Any]) -> dict[str, Any]:
            from onnx_in_torch import OnnxNet
            from reference import build, differentiate, error, in_double, write_meta

            torch.manual_seed(seed_of(name))
            case = base()
            with tempfile.TemporaryDirectory() as work:
                whole, path = f"{work}/whole.onnx", f"{work}/model.onnx"
                with torch.no_grad():
                    (case.export or script())(case, case.draw(), whole)
                change(whole, path, case)
                # Where quantising merged activation and rounding, several tensors carry the layer: the one that the head reads.
                layer = tensor(onnx.load(path, load_external_data=False))
                net = OnnxNet(path, layer).eval()
                copied = lambda c, feeds, to: [shutil.copy(f"{work}/{f}", f"{os.path.dirname(to)}/{f}") for f in os.listdir(work) if f != "whole.onnx"]
                # A file that takes half precision is asked about what it is given, not about what was rounded on the way.
                rounded = lambda: {k: v.to(precision).float() for k, v in case.draw().items()}
                own = Case(net, rounded, "probe", layout, copied, outputs=case.outputs, tries=tries)
                meta = build(name, own, folder, facts, single=precision)
            meta["tensor"] = layer
            if "DynamicQuantizeLinear" in meta["ops"]:
                meta["batchCoupled"] = True
            x = torch.from_numpy(np.load(f"{folder}/x.npy"))
            whole_net = differentiate(case, copy.deepcopy(case.net).double(), {"x": x.double()}, meta["target"])
            load = lambda file: torch.from_numpy(np.load(f"{folder}/{file}.npy"))
            meta["unquantised"] = {"gradient": error(load("input_grad"), whole_net["gradient"]), "grad-cam": error(load("cam"), whole_net["cam"])}
            write_meta(folder, meta)
            return meta

        make.__name__ = change.__name__
        return model(title, source, special, name=name)(make)

    return add


def calibration(case: Case):
    """Sixteen pictures for onnxruntime's quantiser."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        def __init__(self):
            torch.manual_seed(9)
            self.left = iter([{k: v.numpy() for k, v in case.draw().items()} for _ in range(16)])

        def get_next(self):
            return next(self.left, None)

    return Reader()


def quantised(**options: Any) -> Callable[[str, str, Case], None]:
    def change(whole: str, path: str, case: Case) -> None:
        from onnxruntime.quantization import quantize_static, shape_inference

        ready = path.replace("model.onnx", "whole.onnx")
        shape_inference.quant_pre_process(whole, ready)
        quantize_static(ready, path, calibration(case), **options)

    return change


def qt(name: str) -> Any:
    from onnxruntime.quantization import QuantType

    return getattr(QuantType, name)


pooled = before("GlobalAveragePool", "QLinearGlobalAveragePool", "ReduceMean")


@derived("MobileNetV2, QDQ uint8", "onnxruntime 1.32 quantize_static", "QDQ, uint8 activations, int8 weights per channel", mobilenet, pooled)
def mobilenet_qdq(whole, path, case):
    quantised(per_channel=True, activation_type=qt("QUInt8"), weight_type=qt("QInt8"))(whole, path, case)


@derived("MobileNetV2, QDQ int8", "onnxruntime 1.32 quantize_static", "QDQ, int8 throughout, per tensor, symmetric", mobilenet, pooled)
def mobilenet_qdq_int8(whole, path, case):
    options = {"ActivationSymmetric": True, "WeightSymmetric": True}
    quantised(activation_type=qt("QInt8"), weight_type=qt("QInt8"), extra_options=options)(whole, path, case)


@derived("MobileNetV2, QDQ 16 bits", "onnxruntime 1.32 quantize_static", "QDQ, 16-bit activations", mobilenet, pooled)
def mobilenet_qdq_int16(whole, path, case):
    quantised(activation_type=qt("QUInt16"), weight_type=qt("QInt8"))(whole, path, case)


@derived("MobileNetV2, QLinear operators", "onnxruntime 1.32 quantize_static", "QOperator: QLinearConv, QLinearAdd, QGemm", mobilenet, pooled,
         tries=400)
def mobilenet_qoperator(whole, path, case):
    from onnxruntime.quantization import QuantFormat

    quantised(quant_format=QuantFormat.QOperator, activation_type=qt("QUInt8"), weight_type=qt("QUInt8"))(whole, path, case)


def half(keep: bool) -> Callable[[str, str, Case], None]:
    def change(whole: str, path: str, case: Case) -> None:
        from onnxruntime.transformers import float16

        onnx.save(float16.convert_float_to_float16(onnx.load(whole), keep_io_types=keep), path)

    return change


@derived("MobileNetV2, float16", "onnxruntime 1.32 float16", "float16, inputs and outputs too", mobilenet, pooled, precision=torch.float16)
def mobilenet_fp16(whole, path, case):
    half(False)(whole, path, case)


@derived("MobileNetV2, float16 inside", "onnxruntime 1.32 float16", "float16 inside, float32 inputs and outputs", mobilenet, pooled, precision=torch.float16)
def mobilenet_fp16_io32(whole, path, case):
    half(True)(whole, path, case)


@derived("MobileNetV2, optimised", "onnxruntime 1.32 InferenceSession", "saved after the runtime's extended optimisation: FusedConv", mobilenet, pooled)
def mobilenet_optimised(whole, path, case):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = path
    ort.InferenceSession(whole, options, providers=["CPUExecutionProvider"])


def normed(file: onnx.ModelProto) -> str:
    """What the last attention reads: the output of the norm before it, of which no position is the target's alone yet."""
    fused = [n for n in file.graph.node if n.op_type in ("Attention", "MultiHeadAttention")]
    if fused and fused[-1].op_type == "Attention":
        return fused[-1].input[0]
    norms = [n for n in file.graph.node if n.op_type in ("LayerNormalization", "SkipLayerNormalization")]
    return norms[-3].output[0]


@derived("ViT, optimum -O2", "onnxruntime 1.32 optimizer, as optimum -O2", "Attention, SkipLayerNormalization, BiasGelu of com.microsoft", vit_case, normed, "NTC:1")
def vit_o2(whole, path, case):
    optimise(whole, path, 2)


@derived("ViT, optimum -O3", "onnxruntime 1.32 optimizer, as optimum -O3", "the same with FastGelu: an approximation", vit_case, normed, "NTC:1")
def vit_o3(whole, path, case):
    optimise(whole, path, 3)


def optimise(whole: str, path: str, level: int) -> None:
    """What `optimum-cli onnxruntime optimize -O2` does, for a file without a configuration beside it."""
    from onnxruntime.transformers import optimizer
    from onnxruntime.transformers.fusion_options import FusionOptions

    options = FusionOptions("vit")
    options.enable_gelu_approximation = level >= 3
    made = optimizer.optimize_model(whole, "vit", num_heads=4, hidden_size=64, opt_level=2, optimization_options=options, use_gpu=False)
    made.save_model_to_file(path)


@derived("ViT, 4-bit weights", "onnxruntime 1.32 MatMulNBitsQuantizer", "4-bit weights in blocks of 32, symmetric", vit_case, normed, "NTC:1")
def vit_4bit(whole, path, case):
    four_bits(whole, path, True)


@derived("ViT, 4-bit weights with zero points", "onnxruntime 1.32 MatMulNBitsQuantizer", "4-bit weights with zero points", vit_case, normed, "NTC:1")
def vit_4bit_asymmetric(whole, path, case):
    four_bits(whole, path, False)


def four_bits(whole: str, path: str, symmetric: bool) -> None:
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    made = MatMulNBitsQuantizer(onnx.load(whole), block_size=32, is_symmetric=symmetric, accuracy_level=1)
    made.process()
    made.model.save_model_to_file(path, use_external_data_format=False)


@derived("ViT, dynamically quantised", "onnxruntime 1.32 quantize_dynamic", "DynamicQuantizeLinear and MatMulInteger", vit_case, normed, "NTC:1")
def vit_dynamic(whole, path, case):
    from onnxruntime.quantization import quantize_dynamic

    quantize_dynamic(whole, path, weight_type=qt("QUInt8"))


@derived("MobileNetV2, dynamically quantised", "onnxruntime 1.32 quantize_dynamic", "ConvInteger and MatMulInteger, int8 weights per channel", mobilenet, pooled)
def mobilenet_dynamic(whole, path, case):
    from onnxruntime.quantization import quantize_dynamic

    quantize_dynamic(whole, path, weight_type=qt("QUInt8"))


@derived("ViT, -O2 then dynamically quantised", "onnxruntime 1.32", "optimised first, then quantised dynamically", vit_case, normed, "NTC:1")
def vit_o2_dynamic(whole, path, case):
    from onnxruntime.quantization import quantize_dynamic

    between = path.replace("model.onnx", "whole.onnx")
    optimise(whole, between, 2)
    quantize_dynamic(between, path, weight_type=qt("QInt8"), extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})


@derived("ViT, float16", "onnxruntime 1.32 float16", "a ViT in float16", vit_case, normed, "NTC:1", precision=torch.float16)
def vit_fp16(whole, path, case):
    half(False)(whole, path, case)


def resnet() -> Case:
    import torchvision

    net = frozen(torchvision.models.resnet18(weights=None, num_classes=30), 96)
    return Case(net, pictures("input", 1, 3, 96, 96), "layer4", export=script(9))


@derived("ResNet-18, opset 7", "onnx 1.23 version_converter", "opset 7: batch norm with its old attributes, pads as attributes", resnet, pooled)
def resnet18_opset7(whole, path, case):
    from onnx import version_converter

    onnx.save(version_converter.convert_version(onnx.load(whole), 7), path)


@derived("MobileNetV2, local functions", "onnx 1.23 helper", "a local function that calls another one, attributes by reference", mobilenet, pooled)
def mobilenet_functions(whole, path, case):
    """Every Conv → Clip becomes a call of one function, which calls another for its activation."""
    file = onnx.load(whole)
    relu6 = helper.make_function("wild", "Relu6", ["x"], ["y"], [
        helper.make_node("Constant", [], ["low"], value=helper.make_tensor("low", 1, [], [0.0])),
        helper.make_node("Constant", [], ["high"], value=helper.make_tensor("high", 1, [], [6.0])),
        helper.make_node("Clip", ["x", "low", "high"], ["y"]),
    ], [helper.make_opsetid("", 17)])
    conv = helper.make_node("Conv", ["x", "w", "b"], ["c"])
    for name in ("strides", "pads", "group", "dilations", "kernel_shape"):
        kind = onnx.AttributeProto.INT if name == "group" else onnx.AttributeProto.INTS
        conv.attribute.append(onnx.AttributeProto(name=name, ref_attr_name=name, type=kind))
    block = helper.make_function("wild", "ConvRelu6", ["x", "w", "b"], ["y"],
                                 [conv, helper.make_node("Relu6", ["c"], ["y"], domain="wild")],
                                 [helper.make_opsetid("", 17), helper.make_opsetid("wild", 1)],
                                 ["strides", "pads", "group", "dilations", "kernel_shape"])
    producers = {o: n for n in file.graph.node for o in n.output}
    calls, gone = [], set()
    for node in file.graph.node:
        first = producers.get(node.input[0]) if node.op_type == "Clip" else None
        if first is not None and first.op_type == "Conv":
            gone.add(first.output[0])
            call = helper.make_node("ConvRelu6", list(first.input), list(node.output), name=node.name, domain="wild")
            call.attribute.extend(first.attribute)
            calls.append(call)
        else:
            calls.append(node)
    del file.graph.node[:]
    file.graph.node.extend([n for n in calls if n.output[0] not in gone])
    file.functions.extend([relu6, block])
    file.opset_import.append(helper.make_opsetid("wild", 1))
    onnx.checker.check_model(file)
    onnx.save(file, path)


@derived("MobileNetV2, external data", "onnx 1.23 save_model", "all weights in one external file", mobilenet, pooled)
def mobilenet_external(whole, path, case):
    onnx.save_model(onnx.load(whole), path, save_as_external_data=True, all_tensors_to_one_file=True, location="model.onnx.data", size_threshold=128)


@derived("MobileNetV2, opset 26", "onnx 1.23 version_converter", "opset 26, the newest that the runtime takes", mobilenet, pooled, name="mobilenet_opset26")
def mobilenet_opset26(whole, path, case):
    from onnx import version_converter

    onnx.save(version_converter.convert_version(onnx.load(whole), 26), path)
