"""Many runs: who runs them, what is seen of it, and how it stops.

local.py            what is not current is run on this machine, and stored as it comes
  |                 driver_lock.py: alone; tally.py, progress.py: how far it is; closing.py: what
  |                 is said at the end
pool.py             worker processes, and what becomes of those that die
  |                 interrupts.py: ctrl-C; cores.py: how many
worker.py           what happens inside one
doctor.py           what this machine has and lacks
"""
