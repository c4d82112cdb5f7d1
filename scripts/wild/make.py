"""
Makes the models of the zoo "in the wild" with their references.

usage: make.py [OUT all | OUT NAME …]

Without arguments the models are listed. `all` makes those that aren't there yet. Each gets
OUT/<name>/{model.onnx, x.npy, <other inputs>.npy, logits.npy, input_grad.npy, cam.npy, act.npy, meta.json}, as scripts/zoo.mjs
reads them. README.md says what to install. A model whose packages aren't there is skipped, and said so.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback

import peers

families = ["vision", "detectors", "transformer", "volumes", "files", "keras_nets", "recurrent"]


def add_to_meta(folder: str, more: dict[str, object]) -> None:
    with open(f"{folder}/meta.json") as file:
        meta = json.load(file)
    with open(f"{folder}/meta.json", "w") as file:
        json.dump({**meta, **more}, file, indent=1)


def main() -> int:
    peers.prepare()
    from names import form
    from registry import models

    for family in families:
        try:
            importlib.import_module(f"nets.{family}")
        except ModuleNotFoundError as missing:
            print(f"skipped {family}: no module {missing.name}")
    out, *names = sys.argv[1:] or [""]
    if not names:
        for name, entry in models.items():
            print(f"{name:28} {entry['facts']['title']:46} {entry['facts']['source']:44} {entry['facts']['special']}")
        return 0
    everything = names == ["all"]
    failed = 0
    for name in list(models) if everything else names:
        folder = f"{out}/{name}"
        if everything and os.path.exists(f"{folder}/meta.json"):
            continue
        started = time.time()
        try:
            entry = models[name]
            os.makedirs(folder, exist_ok=True)
            meta = entry["make"](name, folder, entry["facts"])
            add_to_meta(folder, form(f"{folder}/model.onnx"))
            figures = "e32 {e32:.1e} cam {cam_e32:.1e} max {cam_max:.1e} at {tensor}".format(
                **{"e32": 0, "cam_e32": 0, "cam_max": 0, "tensor": None, **meta}
            )
            print(f"{name:28} {time.time() - started:5.1f} s  {figures}", flush=True)
        except ModuleNotFoundError as missing:
            print(f"{name:28} skipped: no module {missing.name}", flush=True)
        except Exception as error:
            failed += 1
            print(f"{name:28} FAILED", "".join(traceback.format_exception(error, limit=-4))[-1500:], flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
