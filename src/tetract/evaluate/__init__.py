"""Runs a model over a data set and says how good it is.

``collect`` turns model and batches into rows, ``score`` turns rows into an ``Evaluation``.
``tables`` lays it out, ``markdown`` and ``serialise`` write it, and ``headline`` reduces it to
one number per task.
"""
