"""What an exported file calls things."""

from __future__ import annotations

import numpy as np
import onnx


def operators(path: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    model = onnx.load(path, load_external_data=False)
    for node in model.graph.node:
        key = f"{node.domain}:{node.op_type}" if node.domain else node.op_type
        counts[key] = counts.get(key, 0) + 1
    return counts


skipped = {"Constant", "Shape", "Gather", "Unsqueeze", "Squeeze", "Cast", "NonMaxSuppression", "NonZero"}


def tensor_like(path: str, feeds: dict[str, np.ndarray], act: np.ndarray, tolerance: float = 1e-2) -> str | None:
    """The last tensor of the file that equals the activation, channels first or last: how the layer is called there."""
    import onnxruntime as ort

    model = onnx.load(path)
    outputs = {o.name for o in model.graph.output}
    counted = made_of(model.graph)
    names = [
        o
        for node in model.graph.node
        for o in node.output
        if o in counted and o not in outputs and node.op_type not in skipped and not node.op_type.startswith("Sequence")
    ]
    model.graph.output.extend([onnx.helper.make_empty_tensor_value_info(n) for n in names])
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    wanted = {i.name: i.type for i in session.get_inputs()}
    values = session.run(names, {k: cast(v, wanted[k]) for k, v in feeds.items() if k in wanted})
    layouts = [act, np.moveaxis(act, -1, 1), np.moveaxis(act, 1, -1)]  # exporters move the channels where it suits them
    scale = float(np.abs(act).max())
    found: list[tuple[float, str]] = []
    for n, value in zip(names, values):
        if getattr(value, "dtype", np.dtype(bool)).kind != "f":
            continue
        for same in (layout for layout in layouts if layout.shape == value.shape):
            difference = float(np.abs(value.astype(np.float64) - same).max()) / scale
            if difference <= tolerance:
                found.append((difference, n))
    best = min((difference for difference, _ in found), default=0.0)
    return next((n for difference, n in reversed(found) if difference <= 2 * best + 1e-6), None)


def made_of(graph: onnx.GraphProto) -> set[str]:
    """What the outputs are computed from; of what only a Shape is read, nothing but its size counts."""
    producers = {o: node for node in graph.node for o in node.output}
    found: set[str] = set()
    waiting = [o.name for o in graph.output]
    while waiting:
        name = waiting.pop()
        if not name or name in found:
            continue
        found.add(name)
        if name in producers and producers[name].op_type != "Shape":
            waiting += reads(producers[name])
    return found


def reads(node: onnx.NodeProto) -> list[str]:
    inner = [a.g for a in node.attribute if a.type == onnx.AttributeProto.GRAPH]
    return [*node.input, *(name for graph in inner for each in graph.node for name in reads(each))]


def form(path: str) -> dict[str, object]:
    """The opset, and what else tells a file from a plain one."""
    model = onnx.load(path, load_external_data=False)
    tensors = model.graph.initializer
    domains = sorted({n.domain for n in model.graph.node if n.domain not in ("", "ai.onnx")} - {f.domain for f in model.functions})
    kinds = {
        "float16": any(t.data_type == onnx.TensorProto.FLOAT16 for t in tensors),
        "external data": any(t.data_location == onnx.TensorProto.EXTERNAL for t in tensors),
        "local functions": len(model.functions) > 0,
        **{domain: True for domain in domains},
    }
    opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    return {"opset": opset, "form": [kind for kind, has in kinds.items() if has]}


def cast(value: np.ndarray, wanted: str) -> np.ndarray:
    return value.astype(np.float16) if wanted == "tensor(float16)" else value
