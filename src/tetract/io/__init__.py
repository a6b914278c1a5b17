"""The door to files: DICOM, NIfTI, PNG and JPEG in; NIfTI, PNG and DICOM out."""

from tetract.io.atomic import atomic_write_bytes, atomic_write_text
from tetract.io.label_map import LabelMap, read_label_map
from tetract.io.options import ReadOptions
from tetract.io.orientation import canonical
from tetract.io.same_grid import check_same_grid, labels_on_grid
from tetract.io.sniff import Kind, sniff
from tetract.io.study import count_slices, read_study, read_volume
from tetract.io.write_dicom import SeriesIdentity, write_dicom_series
from tetract.io.write_nifti import write_nifti_labels, write_nifti_volume
from tetract.io.write_png import encode_png, write_png

__all__ = [
    "Kind",
    "LabelMap",
    "ReadOptions",
    "SeriesIdentity",
    "atomic_write_bytes",
    "atomic_write_text",
    "canonical",
    "check_same_grid",
    "count_slices",
    "encode_png",
    "labels_on_grid",
    "read_label_map",
    "read_study",
    "read_volume",
    "sniff",
    "write_dicom_series",
    "write_nifti_labels",
    "write_nifti_volume",
    "write_png",
]
