"""Finished runs become figures, tables, charts and one page."""
