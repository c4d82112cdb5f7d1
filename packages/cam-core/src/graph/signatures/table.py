"""Writes table.ts: what ONNX's and ONNX Runtime's own schemas say of every operator's inputs, outputs and attributes.

pip install onnx==1.23.2 onnxruntime==1.32.0; python table.py
"""
from collections import defaultdict

import onnx.defs
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import get_all_operator_schema

OLDEST = 7
TYPES = dict(INT="i", FLOAT="f", STRING="s", TENSOR="t", GRAPH="g", INTS="I", FLOATS="F", STRINGS="S", GRAPHS="G",
             TENSORS="T", TYPE_PROTO="p", TYPE_PROTOS="P", SPARSE_TENSOR="x", SPARSE_TENSORS="X")


def count(low, high):
    return str(low) if low == high else f"{low}-{high}"


def signature(schema):
    single = sum(p.option.name == "Single" for p in schema.inputs)
    # Any number of values: as many as before them, and none of them absent.
    head = sum(p.option.name != "Variadic" for p in schema.inputs)
    least = single if head else schema.min_input
    inputs = f"{least}+{head}" if schema.max_input > 1000 else count(single, schema.max_input)
    outputs = f"{schema.min_output}+0" if schema.max_output > 1000 else count(schema.min_output, schema.max_output)
    attributes = [f"{name}{'!' if a.required else ''}:{TYPES[a.type.name]}" for name, a in sorted(schema.attributes.items())]
    return " ".join([inputs, outputs, *attributes])


def rows(schemas, prefix, oldest):
    by = defaultdict(list)
    for schema in schemas:
        by[schema.name].append(schema)
    for name in sorted(by):
        versions = sorted(by[name], key=lambda s: s.since_version)
        said = None
        for i, schema in enumerate(versions):
            replaced = i + 1 < len(versions) and versions[i + 1].since_version <= oldest
            if replaced or schema.deprecated:
                continue
            # Opset 11 asked for Resize's roi, which nobody but the exporters of two years wrote; 13 let it go.
            text = signature(versions[i + 1] if (name, schema.since_version) == ("Resize", 11) else schema)
            if text != said:
                yield f"{prefix}{name} {schema.since_version} {text}"
            said = text


standard = rows((s for s in onnx.defs.get_all_schemas_with_history() if s.domain == ""), "", OLDEST)
fused = rows((s for s in get_all_operator_schema() if s.domain == "com.microsoft"), "com.microsoft:", 1)
with open("table.ts", "w") as file:
    file.write(f"""/**
 * Written by table.py from the schemas of onnx {onnx.__version__} and onnxruntime {onnxruntime.__version__}; never edited. A row:
 *
 *   operator, opset since when, inputs (how many must be there, how many can), outputs, attributes with their types (! required)
 *
 * Inputs "1+2": one must be there, and behind the first two as many as wanted, each of which must be there, too.
 */
export const table = `
""")
    file.writelines(f"{row}\n" for row in [*standard, *fused])
    file.write("`;\n")
