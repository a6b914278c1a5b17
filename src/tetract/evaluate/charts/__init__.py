"""What the report draws, computed: one file per task, charts as data."""
