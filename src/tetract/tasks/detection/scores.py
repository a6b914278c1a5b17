"""What is reported of a detector: plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from tetract.tasks.detection.froc import FrocCurve
from tetract.types.figure import Figure, Support


@dataclass(frozen=True, slots=True, kw_only=True)
class FrocBand:
    """A FROC curve with its pointwise interval, ready to be drawn.

    Attributes:
        false_positives: Mean per slice or per scan, 1/8 to 8, three points per octave.
        sensitivity: At each.
        low: Lower end of the interval there; None where it is unknown.
        high: Upper end.
    """

    false_positives: tuple[float, ...]
    sensitivity: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrocScores:
    """Sensitivity at LUNA16's seven rates of false positives.

    Attributes:
        rates: 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives per slice or per scan.
        sensitivity: One figure per rate.
        cpm: Competition performance metric: their mean.
        band: The curve between them, or None where it is not defined.
    """

    rates: tuple[float, ...]
    sensitivity: tuple[Figure, ...]
    cpm: Figure
    band: FrocBand | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeScores:
    """Lesions of one size.

    Attributes:
        name: The size in words, in mm, or in px for lesions on slices of unknown spacing.
        lesions: Reference boxes of this size.
        sensitivity_1fp: Sensitivity at 1 false positive per slice, IoU 0.3.
    """

    name: str
    lesions: int
    sensitivity_1fp: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreScores:
    """Another rule of matching, because IoU is unstable on the smallest lesions.

    A lesion under 6 mm is found by a prediction whose centre lies in its box, any other by IoU
    0.3. Undefined where no lesion is known to be so small: the figures would be those of IoU.

    Attributes:
        lesions: Lesions known to be under 6 mm.
        small_sensitivity_1fp: Of these, at 1 false positive per slice.
        sensitivity_1fp: Of all lesions, at 1 false positive per slice.
        cpm: Of all lesions, mean over 1/8 to 8 false positives per slice.
    """

    lesions: int
    small_sensitivity_1fp: Figure
    sensitivity_1fp: Figure
    cpm: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanScores:
    """Boxes of neighbouring slices merged into boxes of the scan, predicted and reference alike.

    Attributes:
        lesions: Merged reference boxes; None where the slices are not whole series.
        ap_10: Average precision at IoU 0.1 in three dimensions.
        ap_30: Average precision at IoU 0.3.
        froc: Per scan, IoU 0.1.
    """

    lesions: int | None
    ap_10: Figure
    ap_30: Figure
    froc: FrocScores


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionScores:
    """One kind of lesion, or all kinds without telling them apart.

    Attributes:
        name: Name of the lesion, or "any lesion".
        lesions: Reference boxes on slices.
        scans: Series; None where the slices are not whole series.
        support: Slices where it was looked for.
        ap_10: Average precision at IoU 0.1.
        ap_20: Average precision at IoU 0.2.
        ap_30: Average precision at IoU 0.3.
        ap_40: Average precision at IoU 0.4.
        ap_50: Average precision at IoU 0.5.
        ap_coco: Mean of the average precision at IoU 0.50, 0.55 ... 0.95.
        sensitivity_1fp: Sensitivity at 1 false positive per slice, IoU 0.3.
        froc: The curve it was read from, or None without a lesion.
        per_slice: Boxes on slices, IoU 0.3, false positives per slice.
        per_scan: Boxes on slices, IoU 0.3, false positives per scan.
        by_size: One entry per size, in mm, then in px.
        centre: With another rule for lesions under 6 mm.
        merged: Boxes in the scan.
    """

    name: str
    lesions: int
    scans: int | None
    support: Support
    ap_10: Figure
    ap_20: Figure
    ap_30: Figure
    ap_40: Figure
    ap_50: Figure
    ap_coco: Figure
    sensitivity_1fp: Figure
    froc: FrocCurve | None
    per_slice: FrocScores
    per_scan: FrocScores
    by_size: tuple[SizeScores, ...]
    centre: CentreScores
    merged: ScanScores


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionScores:
    """All lesions.

    Attributes:
        any_lesion: Classes ignored: any box on any lesion. On each slice only the lesions looked
            for there, both predicted and reference.
        classes: One entry per lesion, in label order.
    """

    any_lesion: LesionScores
    classes: tuple[LesionScores, ...]
