"""Tables A1, A2, ...: our defaults, each switched off or over."""

from __future__ import annotations

from dataclasses import dataclass

from tetract.reproduce.arm import Pair, Part, Settings
from tetract.reproduce.basis import Basis
from tetract.reproduce.profile import Profile
from tetract.reproduce.trunk import trunk_arm

OTHER_HOSPITALS: Settings = {
    "data.augment.quarter_turns": 0.5,
    "data.augment.rewindow": 0.5,
    "data.augment.coarse": 0.3,
}
"""Augmentation for slices that lie, are windowed and are sampled another way."""


@dataclass(frozen=True, slots=True)
class Other:
    """An alternative.

    Attributes:
        name: What it is called.
        changes: Its settings.
        tasks: Its heads, where they are others.
    """

    name: str
    changes: Settings
    tasks: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """One default and what else it could be.

    Attributes:
        key: Of its table.
        title: What is decided.
        about: The default, and what speaks for it.
        others: The alternatives.
        tasks: Heads it is measured with; without reconstruction where that has no say.
        needs_drawn_boxes: Whether boxes in the table, and not from masks, are needed.
    """

    key: str
    title: str
    about: str
    others: tuple[Other, ...]
    tasks: str = "CSD"
    needs_drawn_boxes: bool = False


ABLATIONS = (
    Ablation(
        key="A1",
        title="Geometry of detection",
        about="Default: anchors planned from the training boxes, lesions from IoU 0.5. "
        "Alternatives: anchors of two and three times the stride; the paper's anchors of 32 to "
        "512 px with IoU 0.7; a threshold per lesion.",
        others=(
            Other("anchors not planned", {"detection.anchors": "scaled"}),
            Other(
                "the paper's anchors",
                {
                    "detection.anchors": "scaled",
                    "detection.finest_stride": 4,
                    "detection.anchor_scales": [8.0],
                    "detection.anchor_ratios": [0.5, 1.0, 2.0],
                    "detection.pooled_level": True,
                    "detection.anchor_lesion_iou": 0.7,
                },
            ),
            Other("adaptive matching", {"detection.matching": "adaptive"}),
        ),
    ),
    Ablation(
        key="A3",
        title="What reconstruction is asked",
        about="Default: hidden patches, no skip finer than stride 8. Alternatives: hidden patches "
        "with all skips; the paper's plain U-Net, which can copy its input; no reconstruction.",
        others=(
            Other("masked, all skips", {"reconstruction.finest_skip": 1}),
            Other("plain", {"reconstruction.mode": "plain"}),
            Other("no reconstruction", {}, "CSD"),
        ),
        tasks="CSRD",
    ),
    Ablation(
        key="A5",
        title="Label algebra",
        about="Default: masks of lesions also teach boxes. Alternative: drawn boxes only. Both are "
        "tested with the derived ones.",
        others=(Other("no derived boxes", {"data.derive_boxes": False}),),
        needs_drawn_boxes=True,
    ),
    Ablation(
        key="A7",
        title="Balancing",
        about="Default: equal weights on losses divided by their own scale. Alternatives: the "
        "losses as they are, and every other method that needs no extra package.",
        others=tuple(
            Other(method, {"joint.method": method})
            for method in ("fixed", "random", "uncertainty", "uwso", "dwa", "famo", "pcgrad")
        ),
        tasks="CSRD",
    ),
    Ablation(
        key="A8",
        title="Sampling",
        about="Default: about half of the rows drawn for a task show what it looks for. "
        "Alternatives: few and most.",
        others=(
            Other("a tenth with lesions", {"data.positive_fraction": 0.1}),
            Other("nine tenths with lesions", {"data.positive_fraction": 0.9}),
        ),
    ),
    Ablation(
        key="A9",
        title="Slices beside the slice",
        about="Default: one slice. Alternatives: the next slice above and below as channels; those "
        "5 mm away. Where a source has pictures or single slices only, they repeat themselves.",
        others=(
            Other("three slices", {"data.neighbours": 1}),
            Other("three slices, 5 mm", {"data.neighbours": 1, "data.neighbour_mm": 5.0}),
        ),
    ),
    Ablation(
        key="A10",
        title="Augmentation",
        about="Default: flips, rotation and zoom, grey values, noise, blur. Alternatives: none; no "
        "change of grey values; lesions copied into other lungs; turns and other windows and "
        "pixels, for other hospitals.",
        others=(
            Other("lesions copied", {"data.augment.paste.share": 0.5}),
            Other("for other hospitals", OTHER_HOSPITALS),
            Other("none", {"data.augment.enabled": False}),
            Other(
                "no change of grey values",
                {
                    "data.augment.intensity": 0.0,
                    "data.augment.noise": 0.0,
                    "data.augment.blur": 0.0,
                },
            ),
        ),
    ),
    Ablation(
        key="A11",
        title="Learning from the unlabelled",
        about="Default: the running average of the weights, and measured labels only. "
        "Alternatives: the weights of the last step; what the average is sure of as pseudo-labels "
        "where mask, box and class agree.",
        others=(
            Other("last weights", {"run.average": 0.0}),
            Other("taught by the average", {"teacher.weight": 1.0}),
        ),
    ),
    Ablation(
        key="A13",
        title="Where boxes are found",
        about="Default: the steps of the masks' decoder, which both tasks train. Alternative: a "
        "feature pyramid of its own over the encoder.",
        others=(Other("pyramid of its own", {"detection.pyramid": "fpn"}),),
    ),
    Ablation(
        key="A15",
        title="What the class is read from",
        about="Default: the encoder's maps and the map that the masks are read from. Alternative: "
        "the encoder's maps only, as in the paper.",
        others=(Other("encoder only", {"classification.read_segmentation": False}),),
    ),
    Ablation(
        key="A16",
        title="Score of the anchors",
        about="Default: cross-entropy on sampled anchors. Alternatives: focal loss on all of them; "
        "hard negatives; GroupNorm in the detection heads.",
        others=(
            Other("focal", {"detection.objectness": "focal"}),
            Other("hard negatives", {"detection.hard_negatives": 3}),
            Other("GroupNorm in the heads", {"detection.head_norm": "group"}),
        ),
    ),
    Ablation(
        key="A17",
        title="Segmentation decoder",
        about="Default: two coarser steps of the decoder learn masks too, and a stem sees the "
        "image's own resolution. Alternatives: without either; without both.",
        others=(
            Other("no deep supervision", {"segmentation.deep_supervision": 0}),
            Other("no stride-1 stem", {"encoder.fine_stem": 0}),
            Other("neither", {"segmentation.deep_supervision": 0, "encoder.fine_stem": 0}),
        ),
    ),
)


def parts(basis: Basis) -> tuple[Part, ...]:
    """One table per default."""
    chosen = (one for one in ABLATIONS if basis.boxes_drawn or not one.needs_drawn_boxes)
    return tuple(_part(basis, one) for one in (*chosen, _windows(basis.profile)))


def _windows(profile: Profile) -> Ablation:
    """Training on windows as large as the profile's slices, of slices twice that size."""
    side = profile.sizes["short"].px
    return Ablation(
        key="A18",
        title="Windows of larger slices",
        about=f"Default: whole slices of {side} px. Alternative: training on windows of {side} px, "
        f"half of them around a lesion, of slices of {2 * side} px, and testing on all of these. A "
        "training step costs the same, a test four times as much. The smallest lesion that counts "
        "is as large in mm; the finer slices still show a few that the coarser lose, so this is "
        "no exact pair for detection.",
        others=(
            Other(
                f"windows of {2 * side} px",
                {
                    "data.image_px": 2 * side,
                    "data.crop_px": side,
                    "data.min_lesion_px": 16,  # 4 pixels of the default's
                },
            ),
        ),
    )


def _part(basis: Basis, one: Ablation) -> Part:
    default = trunk_arm(basis.trunk, one.tasks, headline=True)
    others = tuple(
        trunk_arm(basis.trunk, other.tasks or one.tasks, other.name, changes=other.changes)
        for other in one.others
    )
    return Part(
        key=one.key,
        title=one.title,
        about=one.about,
        arms=(default, *others),
        pairs=tuple(
            Pair(label=arm.name, baseline=(default.name,), arm=(arm.name,)) for arm in others
        ),
    )
