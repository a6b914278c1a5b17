"""Patients that were drawn, not scanned."""
