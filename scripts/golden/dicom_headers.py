"""What pydicom reads of the headers of shared/data/ct: packages/medical/test/golden/dicom-headers.json.

usage: python dicom_headers.py ../../../shared/data/ct > ../../packages/medical/test/golden/dicom-headers.json
needs: pydicom==3.0.2 (python 3.11)

Per file: transfer syntax, UIDs, names, layout, and of the first and last frame where it lies and how it is rescaled. Of a series the
positions of all files, in the order of their names.
"""
import json
import sys
import warnings
from pathlib import Path

import pydicom

warnings.simplefilter("ignore")
root = Path(sys.argv[1])


def frame(ds, index):
    """Functional groups first, per frame before shared, then the data set."""
    places = [s[i] for s, i in (
        (ds.get("PerFrameFunctionalGroupsSequence"), index),
        (ds.get("SharedFunctionalGroupsSequence"), 0),
    ) if s]

    def said(sequence, keyword):
        for place in places:
            if place.get(sequence) and place[sequence][0].get(keyword) is not None:
                return place[sequence][0].get(keyword)
        return ds.get(keyword)

    numbers = lambda value: None if value is None or value == "" else [float(x) for x in value]
    number = lambda value, default: default if value is None or value == "" else float(value)
    return {
        "position": numbers(said("PlanePositionSequence", "ImagePositionPatient")),
        "spacing": numbers(said("PixelMeasuresSequence", "PixelSpacing")),
        "slope": number(said("PixelValueTransformationSequence", "RescaleSlope"), 1),
        "intercept": number(said("PixelValueTransformationSequence", "RescaleIntercept"), 0),
    }


def header(path):
    ds = pydicom.dcmread(path, force=True, stop_before_pixels=True)
    frames = int(ds.get("NumberOfFrames") or 1)
    return {
        "file": str(path.relative_to(root)),
        "transferSyntax": ds.file_meta.TransferSyntaxUID,
        "sopClass": ds.get("SOPClassUID") or "",
        "sopInstance": ds.get("SOPInstanceUID") or "",
        "study": ds.get("StudyInstanceUID") or "",
        "series": ds.get("SeriesInstanceUID") or "",
        "patientName": str(ds.get("PatientName") or ""),
        "patientId": ds.get("PatientID") or "",
        "manufacturer": ds.get("Manufacturer") or "",
        "seriesDescription": ds.get("SeriesDescription") or "",
        "imageType": [value.strip() for value in ds.get("ImageType") or []],
        "layout": [frames, ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.BitsAllocated, ds.BitsStored, ds.get("HighBit", ds.BitsStored - 1), ds.PixelRepresentation],
        "photometric": ds.PhotometricInterpretation,
        "padding": ds.get("PixelPaddingValue"),
        "first": frame(ds, 0),
        "last": frame(ds, frames - 1),
    }


series = root / "series/covid-ct-md-P002"
print(json.dumps({
    "files": [header(path) for path in sorted((root / "transfer-syntaxes").glob("*.dcm")) + sorted(root.glob("*.dcm"))],
    "heights": [float(pydicom.dcmread(path, stop_before_pixels=True).ImagePositionPatient[2]) for path in sorted(series.iterdir())],
}, indent=1))
