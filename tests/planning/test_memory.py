"""How many runs fit into memory: one at least, and as many workers as are asked for."""

from __future__ import annotations

import pytest

from bench.planning import estimate, memory, plan
from bench.planning.estimates import gigabytes
from bench.records import BadInput


@pytest.fixture(scope="module")
def needed() -> int:
    return estimate(plan(["task=adding", "seeds=1"]).runs[0]).bytes


@pytest.fixture
def available(monkeypatch):
    def set_to(size: int | None) -> None:
        monkeypatch.setattr(memory, "available_memory", lambda: size)

    return set_to


@pytest.mark.parametrize("fitting", [1, 2, 3])
def test_no_more_workers_than_fit_into_memory(available, needed, fitting):
    for size in (fitting * needed, (fitting + 1) * needed - 1):
        available(size)
        planned = plan(["task=adding", "seeds=20"])
        assert planned.workers(cores=8) == fitting
        assert planned.workers(cores=1) == 1


def test_there_is_memory_enough_for_one_for_each_core_or_run(available, needed):
    available(100 * needed)
    assert plan(["task=adding", "seeds=20"]).workers(cores=8) == 8
    assert plan(["task=adding", "seeds=3"]).workers(cores=8) == 3
    assert plan(["task=adding", "seeds=20", "executor.workers=12"]).workers(cores=8) == 12


def test_where_nobody_knows_how_much_there_is_nothing_is_refused(available):
    available(None)
    assert plan(["task=adding", "seeds=20"]).workers(cores=8) == 8
    assert plan(["task=adding", "hidden_size=200000", "executor.workers=9"]).workers(cores=1) == 5


@pytest.mark.parametrize("share", [0, 0.999])
def test_a_run_that_does_not_fit_is_refused_with_what_it_needs(available, needed, share):
    available(int(share * needed))
    with pytest.raises(BadInput, match=r"length=100 .*\(rnn_tanh on adding\): a run needs about "):
        plan(["task=adding"])


def test_the_largest_run_decides(available, needed):
    available(needed)
    with pytest.raises(BadInput, match=r"length=4000 .* are available; make one of them smaller"):
        plan(["task=adding", "length=50,4000,100"])


def test_workers_that_do_not_fit_are_refused_with_how_many_do(available, needed, conf, experiment):
    available(3 * needed)
    assert plan(["task=adding", "executor.workers=3"]).workers(cores=8) == 3
    with pytest.raises(BadInput) as caught:
        plan(["task=adding", "executor.workers=4"])
    assert str(caught.value) == (
        f"executor.workers=4: 4 runs at a time need up to {gigabytes(4 * needed)} of memory, and "
        f"{gigabytes(3 * needed)} are available; give at most executor.workers=3, or leave it out"
    )
    experiment("grid: {task: [adding]}\nexecutor: {workers: 4}\n")
    with pytest.raises(BadInput, match=r"^experiment trial: executor\.workers=4: "):
        plan(["experiment=trial"], conf)
    # Three runs are never more than three at a time.
    assert plan(["task=adding", "seeds=3", "executor.workers=4"]).workers(cores=8) == 3
