"""Many runs on this machine: what is not current is run, and stored as it comes."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.execution.cores import available_cores
from bench.execution.driver_lock import driver_lock
from bench.execution.interrupts import Interrupt, watch_for_interrupts
from bench.execution.tally import Tally
from bench.execution.worker import TRAINING, Work
from bench.kernels import levels
from bench.planning import Plan, estimate
from bench.records import RunRecord, RunSpec
from bench.results import mirroring
from bench.results.mirror_target import target
from bench.results.store import Store

if TYPE_CHECKING:
    from rich.console import Console

PATIENCE = 0.2  # seconds until a signal is looked at
MOST_LEFT_OUT = 10  # told one by one as the runs start


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What became of a batch."""

    results: Path
    num_planned: int
    num_current: int  # before: these were not run
    tally: Tally | None  # of what was run; None where there was nothing to do
    failures: tuple[RunRecord, ...]  # failed or timed out, to be tried again next time
    mirror: str | None  # what the mirror to W&B reports, if there is one
    interrupt: Interrupt
    seconds: float


def execute_in_stages(plan: Plan, console: Console, work: Work = TRAINING) -> Summary:
    """The trials first, where the protocol tunes, and then what they choose.

    The summary is of the last stage that was begun. Raises as `execute` does.
    """
    if plan.tuning is None:
        return execute(plan, console, work)
    console.print(f"tuning {len(plan.cells)} cells: {len(plan.runs)} trials", soft_wrap=True)
    trials = execute(plan, console, work)
    if trials.interrupt or trials.failures:
        return trials
    with Store(plan.results) as store:
        wanted = {spec.run_id for spec in plan.runs}
        records = {run.run_id: run.record for run in store.rows() if run.run_id in wanted}
        chosen = plan.after_tuning(records)
    evaluated = len(chosen.cells) * len(chosen.seeds)
    swept = len(chosen.runs) - evaluated
    rates = f", and {swept} of a sweep of learning rates" if swept else ""
    console.print(f"evaluating {len(chosen.cells)} cells: {evaluated} runs{rates}", soft_wrap=True)
    return execute(chosen, console, work)


def execute(plan: Plan, console: Console, work: Work = TRAINING) -> Summary:
    """Runs what `plan` asks for and the store does not hold, the longest first.

    Raises BadInput where the store's folder cannot be one or another driver is at work on it,
    WorkerError where no worker lives, StoreLost where the store was deleted or moved meanwhile.
    """
    started = time.monotonic()
    levels.level()  # compiled here, and not by each worker; refused before anything is written
    mirrors = plan.logger.name == "wandb"
    if mirrors:
        target(plan.logger.mode)  # is refused, if it is, before anything is written
    with (
        Store.open(plan.results) as store,
        driver_lock(plan.results),
        watch_for_interrupts() as interrupt,
    ):
        current = store.current(plan.runs)
        # No two runs of a plan are the same, and naming ten thousand of them takes a second.
        is_complete = len(current) == len(plan.runs)
        waiting = [] if is_complete else [s for s in plan.runs if s.run_id not in current]
        batch = _Batch(plan, store, waiting) if waiting else None
        # Where nothing is run nothing is waited for: `bench sync` mirrors what is missing.
        mirror = mirroring.start(plan.results, plan.logger.mode) if mirrors and batch else None
        try:
            if batch is not None:
                batch.run(console, work, interrupt)
                store.check_place()
        finally:
            report = str(mirror.finish()) if mirror is not None else None
        if mirrors and report is None:
            report = str(mirroring.state(plan.results, plan.logger.mode))
    return Summary(
        results=plan.results,
        num_planned=len(plan.runs),
        num_current=len(current),
        tally=batch.tally if batch else None,
        failures=tuple(batch.failures) if batch else (),
        mirror=report,
        interrupt=interrupt,
        seconds=time.monotonic() - started,
    )


class _Batch:
    def __init__(self, plan: Plan, store: Store, specs: list[RunSpec]) -> None:
        self._plan, self._store = plan, store
        self._weights = {spec.run_id: estimate(spec).seconds for spec in specs}
        self._waiting = deque(sorted(specs, key=lambda spec: -self._weights[spec.run_id]))
        self.failures: list[RunRecord] = []
        self.tally = Tally(
            total=len(specs),
            total_weight=sum(self._weights.values()),
            workers=min(plan.workers(available_cores()), len(specs)),
        )

    def run(self, console: Console, work: Work, interrupt: Interrupt) -> None:
        # Loaded only when there is something to run: a complete store is to answer at once.
        from bench.execution.pool import Pool
        from bench.execution.progress import progress

        tally, timeout = self.tally, self._plan.executor.timeout
        left_out = self._plan.left_out
        for what, why in left_out[:MOST_LEFT_OUT]:
            console.print(f"left out: {what}: {why}", soft_wrap=True)
        if len(left_out) > MOST_LEFT_OUT:
            more = len(left_out) - MOST_LEFT_OUT
            console.print(f"left out: {more} more, which --dry-run lists", soft_wrap=True)
        console.print(f"{tally.total} runs to do, {tally.workers} at a time", soft_wrap=True)
        with (
            progress(tally, console) as display,
            Pool(work, workers=tally.workers, timeout=timeout) as pool,
        ):
            while (self._waiting or pool.running) and not interrupt:
                while self._waiting and pool.has_room:
                    pool.submit(self._waiting.popleft())
                if (answer := pool.next(PATIENCE)) is not None:
                    self._store.put(answer.record, answer.provenance)
                    self._note(answer.record)
                display.refresh()

    def _note(self, record: RunRecord) -> None:
        self.tally.add(record, self._weights[record.spec.run_id])
        if not record.outcome.is_result:
            self.failures.append(record)
