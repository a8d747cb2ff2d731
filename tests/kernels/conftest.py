from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from tests.kernels.arithmetic import arithmetic

# As in a run: small products lose more to the hand-over between threads than they gain.
torch.set_num_threads(1)


@pytest.fixture
def on(request: pytest.FixtureRequest) -> Iterator[str]:
    """The test runs on the arithmetic that it is parametrised with (see `each_arithmetic`)."""
    with arithmetic(request.param):
        yield request.param
