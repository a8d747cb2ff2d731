"""What a member must do to be one: `bench check KIND NAME`, and the suite's own tests.

small.py          runs that are over in a moment, of any members
findings.py       a check -> a line that says whether it holds
files.py          of every kind: the file, its YAML, its docstring
mitigations.py    acts, pairs, repeats, survives what is not finite, fits where it says
architectures.py  learns, starts from its seed, offers what it says
tasks.py          repeats, keeps its parts apart, its chance level holds
optimizers.py     moves, remembers, stays finite
portability.py    the same bits on another processor
costs.py          time and memory of an update
card.py           all of it, as `bench check` prints it
"""
