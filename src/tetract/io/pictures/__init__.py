"""Single pictures: PNG, JPEG, TIFF."""
