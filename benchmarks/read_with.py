"""Read one path with one reader and print one JSON line; run by ``benchmarks.reading``.

It imports nothing of ours unless asked for us, so it also runs in an environment that holds only
the peers.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any


def tetract(path: Path) -> tuple[int, ...]:
    """Ours."""
    from tetract.io import read_volume

    return read_volume(path).values.shape


def simpleitk(path: Path) -> tuple[int, ...]:
    """Files in the order that GDCM finds."""
    import SimpleITK as sitk  # noqa: N813  its own usual name

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    if path.is_file():
        return sitk.ReadImage(str(path)).GetSize()
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(path))
    return sitk.ReadImage(names).GetSize()


def dicom2nifti(path: Path) -> tuple[int, ...]:
    """Its one-series function."""
    from dicom2nifti import convert_dicom

    with tempfile.TemporaryDirectory() as out:
        made = convert_dicom.dicom_series_to_nifti(str(path), str(Path(out) / "a.nii.gz"))
        return tuple(made["NII"].shape)


def dcm2niix(path: Path) -> tuple[int, ...]:
    """The program from its wheel."""
    program = Path(sys.executable).with_name("dcm2niix")
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(
            [program, "-b", "n", "-z", "n", "-o", out, path], check=True, capture_output=True
        )
        made = list(Path(out).glob("*.nii"))
        if not made:
            raise ValueError("no volume written")
        return (len(made),)


def highdicom(path: Path) -> tuple[int, ...]:
    """Its volume builder."""
    import highdicom as hd
    import pydicom

    files = [pydicom.dcmread(file) for file in sorted(path.iterdir()) if file.is_file()]
    return hd.get_volume_from_series(files).spatial_shape


def nibabel(path: Path) -> tuple[int, ...]:
    """As floats."""
    import nibabel as nib

    return nib.load(path).get_fdata().shape


def bare_pydicom(path: Path) -> tuple[int, ...]:
    """The least that gives HU: read, sort, rescale into one array."""
    import numpy as np
    import pydicom

    headers = [pydicom.dcmread(file) for file in path.iterdir()]
    headers.sort(key=lambda header: float(header.ImagePositionPatient[2]))
    volume = np.empty((len(headers), headers[0].Rows, headers[0].Columns), np.int16)
    for index, header in enumerate(headers):
        stored = header.pixel_array
        volume[index] = stored * float(header.RescaleSlope) + float(header.RescaleIntercept)
        del header.PixelData
    return volume.shape


READERS = {
    "tetract": tetract,
    "SimpleITK": simpleitk,
    "dicom2nifti": dicom2nifti,
    "dcm2niix": dcm2niix,
    "highdicom": highdicom,
    "nibabel": nibabel,
    "bare pydicom": bare_pydicom,
}


def peak_mb() -> float:
    """Most memory held since this program started (getrusage would count its parent's)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main() -> None:
    """Read, time, tell."""
    warnings.simplefilter("ignore")
    name, path = sys.argv[1], Path(sys.argv[2])
    told: dict[str, Any] = {"volume": False, "why": ""}
    READERS[name](Path(sys.argv[3])) if len(sys.argv) > 3 else None  # imports and caches, untimed
    started = time.perf_counter()
    try:
        shape = READERS[name](path)
        told |= {"volume": True, "shape": [int(n) for n in shape]}
    except Exception as error:  # noqa: BLE001  whatever a peer raises is its refusal
        told["why"] = f"{type(error).__name__}: {error}"[:200]
    told |= {"seconds": time.perf_counter() - started, "peak_mb": peak_mb()}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
