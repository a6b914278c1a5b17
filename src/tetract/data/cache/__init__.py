"""Prepared slices, kept."""
