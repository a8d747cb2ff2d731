"""What is said after a batch: what came of it, what failed, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bench import plugins
from bench.execution.local import Summary
from bench.execution.tally import clock
from bench.records import RunRecord

LONGEST_REASON = 150  # characters


def exit_code(summary: Summary) -> int:
    if summary.interrupt:
        return summary.interrupt.exit_code
    return 1 if summary.failures else 0


def in_words(summary: Summary) -> Iterator[str]:
    yield from _failures(summary)
    if summary.mirror:
        yield summary.mirror
    if summary.interrupt:
        yield (
            f"stopped by {summary.interrupt.name}: {_num_stored(summary)} of {summary.num_planned} "
            f"runs are stored in {summary.results}; the same command goes on from there"
        )
    else:
        yield f"{_done(summary)}{_next(summary)}"


def _done(summary: Summary) -> str:
    tally, total, results = summary.tally, summary.num_planned, summary.results
    if tally is None:
        return f"0 of {total} runs to do, all current in {results}"
    done = tally.done - len(summary.failures)
    without = f", {len(summary.failures)} gave no result" if summary.failures else ""
    before = f", {summary.num_current} were current" if summary.num_current else ""
    return f"{done} of {total} runs done in {clock(summary.seconds)}{without}{before}"


def _next(summary: Summary) -> str:
    """Nothing where there is no result to report."""
    results = shlex.quote(str(summary.results))
    next_command = f"bench report {results}{plugins.as_options()}"
    return f"; next: {next_command}" if _num_stored(summary) else ""


def _num_stored(summary: Summary) -> int:
    done = summary.tally.done - len(summary.failures) if summary.tally else 0
    return summary.num_current + done


def _failures(summary: Summary) -> Iterator[str]:
    failures = summary.failures
    if not failures or summary.tally is None:
        return
    them = "it" if len(failures) == 1 else "them"
    yield (
        f"{len(failures)} of {summary.tally.total} runs gave no result; "
        f"the same command tries {them} again:"
    )
    yield from (f"  {_failure(record)}" for record in failures)
    store = shlex.quote(str(summary.results))
    yield f"in full: bench show {failures[0].spec.run_id} {store}{plugins.as_options()}"


def _failure(record: RunRecord) -> str:
    spec = record.spec
    reason = (record.error or "").rpartition("\n")[2]
    short = reason if len(reason) <= LONGEST_REASON else reason[: LONGEST_REASON - 3] + "..."
    return f"{spec.run_id} {' '.join(spec.names)} seed {spec.seed}: {record.outcome}: {short}"
