"""Is one way of training better than another, or are they tied?

``arms`` says which runs are repeats of each other, ``difference`` compares one figure,
``comparison`` all of them, ``layout`` writes them as tables.
"""
