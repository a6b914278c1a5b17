"""Which switch is about which kind of file."""

from __future__ import annotations

from tetract.errors import ReadError
from tetract.io.grids.volume_files import VOLUME_KINDS
from tetract.io.options import ReadOptions
from tetract.io.sniff import Kind

_NIFTI = (Kind.NIFTI, Kind.NIFTI_GZ)


def check_options(options: ReadOptions, kind: Kind, where: str) -> None:
    """Refuse a switch that has no meaning for this kind of file: it was meant for another.

    Raises:
        ReadError: ``E_OPTION_UNFIT`` naming the switch.
    """
    dicom, volume = kind is Kind.DICOM, kind in VOLUME_KINDS
    picture = not dicom and not volume
    unfit = {
        "--gaps=resample": options.resample_gaps and not dicom,
        "--deskew": options.deskew and not dicom,
        "--force": options.force and not dicom,
        "--acquisition": options.acquisition is not None and not dicom,
        "--as-grey": options.as_grey and not volume,
        "--nan-to": options.nan_to_hu is not None and not volume,
        "--strict": options.strict and picture,
        "--prefer": options.prefer is not None and kind not in _NIFTI,
    }
    for switch, found in unfit.items():
        if found:
            raise ReadError(
                "E_OPTION_UNFIT",
                f"{switch} has no meaning for this kind of file",
                where=where,
                found=kind.value,
                fix="Leave the switch out",
            )
