"""`python -m benchmarks`: the training step against four single-task steps."""

import sys

from benchmarks.training_step import main

sys.exit(main())
