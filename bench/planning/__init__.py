"""conf -> the list of RunSpecs: compose, validate, expand the grid, estimate.

    overrides.py   the command line, by Hydra's grammar
      |            config_files.py, drawn_in.py: what Hydra may be handed
    composing.py   conf/ and the command line -> one plain config, by Hydra
      |            selection.py: the members and which of them fit together
    resolving.py   every value checked against its schema: settings -> columns of values
      |            keys.py, references.py
    expansion.py   combinations x columns x seeds -> RunSpecs
    planner.py     the plan; estimates.py: what it costs; memory.py: whether that fits
                   describe.py: in words

Nothing here imports torch or a member's file, and nothing from a config is ever run.
"""

from bench.planning.estimates import estimate
from bench.planning.planner import Plan, plan

__all__ = ["Plan", "estimate", "plan"]
