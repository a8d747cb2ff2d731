"""What the mirror does about a run that cannot be sent, and about a W&B that cannot be reached."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.results.ledger import Ledger
from bench.results.mirror_loop import FAILURES_IN_A_ROW, IN_FLIGHT, Driver, MirrorLoop
from bench.results.store import Store, StoredRun
from tests.results import made_up_runs as made_up

KEY = "somewhere"


class Place:
    """Takes runs, but for those that `refused` names, as long as there is no `obstacle`."""

    def __init__(self, folder: Path) -> None:
        self.arrived: list[str] = []
        self.attempts: list[str] = []
        self.refused: Callable[[str], bool] = lambda run_id: False
        self.obstacle: str | None = None
        self.stop = threading.Event()
        self.store, self.ledger = Store(folder), Ledger(folder)
        self.loop = MirrorLoop(
            self.store, self.ledger, KEY, self.send, lambda: self.obstacle, self.stop
        )

    def send(self, run: StoredRun) -> None:
        self.attempts.append(run.run_id)
        assert run.record.curves["step"].size == 5
        if self.refused(run.run_id):
            raise ValueError("two\nlines")
        self.arrived.append(run.run_id)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Store.open(tmp_path) as store:
        for seed in range(20):
            spec = made_up.spec(seed)
            store.put(made_up.record(spec), made_up.provenance(spec))
    place = Place(tmp_path)
    yield place
    place.store.close()
    place.ledger.close()


def test_everything_is_sent_once(place: Place) -> None:
    assert place.loop.run(None)
    assert place.loop.run(None)
    assert sorted(place.attempts) == list(place.store.digests())


def test_a_run_that_cannot_be_sent_does_not_keep_the_others(place: Place) -> None:
    bad = made_up.spec(3).run_id
    place.refused = lambda run_id: run_id == bad
    assert not place.loop.run(None)
    assert sorted(place.arrived) == [run_id for run_id in place.store.digests() if run_id != bad]
    assert place.ledger.last_problem(0) == f"run {bad}: ValueError: two lines"
    # Not a second time by the same process: it would be tried for ever.
    assert not place.loop.run(None)
    assert place.attempts.count(bad) == 1


def test_where_all_fail_it_is_given_up_and_tried_again(place: Place) -> None:
    place.refused = lambda run_id: True
    assert not place.loop.run(None)
    assert len(place.attempts) <= FAILURES_IN_A_ROW + IN_FLIGHT
    place.refused = lambda run_id: False
    assert place.loop.run(None)
    assert len(place.arrived) == 20


def test_an_obstacle_is_told_once_and_nothing_is_tried(place: Place) -> None:
    place.obstacle = "no network"
    assert not place.loop.run(None)
    assert not place.loop.run(None)
    assert place.attempts == []
    assert place.ledger.last_problem(0) == "no network"
    assert place.ledger.num_notes() == 1
    assert place.ledger.last_problem(1) is None
    place.obstacle = None
    assert place.loop.run(None)


def test_told_to_stop_it_ends_with_the_runs_in_hand(place: Place) -> None:
    def stop_at_once(run_id: str) -> bool:
        place.stop.set()
        return False

    place.refused = stop_at_once
    assert not place.loop.run(Driver(os.getpid()))
    assert 0 < len(place.arrived) < 20
    assert sorted(place.arrived) == sorted(place.ledger.mirrored(KEY))


def test_a_changed_record_is_missing_again(place: Place, tmp_path: Path) -> None:
    assert place.loop.run(None)
    with Store.open(tmp_path) as store:
        store.put(made_up.record(final=0.125), made_up.provenance())
    assert place.loop.run(None)
    assert place.attempts.count(made_up.spec().run_id) == 2


def test_a_driver_lives_until_it_has_ended() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        driver = Driver(process.pid)
        assert driver.is_alive()
        assert process.stdin is not None
        process.stdin.close()
        while driver.is_alive():  # not yet waited for, it becomes a zombie: that is no life
            pass
    assert not driver.is_alive()
    assert not Driver(process.pid).is_alive()
