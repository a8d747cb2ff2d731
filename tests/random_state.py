"""A watch on the random generators that everyone in a process shares."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def untouched_random_state() -> Iterator[None]:
    """Fail if the block draws from, or seeds, `random`, NumPy's or torch's global generator."""
    # One draw from each, so that a seeding is seen even where it was seeded so before.
    random.random()
    np.random.random()  # noqa: NPY002
    torch.rand(1)
    before = _states()
    yield
    assert _states() == before


def _states() -> tuple[str, str, list[int]]:
    shared = np.random.get_state()  # noqa: NPY002
    return str(random.getstate()), str(shared), torch.get_rng_state().tolist()
