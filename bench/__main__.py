"""`python -m bench`."""

import os
import sys

import bench

# -m looks for modules in the current folder first: a stray torch.py there would be run.
if not sys.flags.safe_path and os.path.dirname(os.path.dirname(bench.__file__)) != sys.path[0]:
    del sys.path[0]

from bench.cli import main

if __name__ == "__main__":
    sys.exit(main())
