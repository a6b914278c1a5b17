"""A reporting checklist, filled in as far as the run knows.

The topics follow CLAIM 2024 (Tejani et al., doi 10.1148/ryai.240300); the wording is ours, and the
published list is what a journal asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tetract.data import split_hash
from tetract.evaluate.cards.material import Material
from tetract.evaluate.cards.words import note, unknown
from tetract.evaluate.table_cells import support_text
from tetract.types.card import Card
from tetract.types.table import Table

OPEN: Final = "to be filled in by the authors"
# Part of a paper, and what it asks that no run can know.
_AUTHORS: Final = (
    ("title and abstract", "that it is a study of AI, and of which kind"),
    ("title and abstract", "a structured summary with design, methods, results, conclusions"),
    ("introduction", "the clinical background and the role meant for the model"),
    ("introduction", "aims and hypotheses"),
    ("design", "prospective or retrospective"),
    ("design", "the goal: feasibility, exploration, superiority, non-inferiority"),
    ("data", "which patients were eligible, where and when they were scanned"),
    ("data", "how images were de-identified"),
    ("data", "how missing data were treated before the import"),
    ("truth", "why this reference was chosen, and who made it, with what training"),
    ("truth", "agreement between readers, and how differences were settled"),
    ("sample", "how many patients were needed, and why"),
    ("training", "how this model was chosen among those that were trained"),
    ("evaluation", "tests against other models or readers (tetract compare)"),
    ("evaluation", "tests on data of other hospitals"),
    ("results", "a flow of patients from eligible to scored"),
    ("results", "demographic and clinical features of each split"),
    ("discussion", "limits, bias and how far the results carry"),
    ("discussion", "what the model would mean in practice"),
    ("other", "registration, protocol, ethics approval"),
    ("other", "where code, model and data can be had"),
    ("other", "funding and the funders' part"),
)


def checklist_card(material: Material) -> Card:
    """What the run answers and where, and what the authors must."""
    answered = [(part, item, answer) for part, item, answer in _answered(material) if answer]
    total = len(answered) + len(_AUTHORS)
    rows = [*answered, *((part, item, OPEN) for part, item in _AUTHORS)]
    order = {part: place for place, part in enumerate(dict.fromkeys(p for p, _ in _AUTHORS))}
    rows.sort(key=lambda row: order[row[0]])
    return Card(
        name="checklist",
        title="Checklist: what a report of this study must say",
        remarks=(
            unknown(f"{len(_AUTHORS)} of {total} items are {OPEN}."),
            note(
                f"{len(answered)} of {total} items are answered by the run; read them before use."
            ),
        ),
        tables=(
            Table(
                title="Reporting checklist",
                columns=("part", "item", "answer"),
                rows=tuple(rows),
                note="Topics after CLAIM 2024, in our words; a journal wants its own list.",
            ),
        ),
    )


def _answered(material: Material) -> Iterator[tuple[str, str, str]]:
    evaluation, card = material.evaluation, material.folder.card
    facts, spec = material.facts, material.bundle.description.spec
    sources = ", ".join(source.name for source in card.sources)
    yield "data", "sources", f"{sources} (data card: citations and licences)"
    yield "data", "preparation", f"{facts.get('image side', '')}, window {facts.get('window', '')}"
    yield "data", "selection of slices", f"split '{evaluation.about.split}' (split card: counts)"
    yield "truth", "what labels mean, and which are derived", "data card"
    support = support_text(evaluation.overall.support)
    yield "sample", "slices / patients scored", support
    digest = split_hash(material.folder.rows)[:12]
    yield "sample", "how splits were made", f"whole groups; sha256 {digest} (split card)"
    yield "sample", "at which level splits are disjoint", "patient where known, else image"
    yield "training", "architecture", f"{spec.encoder.name}, arms: {', '.join(spec.tasks)}"
    yield "training", "start of the weights", facts.get("started from", "")
    steps, seed = facts.get("steps", ""), facts.get("seed", "")
    yield "training", "schedule and seed", f"{steps} steps, seed {seed}; recipe.yaml of the run"
    yield "training", "software", f"TetraCT {material.bundle.description.tetract}"
    yield "evaluation", "metrics", "evaluation.json; docs/reference/metrics.md"
    draws = evaluation.bootstrap_draws
    yield "evaluation", "uncertainty", f"{draws} bootstrap draws of patients" if draws else ""
    yield "evaluation", "robustness and shortcuts", "shortcut card"
    yield "evaluation", "explanation", "shortcut card: lesions painted over"
    yield "results", "performance with intervals", "evaluation.md; model card: primary figures"
    yield "results", "failures", "model card; rows.jsonl.gz holds every case"
    yield "other", "use", "research only, not a medical device"
