"""TetraCT: one model, four tasks, on chest CT whose labels are never complete.

Research use only. Not a medical device.
"""

__version__ = "0.1.0"
