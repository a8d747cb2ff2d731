from __future__ import annotations

from collections.abc import Iterator

import pytest
import sklearn.datasets  # noqa: F401  its import alone draws from `random`
import torch

from tests.random_state import untouched_random_state

# As in a run: small products lose more to the hand-over between threads than they gain.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_member_touches_the_shared_generators() -> Iterator[None]:
    with untouched_random_state():
        yield
