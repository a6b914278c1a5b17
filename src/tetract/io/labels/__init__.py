"""Label maps, and DICOM objects that hold labels."""
