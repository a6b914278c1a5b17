"""Volumes and labels to batches. This door is free of torch; the loaders are one module deeper."""

from tetract.data.card import DatasetCard, SourceCard, SplitCard, load_card
from tetract.data.cells import ALL, EMPTY, BoxEntry, MaskCell, MaskSource, SliceIndex, Split
from tetract.data.load import DatasetFolder, dataset_warnings, open_dataset, write_dataset
from tetract.data.splits import (
    SplitFractions,
    assign_splits,
    check_no_patient_in_two_splits,
    split_hash,
)
from tetract.data.table import Row

__all__ = [
    "ALL",
    "EMPTY",
    "BoxEntry",
    "DatasetCard",
    "DatasetFolder",
    "MaskCell",
    "MaskSource",
    "Row",
    "SliceIndex",
    "SourceCard",
    "Split",
    "SplitCard",
    "SplitFractions",
    "assign_splits",
    "check_no_patient_in_two_splits",
    "dataset_warnings",
    "load_card",
    "open_dataset",
    "split_hash",
    "write_dataset",
]
