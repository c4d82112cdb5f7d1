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


def tensor_like(path: str, feeds: dict[str, np.ndarray], act: np.ndarray, rtol: float = 1e-2, atol: float = 1e-3) -> str | None:
    """The last tensor of the file that equals the activation: how the layer is called there."""
    import onnxruntime as ort

    model = onnx.load(path)
    outputs = {o.name for o in model.graph.output}
    names = [
        o
        for node in model.graph.node
        for o in node.output
        if o and o not in outputs and node.op_type not in skipped and not node.op_type.startswith("Sequence")
    ]
    model.graph.output.extend([onnx.helper.make_empty_tensor_value_info(n) for n in names])
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    wanted = {i.name: i.type for i in session.get_inputs()}
    values = session.run(names, {k: cast(v, wanted[k]) for k, v in feeds.items() if k in wanted})
    scale = float(np.abs(act).max())
    best: tuple[float, str | None] = (np.inf, None)
    for n, value in zip(names, values):
        if getattr(value, "shape", None) != act.shape or value.dtype.kind != "f":
            continue
        difference = float(np.abs(value.astype(np.float64) - act).max()) / scale
        if difference <= max(rtol, best[0] * 1.0001) and difference <= best[0] * 1.5 + atol:
            best = (difference, n)
    return best[1]


def cast(value: np.ndarray, wanted: str) -> np.ndarray:
    return value.astype(np.float16) if wanted == "tensor(float16)" else value
