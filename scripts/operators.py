"""The operators of the ONNX standard and the opsets in which each changed, as the data that docs/operators.md is held to.

pip install onnx==1.23.2; python scripts/operators.py > packages/cam-core/src/autodiff/standard-operators.ts
"""
import onnx

NEWEST = 26

versions = {}
for schema in onnx.defs.get_all_schemas_with_history():
    if schema.domain == "" and schema.since_version <= NEWEST:
        versions.setdefault(schema.name, []).append(schema.since_version)

print(f"/** ONNX's own operators up to opset {NEWEST}, and the opsets in which each changed. Written by scripts/operators.py. */")
print("export const standardOperators: Readonly<Record<string, readonly number[]>> = {")
for name in sorted(versions):
    print(f"  {name}: [{', '.join(map(str, sorted(set(versions[name]))))}],")
print("};")
