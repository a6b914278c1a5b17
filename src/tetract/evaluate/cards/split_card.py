"""The split card: is what was scored new to the model?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tetract.data import Row, Split, split_hash
from tetract.data.audit.file import AuditFile, leaks_of, load_audit, rows_hash
from tetract.errors import ReadError
from tetract.evaluate.cards.look_alikes import ALIKE, details
from tetract.evaluate.cards.looked_at import LookedAt, features
from tetract.evaluate.cards.material import Material
from tetract.evaluate.cards.random_labels import (
    DRAWS,
    FEWEST,
    RandomLabels,
    Side,
    run_random_labels,
)
from tetract.evaluate.cards.words import bad, good, note, unknown, worst_first
from tetract.types.batch import Sample
from tetract.types.card import Card, Remark
from tetract.types.table import Table

HASH_DIGITS = 12


def split_card(material: Material, seen: LookedAt) -> Card:
    """Hashes, patients, duplicates, and the random-label run."""
    run = _random_labels(material, seen)
    remarks = [
        *_trained_elsewhere(material),
        *_patients(material),
        *_audited(material),
        *_random_label_remarks(run, seen),
    ]
    tables = [_counts(material.folder.rows)]
    if run is not None:
        tables.append(_runs(run))
    return Card(
        name="split",
        title="Split card: is what was scored new to the model?",
        remarks=worst_first(remarks),
        tables=tuple(tables),
    )


def _trained_elsewhere(material: Material) -> Iterator[Remark]:
    """Whether the model was trained on this split of this data set."""
    split, dataset = material.scored.split, material.bundle.description.dataset
    now = split_hash(material.folder.rows)
    if split == Split.TRAIN:
        yield bad("The training split itself was scored: these figures say nothing of new cases.")
    if dataset.get("name") != material.folder.card.name:
        yield unknown(
            f"The model was trained on data set '{dataset.get('name', 'unknown')}', this is "
            f"'{material.folder.card.name}': whether they share patients cannot be known from here."
        )
    elif dataset.get("splits") != now:
        yield bad(
            f"The model was trained with another split of this data set "
            f"({dataset.get('splits', 'unknown')[:HASH_DIGITS]}) than the one scored "
            f"({now[:HASH_DIGITS]}): it may have been trained on what was scored."
        )
    else:
        yield good(f"The model was trained with this very split, sha256 {now[:HASH_DIGITS]}.")


def _patients(material: Material) -> Iterator[Remark]:
    rows = material.folder.rows
    nameless = {
        source.name: sum(row.source == source.name and row.patient is None for row in rows)
        for source in material.folder.card.sources
    }
    for name, count in nameless.items():
        if count:
            total = sum(row.source == name for row in rows)
            yield unknown(
                f"{name}: {count} of {total} rows name no patient, so one person may lie in two "
                "splits."
            )
    if not any(nameless.values()):
        yield good("Every row names its patient, and no patient lies in two splits.")
    if any(warning.startswith("W_SPLIT_CHANGED") for warning in material.folder.warnings):
        yield note("The split is not the one that the data set's card was written with.")


def _audited(material: Material) -> Iterator[Remark]:
    rows = material.folder.rows
    try:
        audit = load_audit(material.folder.root)
    except ReadError:
        audit = None
    if audit is None or audit.rows_hash != rows_hash(rows):
        yield unknown(
            "No audit of these rows: nobody has compared all pictures (run tetract data audit)."
        )
        return
    yield _leaks(audit, rows)
    if audit.unread:
        yield unknown(f"{len(audit.unread)} rows could not be read by the audit.")


def _leaks(audit: AuditFile, rows: Sequence[Row]) -> Remark:
    leaks = leaks_of(audit.findings, rows)
    inside = len(audit.findings) - len(leaks)
    if leaks:
        exact = sum(finding.kind == "exact" for finding in leaks)
        return bad(
            f"{len(leaks)} pairs of the same picture lie in two splits ({exact} exact, "
            f"{len(leaks) - exact} near), of {audit.pictures} pictures audited."
        )
    return good(
        f"The audit compared {audit.pictures} pictures: none lies in two splits; {inside} pairs "
        "inside one."
    )


def _random_labels(material: Material, seen: LookedAt) -> RandomLabels | None:
    if min(len(seen.trained), len(seen.scored)) < FEWEST:
        return None
    rows, network = material.folder.rows, material.bundle.network

    def side(samples: Sequence[Sample]) -> Side:
        return Side(
            details=details(samples),
            features=features(network, samples),
            groups=tuple(rows[sample.identity.row].group for sample in samples),
        )

    return run_random_labels(side(seen.trained), side(seen.scored))


def _random_label_remarks(run: RandomLabels | None, seen: LookedAt) -> Iterator[Remark]:
    if run is None:
        yield unknown(
            f"No random-label run: {len(seen.trained)} training and {len(seen.scored)} scored "
            f"slices could be looked at, {FEWEST} of each are needed."
        )
        return
    worst = max(run.runs, key=lambda one: one.low)
    said = (
        f"labels drawn by lot are told from scored slices with accuracy {worst.accuracy:.3f} "
        f"[{worst.low:.3f}, {worst.high:.3f}] ({worst.probe}; {DRAWS} draws, 99.9 % interval; "
        "chance is 0.5)"
    )
    yield bad(f"Leak: {said}.") if worst.leaks else good(f"At chance, as it must be: {said}.")
    alike = (
        f"{run.torn} of {run.scored} scored slices look like one of {run.trained} training slices "
        f"(correlation of details at least {ALIKE})"
    )
    yield bad(f"{alike}: slices of one scan on both sides.") if run.torn else good(f"{alike}.")
    if seen.unread:
        yield unknown(f"{seen.unread} slices chosen for this card could not be read.")


def _counts(rows: Sequence[Row]) -> Table:
    kinds = sorted({(row.source, list(Split).index(row.split)) for row in rows})
    body: list[tuple[str | int, ...]] = []
    for source, place in kinds:
        split = list(Split)[place]
        mine = [row for row in rows if row.source == source and row.split == split]
        named = {row.patient for row in mine if row.patient is not None}
        body.append(
            (
                *(source, str(split), len(mine), len(named)),
                sum(row.patient is None for row in mine),
                sum(row.label is not None for row in mine),
                sum(row.mask is not None for row in mine),
                sum(row.boxes is not None for row in mine),
            )
        )
    return Table(
        title="Rows, patients and labels per split",
        columns=(
            *("source", "split", "rows", "patients", "rows without patient"),
            *("class known", "masks known", "boxes known"),
        ),
        rows=tuple(body),
        note="A row is a slice, or a whole volume.",
    )


def _runs(run: RandomLabels) -> Table:
    return Table(
        title="Random-label run",
        columns=("probe", "accuracy", "99.9 % interval", "chance"),
        rows=tuple(
            (one.probe, f"{one.accuracy:.3f}", f"[{one.low:.3f}, {one.high:.3f}]", "0.500")
            for one in run.runs
        ),
        note=f"Fitted on {run.trained} training slices, asked of {run.scored} scored ones; "
        f"{run.groups} scans, each with a label by lot, {DRAWS} times.",
    )
