"""The door to files: DICOM, NIfTI, MetaImage, NRRD and pictures in; NIfTI, PNG and DICOM out."""

from tetract.io.atomic import atomic_write_bytes, atomic_write_text, make_folder
from tetract.io.dicom.folder import SeriesInFolder
from tetract.io.grids.volume_grid import read_grid
from tetract.io.labels.ct_grid import CtFolder, CtGrid, find_ct_folders, find_objects, read_ct_grid
from tetract.io.labels.dicom_object import Drawn, References, Region
from tetract.io.labels.dicom_seg import read_segmentation
from tetract.io.labels.label_map import LabelMap, read_label_map
from tetract.io.labels.polygon import fill_polygon
from tetract.io.labels.rtstruct import draw_rois, read_structure_set
from tetract.io.labels.seg_on_grid import draw_segments
from tetract.io.notes import once_per_code
from tetract.io.options import ReadOptions
from tetract.io.orientation import canonical
from tetract.io.same_grid import check_same_grid, labels_on_grid
from tetract.io.sniff import Kind, sniff
from tetract.io.study import count_slices, list_series, read_study, read_volume
from tetract.io.write.dicom import SeriesIdentity, write_dicom_series
from tetract.io.write.nifti import write_nifti_labels, write_nifti_volume
from tetract.io.write.png import encode_png, write_png

__all__ = [
    "CtFolder",
    "CtGrid",
    "Drawn",
    "Kind",
    "LabelMap",
    "ReadOptions",
    "References",
    "Region",
    "SeriesIdentity",
    "SeriesInFolder",
    "atomic_write_bytes",
    "atomic_write_text",
    "canonical",
    "check_same_grid",
    "count_slices",
    "draw_rois",
    "draw_segments",
    "encode_png",
    "fill_polygon",
    "find_ct_folders",
    "find_objects",
    "labels_on_grid",
    "list_series",
    "make_folder",
    "once_per_code",
    "read_ct_grid",
    "read_grid",
    "read_label_map",
    "read_segmentation",
    "read_structure_set",
    "read_study",
    "read_volume",
    "sniff",
    "write_dicom_series",
    "write_nifti_labels",
    "write_nifti_volume",
    "write_png",
]
