"""The page about a run: everything ``tetract evaluate`` wrote, without a network or a script."""
