"""Public data sets, fetched when asked."""
