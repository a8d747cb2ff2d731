from __future__ import annotations

import torch

# As in a run: small products lose more to the hand-over between threads than they gain.
torch.set_num_threads(1)
