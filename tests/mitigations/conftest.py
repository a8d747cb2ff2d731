from __future__ import annotations

import pytest
import torch
from torch import Tensor

# As in a run: small products lose more to the hand-over between threads than they gain.
torch.set_num_threads(1)


@pytest.fixture
def sequence() -> Tensor:
    """[time, batch, features]; its first step serves a feed-forward network."""
    return torch.randn(9, 4, 2, generator=torch.Generator().manual_seed(0))
