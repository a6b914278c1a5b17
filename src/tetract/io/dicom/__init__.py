"""DICOM series and slices."""
