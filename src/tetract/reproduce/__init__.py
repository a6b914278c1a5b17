"""The paper's tables and figures, and ours beside them, made again from a data set.

``parts`` says which arms each table needs, ``plan`` turns them into runs that are each trained
once, ``pool`` trains what is missing, ``show`` measures the runs and writes one page.
"""
