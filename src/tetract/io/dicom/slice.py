"""One CT slice: its place, its rescale, its Hounsfield units."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64, Integer, Shaped
from pydicom.dataset import Dataset

from tetract.errors import GeometryError, ReadError
from tetract.io.dicom.header import (
    integer,
    is_forced,
    no_geometry,
    number,
    numbers,
    tag_name,
    text,
)
from tetract.io.dicom.pixels import PixelFormat, pixel_format
from tetract.io.hu_checks import AIR_HU, HuTally, settle_slice
from tetract.io.options import ReadOptions

ORTHONORMAL_TOLERANCE = 1e-4
SPACING_RANGE_MM = (0.01, 50.0)
# HU where a voxel could be tissue: a padding value in here cannot be told from it.
_TISSUE_HU = (-900.0, 3100.0)
# PS3.3 C.11.1.1.2; vendors also write free text such as "Hounsfield unit", which is no reason
# to refuse.
_NOT_HU_TYPES = ("OD", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT")


@dataclass(frozen=True, slots=True, kw_only=True)
class CtSlice:
    """The header of one slice, checked.

    Attributes:
        path: Its file.
        pixels: How pixels are stored.
        position: (3,) Centre of the first voxel in LPS mm (PS3.3 C.7.6.2.1.1).
        along_row: (3,) Unit vector in which the column index grows.
        along_column: (3,) Unit vector in which the row index grows.
        spacing_mm: Between rows, between columns (PS3.3 10.7.1.3).
        thickness_mm: Nominal thickness, or None; not a distance between slices.
        frame_of_reference: UID, or "".
        instance: Instance number, or None.
        in_acquisition: Images in acquisition, or None.
        slope: HU per stored value.
        intercept: HU of a stored 0.
        assumed: Whether slope and intercept were assumed on request.
        padding: Smallest and largest stored value that mark a voxel outside the reconstruction.
        burned_in: Whether the header says that text is burned into the picture.
        forced: Whether the file lacks its preamble, or does not say how it is encoded.
        acquisition: Acquisition number, or None.
        frame: Index in a file of several frames, or None for a file of one slice.
        frames: How many frames the file holds.
    """

    path: Path
    pixels: PixelFormat
    position: Float64[np.ndarray, " 3"]
    along_row: Float64[np.ndarray, " 3"]
    along_column: Float64[np.ndarray, " 3"]
    spacing_mm: tuple[float, float]
    thickness_mm: float | None
    frame_of_reference: str
    instance: int | None
    in_acquisition: int | None
    slope: float
    intercept: float
    assumed: bool
    padding: tuple[int, int] | None
    burned_in: bool
    forced: bool = False
    acquisition: int | None = None
    frame: int | None = None
    frames: int = 1

    @property
    def name(self) -> str:
        """Base name of the file, with the number of the frame where it holds several."""
        return slice_name(self.path, self.frame)

    @property
    def normal(self) -> Float64[np.ndarray, " 3"]:
        """(3,) Unit vector across the slice, the cross product of row and column direction."""
        return np.cross(self.along_row, self.along_column)


def slice_name(path: Path, frame: int | None) -> str:
    """``0001.dcm``, or ``whole.dcm#0001`` for the first frame of a file of several."""
    return path.name if frame is None else f"{path.name}#{frame + 1:04d}"


def parse_slice(
    header: Dataset, path: Path, options: ReadOptions, *, frame: int | None = None, frames: int = 1
) -> CtSlice:
    """Check a CT header and keep what is needed of it.

    Args:
        header: The attributes of one slice; those of one frame, flattened, for a multi-frame file.
        path: Its file.
        options: What may be assumed.
        frame: Index in a file of several frames.
        frames: How many frames the file holds.

    Raises:
        GeometryError: ``E_NO_GEOMETRY``, ``E_BAD_SPACING``, ``E_BAD_ORIENTATION``.
        ReadError: ``E_NO_RESCALE``, ``E_BAD_RESCALE``, ``E_NOT_HU`` and those of
            ``pixel_format``.
    """
    where = slice_name(path, frame)
    along_row, along_column = _orientation(header, where)
    slope, intercept, assumed = _rescale(header, options, where)
    thickness = _lenient(header, "SliceThickness", where)
    instance = _lenient(header, "InstanceNumber", where)
    in_acquisition = _lenient(header, "ImagesInAcquisition", where)
    acquisition = _lenient(header, "AcquisitionNumber", where)
    pixels = pixel_format(header, path)
    return CtSlice(
        path=path,
        pixels=pixels,
        position=np.asarray(_place(header, "ImagePositionPatient", 3, "E_NO_GEOMETRY", where)),
        along_row=along_row,
        along_column=along_column,
        spacing_mm=_spacing(header, where),
        thickness_mm=thickness if thickness is not None and thickness > 0 else None,
        frame_of_reference=text(header, "FrameOfReferenceUID"),
        instance=None if instance is None else int(instance),
        in_acquisition=None if in_acquisition is None else int(in_acquisition),
        slope=slope,
        intercept=intercept,
        assumed=assumed,
        padding=_padding_range(header, pixels, where),
        burned_in=text(header, "BurnedInAnnotation").upper() == "YES",
        forced=is_forced(header),
        acquisition=None if acquisition is None else int(acquisition),
        frame=frame,
        frames=frames,
    )


def slice_hu(
    image: CtSlice, stored: Integer[np.ndarray, "H W"], tally: HuTally
) -> tuple[Shaped[np.ndarray, "H W"], tuple[str, ...]]:
    """Whole HU of one slice, (H, W), padding and everything below air at -1024; and warnings.

    MONOCHROME1 changes how a picture is shown, not what HU are: values stay as rescaled.

    Raises:
        ReadError: See ``settle_slice``.
    """
    padding, notes = _padding(stored, image)
    return settle_slice(_rescaled(stored, image), padding, tally, image.name), notes


def _rescaled(stored: Integer[np.ndarray, "H W"], image: CtSlice) -> Shaped[np.ndarray, "H W"]:
    slope, intercept = int(image.slope), int(image.intercept)
    exact = slope == image.slope and intercept == image.intercept
    # 16 bits times a small slope stay within int32; it halves the time of a long series.
    if exact and stored.dtype.itemsize <= 2 and slope < 2**12 and abs(intercept) < 2**24:
        return stored.astype(np.int32) * np.int32(slope) + np.int32(intercept)
    return stored * np.float64(image.slope) + image.intercept


def _orientation(
    header: Dataset, where: str
) -> tuple[Float64[np.ndarray, " 3"], Float64[np.ndarray, " 3"]]:
    six = _place(header, "ImageOrientationPatient", 6, "E_BAD_ORIENTATION", where)
    row, column = np.asarray(six[:3]), np.asarray(six[3:])
    lengths = float(np.linalg.norm(row)), float(np.linalg.norm(column))
    skew = abs(float(row @ column))
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1), skew) > ORTHONORMAL_TOLERANCE:
        raise GeometryError(
            "E_BAD_ORIENTATION",
            f"{tag_name('ImageOrientationPatient')} is not two unit vectors at right angles",
            where=where,
            expected=f"lengths 1 and product 0 within {ORTHONORMAL_TOLERANCE:g}",
            found=f"lengths {lengths[0]:.4f} and {lengths[1]:.4f}, product {skew:.4f}",
            fix="Export the image again",
        )
    return row / lengths[0], column / lengths[1]


def _spacing(header: Dataset, where: str) -> tuple[float, float]:
    rows, columns = _place(header, "PixelSpacing", 2, "E_BAD_SPACING", where)
    low, high = SPACING_RANGE_MM
    if min(rows, columns) < low or max(rows, columns) > high:
        raise GeometryError(
            "E_BAD_SPACING",
            f"{tag_name('PixelSpacing')} cannot be that of a CT",
            where=where,
            expected=f"{low:g} to {high:g} mm",
            found=f"{rows:g} x {columns:g} mm",
            fix="Export the original series",
        )
    return rows, columns


def _place(header: Dataset, keyword: str, count: int, code: str, where: str) -> tuple[float, ...]:
    try:
        values = numbers(header, keyword, where)
    except ReadError as fault:
        raise GeometryError(
            code,
            f"{tag_name(keyword)} cannot be used",
            where=where,
            expected=f"{count} numbers",
            found=fault.found,
            fix="Export the original series",
        ) from None
    if not values:
        raise no_geometry(keyword, where, count)
    if len(values) != count:
        raise GeometryError(
            code,
            f"{tag_name(keyword)} cannot be used",
            where=where,
            expected=f"{count} numbers",
            found=f"{len(values)}",
            fix="Export the original series",
        )
    return values


def _lenient(header: Dataset, keyword: str, where: str) -> float | None:
    """A number that no result depends on: a broken one counts as absent."""
    try:
        return number(header, keyword, where)
    except ReadError:
        return None


def _rescale(header: Dataset, options: ReadOptions, where: str) -> tuple[float, float, bool]:
    kind = text(header, "RescaleType").upper()
    if kind in _NOT_HU_TYPES:
        raise ReadError(
            "E_NOT_HU",
            "the rescaled values are not Hounsfield units",
            where=where,
            expected="rescale type HU",
            found=kind[:16],
            fix="Export the CT image rather than a derived map",
        )
    slope, intercept = (
        number(header, "RescaleSlope", where),
        number(header, "RescaleIntercept", where),
    )
    if slope is None or intercept is None:
        if options.assume_hu:
            return slope or 1.0, intercept or 0.0, True
        missing = "RescaleSlope" if slope is None else "RescaleIntercept"
        raise ReadError(
            "E_NO_RESCALE",
            f"{tag_name(missing)} is missing, so stored values are not Hounsfield units",
            where=where,
            expected="rescale slope and intercept",
            found="nothing",
            fix="Export the original series, or allow it with assume_hu",
        )
    if slope <= 0:
        raise ReadError(
            "E_BAD_RESCALE",
            f"{tag_name('RescaleSlope')} cannot be used",
            where=where,
            expected="a positive number",
            found=f"{slope:g}",
            fix="Export the original series",
        )
    return slope, intercept, False


def _padding_range(header: Dataset, pixels: PixelFormat, where: str) -> tuple[int, int] | None:
    """Pixel Padding Value and its Range Limit as stored values (PS3.3 C.7.5.1.1.2)."""
    value = integer(header, "PixelPaddingValue", where)
    if value is None:
        return None
    limit = integer(header, "PixelPaddingRangeLimit", where)
    ends = sorted(_with_sign(v, pixels) for v in (value, value if limit is None else limit))
    return ends[0], ends[1]


def _with_sign(value: int, pixels: PixelFormat) -> int:
    """The padding value with the sign of the pixels: its VR may have been written as unsigned."""
    top = 1 << (pixels.allocated - 1)
    return value - 2 * top if pixels.signed and value >= top else value


def _padding(
    stored: Integer[np.ndarray, "H W"], image: CtSlice
) -> tuple[Bool[np.ndarray, "H W"] | None, tuple[str, ...]]:
    if image.padding is None:
        return None, ()
    low, high = image.padding
    hu_low, hu_high = (v * image.slope + image.intercept for v in (low, high))
    # Nothing below a padding value is a measurement; lossy compression blurs the value itself.
    mask = (stored <= high) & ((stored >= low) | (hu_high < AIR_HU))
    if not mask.any():
        return None, ()
    if hu_high > _TISSUE_HU[0] and hu_low < _TISSUE_HU[1]:
        return None, (
            f"W_PADDING_IGNORED {image.name}: the padding value stands for"
            f" {hu_low:g} HU, which may be tissue; voxels were left as they are",
        )
    return mask, ()
