"""An anchor plan in words and tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tetract.recipe.planning import AnchorPlan
from tetract.tasks.detection.anchor_fit import FEWEST, WANTED_IOU, Fit, FitTable
from tetract.tasks.detection.config import AnchorLevel


def render_plan(plan: AnchorPlan) -> str:
    """Tables for a terminal, and the setting to copy."""
    parts = [
        f"{plan.boxes} lesion boxes on {plan.slices} training slices, as seen at "
        f"{plan.image_px} x {plan.image_px} px."
    ]
    if plan.boxes < FEWEST:
        parts.append(f"These are few: with less than {FEWEST} boxes, others may look otherwise.")
    if plan.found is not None:
        parts.append(_levels_table(plan.found.levels, plan.image_px))
    parts.append(_groups_table(plan))
    parts.append(_sizes_table(plan))
    if plan.found is not None:
        parts.append(f"To keep these anchors:\n  detection.anchors={as_setting(plan.found.levels)}")
    return "\n\n".join(parts)


def as_setting(levels: Sequence[AnchorLevel]) -> str:
    """The value of ``detection.anchors`` that means ``levels``, in one line of YAML."""
    entries = [
        f"{{stride: {level.stride}, sizes: [{_listed(level.sizes)}], "
        f"ratios: [{_listed(level.ratios)}]}}"
        for level in levels
    ]
    return f"[{', '.join(entries)}]"


def plan_as_json(plan: AnchorPlan) -> dict[str, Any]:
    """The same for programs; sizes in px."""
    found = None
    if plan.found is not None:
        found = [level.model_dump(mode="json") for level in plan.found.levels]
    return {
        "image_px": plan.image_px,
        "slices": plan.slices,
        "boxes": plan.boxes,
        "given": _table_as_json(plan.given),
        "anchors": found,
        "planned": None if plan.fitted is None else _table_as_json(plan.fitted),
        "reachable_p10_at_double_px": plan.doubled,
        "warnings": list(plan.warnings()),
    }


def _levels_table(levels: Sequence[AnchorLevel], image_px: int) -> str:
    rows = [
        (
            f"{level.stride} px",
            _listed(level.sizes),
            _listed(level.ratios),
            str((image_px // level.stride) ** 2 * len(level.sizes) * len(level.ratios)),
        )
        for level in levels
    ]
    return _table(("level", "sizes, px", "height/width", "anchors per slice"), rows)


def _groups_table(plan: AnchorPlan) -> str:
    after = plan.fitted.groups if plan.fitted else (None,) * len(plan.given.groups)
    rows = [
        ("anchors per slice", "", *_pair(plan, lambda table: str(table.anchors))),
        *(
            (
                f"{one.name}: p10, p25, p50",
                str(one.boxes),
                _quantiles(one),
                *([] if other is None else [_quantiles(other)]),
            )
            for one, other in zip(plan.given.groups, after, strict=True)
        ),
    ]
    return f"IoU of each box with its best anchor ({WANTED_IOU} is wanted at p10)\n" + _table(
        ("", "boxes", *_heads(plan)), rows
    )


def _sizes_table(plan: AnchorPlan) -> str:
    after = plan.fitted.sizes if plan.fitted else (None,) * len(plan.given.sizes)
    rows = [
        (
            one.name,
            str(one.boxes),
            _missed(one),
            *([] if other is None else [_missed(other)]),
        )
        for one, other in zip(plan.given.sizes, after, strict=True)
    ]
    return f"Boxes whose best IoU is below {WANTED_IOU}, by side\n" + _table(
        ("side", "boxes", *_heads(plan)), rows
    )


def _heads(plan: AnchorPlan) -> tuple[str, ...]:
    return ("now",) if plan.fitted is None else ("now", "planned")


def _pair(plan: AnchorPlan, say: Callable[[FitTable], str]) -> list[str]:
    tables = [plan.given] if plan.fitted is None else [plan.given, plan.fitted]
    return [say(table) for table in tables]


def _quantiles(fit: Fit) -> str:
    return " ".join(f"{value:.2f}" for value in fit.quantiles)


def _missed(fit: Fit) -> str:
    return f"{100 * fit.missed:.0f} %"


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns under each other, words left and figures right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines: list[str] = []
    for row in (head, ["-" * width for width in widths], *rows):
        cells = [
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _table_as_json(table: FitTable) -> dict[str, Any]:
    def fits(found: Sequence[Fit]) -> list[dict[str, Any]]:
        return [
            {
                "name": fit.name,
                "boxes": fit.boxes,
                "p10": fit.quantiles[0],
                "p25": fit.quantiles[1],
                "p50": fit.quantiles[2],
                "missed": fit.missed,
            }
            for fit in found
        ]

    return {
        "anchors_per_slice": table.anchors,
        "groups": fits(table.groups),
        "sizes": fits(table.sizes),
    }
