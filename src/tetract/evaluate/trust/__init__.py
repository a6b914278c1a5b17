"""How far a model's answers can be trusted: calibrated on validation patients, tested on others.

``signals`` is what is read off each slice, ``calibrate`` turns a validation split into a
``Calibration``, ``judge`` applies it to one slice, ``score_trust`` measures it on a split.
"""
