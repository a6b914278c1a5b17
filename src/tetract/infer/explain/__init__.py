"""Why the model answers as it does: maps over slices, each with a check that it depends on it."""
