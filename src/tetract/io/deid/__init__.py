"""Files without who they are of."""
