"""Stored pixels of shared/data/ct/transfer-syntaxes by independent readers: packages/medical/test/golden/transfer-syntaxes.json.

usage: python transfer_syntaxes.py ../../../shared/data/ct/transfer-syntaxes > ../../packages/medical/test/golden/transfer-syntaxes.json
needs: numpy==2.4.6 pydicom==3.0.2 python-gdcm==3.2.6 pylibjpeg==2.1.0 pylibjpeg-openjpeg==2.6.0 pylibjpeg-rle==2.2.0 (python 3.11),
       dcmtk 3.6.7 (Debian 12)

Per file: shape [frames, rows, columns, samples], type, SHA-256 of the pixels (little endian) and who read them. Colour that a codec
turns into RGB is RGB. Of lossy files also every n-th sample, n = samples // 1024 | 1: decoders may differ by one step. A palette's
picture is given apart, in RGB by the palette's upper bytes.

12-bit JPEG is read by dcmdjpeg: pylibjpeg-libjpeg's fixed-point transform is up to 2 off, and GDCM's plugin doesn't read it. JPEG-LS
in files without file meta information by dcmdjpls.
"""
import hashlib
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pydicom
from pydicom.pixels import apply_color_lut, pixel_array

warnings.simplefilter("ignore")
LOSSY = {"1.2.840.10008.1.2.4." + end for end in ("50", "51", "81", "91", "203")}
UNREADABLE = {"1.2.840.10008.1.2.4." + end for end in ("53", "55")}


def by_pydicom(path, plugin):
    ds = pydicom.dcmread(path)
    uid = ds.file_meta.TransferSyntaxUID
    # What a codec decodes as RGB, camkit has as RGB; what lies in the file as YBR stays so.
    raw = not (uid.is_compressed and ds.SamplesPerPixel == 3)
    return ds, uid, pixel_array(ds, raw=raw, decoding_plugin=plugin)


def by_dcmtk(path, program, syntax):
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.dcm"
        subprocess.run([program, str(path), str(raw)], check=True, stderr=subprocess.DEVNULL)
        ds = pydicom.dcmread(raw)
        return ds, syntax, pixel_array(ds, raw=True)


def read(path):
    uid = str(pydicom.dcmread(path, force=True, stop_before_pixels=True).file_meta.get("TransferSyntaxUID", ""))
    if uid in UNREADABLE:
        return None
    if uid.endswith("4.51"):
        return *by_dcmtk(path, "dcmdjpeg", uid), "dcmdjpeg"
    if path.name.startswith(("JLSL_RGB", "JLSN_RGB")):
        return *by_dcmtk(path, "dcmdjpls", uid), "dcmdjpls"
    for plugin in ("gdcm", "pylibjpeg", ""):
        try:
            ds, uid, pixels = by_pydicom(path, plugin)
        except Exception:  # this plugin doesn't read it, the next may
            continue
        native = not uid.is_compressed or uid.is_deflated
        return ds, str(uid), pixels, "pydicom" if native else f"pydicom with {plugin or 'its own RLE'}"
    raise SystemExit(f"no reader for {path.name}")


def sha(pixels):
    return hashlib.sha256(np.ascontiguousarray(pixels).astype(pixels.dtype.newbyteorder("<")).tobytes()).hexdigest()


def entry(path):
    found = read(path)
    if found is None:
        return {"file": path.name, "refused": True}
    ds, uid, pixels, reader = found
    frames = int(ds.get("NumberOfFrames") or 1)
    pixels = pixels.reshape(frames, ds.Rows, ds.Columns, ds.SamplesPerPixel)
    result = {
        "file": path.name,
        "syntax": str(uid),
        "reader": reader,
        "shape": list(pixels.shape),
        "type": pixels.dtype.name,
        "sha256": sha(pixels),
    }
    if uid in LOSSY:
        flat = pixels.reshape(-1)
        result["values"] = flat[:: flat.size // 1024 | 1].tolist()
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        coloured = apply_color_lut(pixels.reshape(frames, ds.Rows, ds.Columns), ds)
        result["rgbSha256"] = sha((coloured >> 8 if coloured.dtype == np.uint16 else coloured).astype(np.uint8))
    return result


entries = [entry(path) for path in sorted(Path(sys.argv[1]).iterdir()) if path.suffix == ".dcm" or ".dcm_" in path.name]
lines = ",\n".join(json.dumps(e, separators=(",", ":")) for e in entries)
print(f"[\n{lines}\n]")
