"""What the runs of each cell cost: CPU time of an update and memory, beside those of a control."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.records import RunSpec
from bench.reporting import wording
from bench.reporting.label_columns import label_columns
from bench.reporting.summaries import CellSummary
from bench.reporting.tables import Column, Table, Value, build, whole_number

CONTROL, REFERENCES = "none", ("rnn_tanh", "mlp")
"""The mitigation and the architectures that others are compared with."""


@dataclass(frozen=True)
class Cost:
    """Medians over the runs of a cell; None where there are none, or nothing to compare with."""

    summary: CellSummary
    update: float | None  # CPU milliseconds
    memory: float | None  # bytes
    over_control: float | None  # time of an update / that without a mitigation
    over_reference: float | None  # ... / that of the plain architecture

    @property
    def memory_in_words(self) -> str:
        return wording.NOTHING if self.memory is None else f"{self.memory / 1e6:.0f}"


def costs_table(summaries: Sequence[CellSummary]) -> Table:
    caption = (
        "What the runs cost: CPU milliseconds of an update, with the share of evaluation, data and "
        "storing that falls on it; the same as multiples of the cell without a mitigation (x none) "
        f"and of the plain architecture ({' or '.join(REFERENCES)}) that are otherwise alike; peak "
        "memory of the worker in MB. Medians over the runs, as they were timed: not corrected for "
        "what else the machine did."
    )
    columns: list[Column[Cost]] = [
        *label_columns([each.cell for each in summaries], lambda row: row.summary.cell),
        whole_number("Runs", "runs", lambda row: row.summary.num_runs),
        _number("ms / update", "cpu_ms_per_update", lambda row: row.update),
        _number("x none", "times_none", lambda row: row.over_control),
        _number("x plain", "times_plain", lambda row: row.over_reference),
        Column("MB", lambda row: row.memory_in_words, {"peak_bytes": lambda row: row.memory}),
    ]
    return build("costs", "Costs", caption, columns, costs(summaries))


def _number(heading: str, key: str, read: Callable[[Cost], float | None]) -> Column[Cost]:
    def text(row: Cost) -> str:
        value = read(row)
        return wording.NOTHING if value is None else wording.number(value)

    fields: Mapping[str, Callable[[Cost], Value]] = {key: read}
    return Column(heading, text, fields)


def costs(summaries: Sequence[CellSummary]) -> list[Cost]:
    updates = {each.cell.cell_id: _update(each) for each in summaries}
    by_parts = {_parts(each.cell.spec): updates[each.cell.cell_id] for each in summaries}

    def cost(summary: CellSummary) -> Cost:
        own = updates[summary.cell.cell_id]
        task, architecture, mitigation, *rest = _parts(summary.cell.spec)
        plain = [(task, name, mitigation, *rest) for name in REFERENCES]
        return Cost(
            summary,
            own,
            _median([record.peak_memory for record in summary.cell.results]),
            _ratio(own, by_parts.get((task, architecture, CONTROL, *rest))),
            _ratio(own, next((by_parts[parts] for parts in plain if parts in by_parts), None)),
        )

    return [cost(summary) for summary in summaries]


def _parts(spec: RunSpec) -> tuple[str, ...]:
    """What two cells must share to be compared, where one of the first three differs. Of an
    architecture and a mitigation the name counts alone: their settings are their own."""
    task = " ".join(f"{name}={value}" for name, value in sorted(spec.task.settings.items()))
    sizes = " ".join(
        f"{name}={spec.architecture.settings.get(name)}"
        for name in ("hidden_size", "num_layers", "depth")
    )
    names = (f"{spec.task.name} {task}", spec.architecture.name, spec.mitigation_name)
    return (*names, spec.optimizer.name, spec.dtype, sizes, str(spec.evaluations))


def _update(summary: CellSummary) -> float | None:
    return _median(
        [1000 * run.cpu_seconds / run.steps_done for run in summary.cell.results if run.steps_done]
    )


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def _ratio(value: float | None, other: float | None) -> float | None:
    return value / other if value is not None and other else None
