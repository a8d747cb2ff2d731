from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
import sklearn.datasets  # noqa: F401  its import alone draws from `random`
import torch


@pytest.fixture(autouse=True)
def global_random_state() -> Iterator[None]:
    """No member may draw from, or seed, the generators that everyone shares."""

    def states() -> tuple[str, str, list[int]]:
        shared = np.random.get_state()  # noqa: NPY002
        return str(random.getstate()), str(shared), torch.get_rng_state().tolist()

    before = states()
    yield
    assert states() == before
