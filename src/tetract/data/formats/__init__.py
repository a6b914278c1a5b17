"""Collections and label objects in layouts of their own, one importer per file."""
