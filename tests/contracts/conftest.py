from __future__ import annotations

from collections.abc import Iterator

import pytest
import sklearn.datasets  # noqa: F401  its import alone draws from `random`

from tests.random_state import untouched_random_state


@pytest.fixture(autouse=True)
def no_member_touches_the_shared_generators() -> Iterator[None]:
    with untouched_random_state():
        yield
