"""Weights learnt elsewhere, for the trunk."""

from tetract.model.pretrained.load import is_at_hand, load_pretrained

__all__ = ["is_at_hand", "load_pretrained"]
