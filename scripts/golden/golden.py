"""What the scripts that write golden values share: data that no library's random numbers decide, and the files' form."""

import json
import platform
from pathlib import Path

import numpy as np
import torch

GOLDEN = Path(__file__).parents[2] / "packages/cam-train/test/golden"


def numbers(shape, seed, most=1.0):
    """Float64 numbers in -most … most with three decimals, so that the file holds them exactly.

    s <- (16807 * s) mod (2^31 - 1), Park and Miller's minimal standard generator; two draws are thrown away first.
    """
    state, values = seed, []
    for _ in range(2 + torch.Size(shape).numel()):
        state = 16807 * state % (2**31 - 1)
        values.append(round((2 * state / (2**31 - 1) - 1) * most, 3))
    return torch.tensor(values[2:], dtype=torch.float64).reshape(shape)


def tensor(value):
    """A tensor as {shape, data}, row-major. Float32 exactly, float64 to seven digits: a hundredth of what is compared."""
    return {"shape": list(value.shape), "data": data(value)}


def data(value):
    """The numbers alone."""
    write_one = (lambda x: str(np.float32(x))) if value.dtype == torch.float32 else (lambda x: f"{x:.7g}")
    return [plain(float(write_one(number))) for number in value.detach().flatten().tolist()]


def plain(number):
    """1 for 1.0: shorter, the same in JSON."""
    return int(number) if number.is_integer() else number


def write(name, script, about, **content):
    """Writes GOLDEN/<name>: one case per line, and one line for each other entry."""
    versions = {"python": platform.python_version(), "torch": torch.__version__.split("+")[0]}
    content = {"program": f"scripts/golden/{script}", "versions": versions, "about": about.strip().split("\n"), **content}
    entries = [f"{json.dumps(key)}: {on_lines(value)}" for key, value in content.items()]
    text = "{\n" + ",\n".join(entries) + "\n}\n"
    GOLDEN.mkdir(parents=True, exist_ok=True)
    (GOLDEN / name).write_text(text)
    print(f"{GOLDEN / name}: {len(content['cases'])} cases, {len(text.encode()) / 1000:.0f} kB")


def on_lines(value):
    def compact(part):
        return json.dumps(part, separators=(",", ":"), ensure_ascii=False)

    return "[\n" + ",\n".join(map(compact, value)) + "\n]" if isinstance(value, list) else compact(value)
