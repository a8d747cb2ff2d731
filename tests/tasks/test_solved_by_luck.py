"""What a guess may achieve: no part is so small that a criterion is met by luck."""

from __future__ import annotations

import pytest

from bench import discovery
from bench.records import BadInput
from bench.settings import check

each_task = pytest.mark.parametrize("name", list(discovery.members("task")))


@each_task
@pytest.mark.parametrize("size", [1, 99])
def test_a_handful_of_examples_is_refused(name: str, size: int) -> None:
    annotation = discovery.member("task", name).schema["evaluation_size"]
    with pytest.raises(BadInput, match="at least 100"):
        check(size, annotation, f"task.{name}.evaluation_size")
    assert check(100, annotation, "here") == 100
