"""The model card: what it is, for what, and how it fails.

After Mitchell et al. 2019 (arXiv 1810.03993).
"""

from __future__ import annotations

from collections.abc import Iterator

from tetract.evaluate.cards.material import Material
from tetract.evaluate.cards.words import figure_text, note, unknown, with_support, worst_first
from tetract.evaluate.class_source import source_banner
from tetract.evaluate.headline import PRIMARY_FIGURES
from tetract.evaluate.named_figures import named_figures
from tetract.types.card import Card, Remark
from tetract.types.figure import Figure
from tetract.types.table import Cell, Table

FAILURES = (
    ("segmentation/dice_lesions", "Dice of lesions"),
    ("detection/any_lesion/ap_30", "AP at IoU 0.3"),
    ("detection/any_lesion/sensitivity_1fp", "sensitivity at 1 false positive per slice"),
    ("classification/sensitivity_at_95_macro", "sensitivity at 95 % specificity"),
)


def model_card(material: Material) -> Card:
    """Intended use, architecture, training, figures with intervals, caveats."""
    return Card(
        name="model",
        title="Model card: what it is, and what it is not for",
        remarks=worst_first(
            [
                note("For research only. Not a medical device; not for decisions about patients."),
                *_training(material),
                *_calibration(material),
                *_failures(material),
            ]
        ),
        tables=(_facts(material), _figures(material)),
        banner=source_banner(material.evaluation),
    )


def _training(material: Material) -> Iterator[Remark]:
    description = material.bundle.description
    dataset = description.dataset
    if not dataset:
        yield unknown("The model does not say what it was trained on.")
        return
    if "labels_used" in dataset:
        yield note(f"Not all labels were used in training, but {dataset['labels_used']}.")
    if "pseudo_labels" in dataset:
        yield note(
            f"Labels that were missing were filled by pseudo-labels {dataset['pseudo_labels']}."
        )
    sources = len(material.folder.card.sources)
    yield note(
        f"Trained for {description.step} steps on '{dataset.get('name', 'unknown')}' (split "
        f"{dataset.get('splits', 'unknown')[:12]}). Scored on {sources} "
        f"source{'s' if sources > 1 else ''}; other scanners, protocols and patients are unknown "
        "to these figures."
    )


def _calibration(material: Material) -> Iterator[Remark]:
    scores = material.evaluation.overall.classification
    if scores is None:
        return
    if scores.ece.value is None:
        yield unknown(f"Calibration is unknown: {scores.ece.reason}.")
        return
    yield note(
        f"Class probabilities miss the observed shares by {figure_text(scores.ece)} on average "
        f"(ECE, {scores.ece.support.slices} slices): read them as scores unless this is small."
    )


def _failures(material: Material) -> Iterator[Remark]:
    """The figures that say how it fails; those that do not exist say why."""
    figures = named_figures(material.evaluation)
    for name, words in FAILURES:
        figure = figures.get(name)
        if figure is None:
            continue
        if figure.value is None:
            yield unknown(f"How it fails is not known by {words}: {figure.reason}.")
        else:
            yield note(f"How it fails: {words} {with_support(figure)}.")


def _facts(material: Material) -> Table:
    description = material.bundle.description
    spec = description.spec
    facts: dict[str, str] = {
        "weights, sha256": description.weights_sha256,
        "TetraCT": description.tetract,
        "encoder": f"{spec.encoder.name}, {spec.encoder.norm} norm",
        "tasks": ", ".join(spec.tasks),
        "classes": ", ".join(spec.classes) or "none",
        "masks": ", ".join(spec.mask_classes) or "none",
        "boxes": ", ".join(spec.box_classes) or "none",
        "steps of these weights": str(description.step),
        "parameters": f"{sum(p.numel() for p in material.bundle.network.parameters()):,}",
        **material.facts,
    }
    return Table(title="Model", columns=("what", "value"), rows=tuple(facts.items()))


def _figures(material: Material) -> Table:
    figures = named_figures(material.evaluation)
    rows: list[tuple[Cell, ...]] = []
    for name in PRIMARY_FIGURES.values():
        figure: Figure | None = figures.get(name)
        if figure is not None:
            rows.append((name, with_support(figure)))
    return Table(
        title="Primary figures",
        columns=("figure", "value"),
        rows=tuple(rows),
        note="One per task, chosen in advance; 95 % interval, patients drawn again; slices / "
        "patients. All others: evaluation.json.",
        warning=source_banner(material.evaluation),
    )
