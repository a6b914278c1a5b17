"""Weights learnt elsewhere, for the trunk."""

from tetract.model.pretrained.load import load_pretrained

__all__ = ["load_pretrained"]
