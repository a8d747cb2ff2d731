"""One run on one screen: what it was, how it ended, its curves, and the command that repeats it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bench import discovery, plugins
from bench.paths import CONF
from bench.records import Event, EventKind, MemberSpec, Outcome, RunRecord, RunSpec
from bench.reporting.labels import setting_text
from bench.reporting.made_with import (
    NOT_RECORDED,
    PACKAGES,
    code_in_words,
    processor_in_words,
)
from bench.reporting.wording import number

BLOCKS = "▁▂▃▄▅▆▇█"
CHART_ROWS = 4
CHARTS = {
    "training_loss": "training loss (mean since the point before)",
    "gradient_norm_max": "gradient norm (largest since the point before, before any clip)",
}
MARKS = {"∞": "infinite", "n": "not a number", "0": "zero"}
SCORES = {"initial": "before training", "final": "at the end", "test": "on test data"}
STATUSES = {
    "current": "",
    "stale": " (stale: made with other code than there is now; bench run makes it anew)",
    "failed": " (no result; bench run tries it again)",
}
_ALSO_TOLD = ("kernels", "started_at")
PARAMETER_EVENTS = (EventKind.PARAMETER_NAN, EventKind.PARAMETER_INF)


def card(record: RunRecord, digest: str, status: str, provenance: Mapping[str, Any]) -> str:
    """The text of one run. `status` is the store's word for it: current, stale or failed; `digest`
    is of the record, as the store has it."""
    blocks = [
        [f"run {record.spec.run_id}{_status(record.spec, status)}"],
        list(_specification(record.spec)),
        list(_ending(record)),
        list(_scores(record)),
        *(chart(record.curves, name, title) for name, title in CHARTS.items()),
        list(_left_out(record)),
        list(_provenance(record, digest, provenance)),
        ["to repeat it:", f"  {command(record.spec)}"],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _status(spec: RunSpec, status: str) -> str:
    absent = [
        f"{kind} {member.name}"
        for kind, member in spec.members
        if member.name not in discovery.members(kind)
    ]
    if absent and status == "stale":
        return (
            f" ({', '.join(absent)} is not here: name its file, --plugin, or install its package)"
        )
    return STATUSES[status]


def outcome_in_words(record: RunRecord) -> str:
    """ "diverged at update 5: a parameter was no longer finite" """
    spec, events = record.spec, record.event_counts
    at = f"{record.outcome} at update {record.steps_done}"
    window = min(spec.window, spec.steps)
    last = record.scores.get("final_validation_loss", 0.0)
    match record.outcome:
        case Outcome.COMPLETED if record.steps_done < spec.steps:
            return f"completed at update {record.steps_done} of {spec.steps}: stopped once solved"
        case Outcome.COMPLETED:
            return f"completed: all {spec.steps} updates"
        case Outcome.DIVERGED if any(kind in events for kind in PARAMETER_EVENTS):
            return f"{at}: a parameter was no longer finite"
        case Outcome.DIVERGED if record.steps_done == spec.steps and not math.isfinite(last):
            return f"{at}: the loss after the last update was not finite"
        case Outcome.DIVERGED:
            bound = number(float(record.facts["explosion_bound"]))
            sign = f"a loss that was not finite or above {bound}"
            return f"{at}: {window} updates in a row with {sign}"
        case Outcome.FROZEN if EventKind.OPTIMIZER_STATE_NONFINITE not in events:
            return f"{at}: {window} updates in a row moved the parameters by nothing that counts"
        case Outcome.FROZEN:
            return f"{at}: half of the optimiser's state or more was not finite"
        case _:
            return f"{record.outcome}: {(record.error or 'no reason was stored').splitlines()[-1]}"


def _specification(spec: RunSpec) -> Iterator[str]:
    for kind in ("task", "architecture", "mitigation", "optimizer"):
        of_kind = [member for name, member in spec.members if name == kind]
        yield _line(kind, " + ".join(map(_member, of_kind)))
    extras = "; stops once solved" if spec.stop_on_solved else ""
    yield _line("run", f"seed {spec.seed}, {spec.steps} updates, {spec.dtype}{extras}")


def _ending(record: RunRecord) -> Iterator[str]:
    yield _line("outcome", outcome_in_words(record))
    if record.outcome.is_result:
        solved = record.solved_step
        yield _line("solved", "no" if solved is None else f"from update {solved} on")
        yield _line("first event", _event(record.first_event))
        if record.event_counts:
            counts = (f"{kind} {count}" for kind, count in sorted(record.event_counts.items()))
            yield _line("updates with", ", ".join(counts))
    elif record.error and "\n" in record.error:
        yield from ("", *(f"  {line}" for line in record.error.splitlines()))


def _event(event: Event | None) -> str:
    if event is None:
        return "none"
    where = "" if event.time_step is None else f", time step {event.time_step}"
    return f"{event.kind} at update {event.step}, in {event.tensor}{where}"


def _scores(record: RunRecord) -> Iterator[str]:
    if not record.scores:
        return
    metric = str(record.facts["metric"])
    yield _line("", "".join(f"{heading:>17}" for heading in (*SCORES.values(), "chance")))
    for key, name in (("loss", "loss"), ("metric", metric)):
        values = [_score(record, when, key) for when in SCORES]
        values.append(float(record.facts[f"chance_{key}"]))
        yield _line(name, "".join(f"{number_or_word(value):>17}" for value in values))


def _score(record: RunRecord, when: str, key: str) -> float:
    return record.scores[f"test_{key}" if when == "test" else f"{when}_validation_{key}"]


def number_or_word(value: float) -> str:
    return number(value) if math.isfinite(value) else repr(float(value))


def chart(curves: Mapping[str, np.ndarray], name: str, title: str) -> list[str]:
    """The curve on a log scale, one column for each of its points; empty where there is none."""
    values = np.asarray(curves.get(name, ()), dtype=np.float64)
    if not len(values):
        return []
    positive = values[np.isfinite(values) & (values > 0)]
    low, high = (positive.min(), positive.max()) if len(positive) else (math.nan, math.nan)
    columns = [_column(float(value), float(low), float(high)) for value in values]
    labels = [_label(high), *[""] * (CHART_ROWS - 2), _label(low)]
    width = max(map(len, labels))
    first, last = int(curves["step"][0]), int(curves["step"][-1])
    marks = [f"{mark} = {word}" for mark, word in MARKS.items() if any(mark in c for c in columns)]
    return [
        title + (f"; {', '.join(marks)}" if marks else ""),
        *(
            f"  {label:>{width}} │{''.join(column[row] for column in columns)}"
            for row, label in enumerate(labels)
        ),
        f"  {'':>{width}}  {len(values)} points, updates {first} to {last}",
    ]


def _column(value: float, low: float, high: float) -> str:
    """CHART_ROWS characters, the uppermost first."""
    if not math.isfinite(value):
        return ("n" if math.isnan(value) else "∞") + " " * (CHART_ROWS - 1)
    if value <= 0:
        return " " * (CHART_ROWS - 1) + "0"
    share = math.log(value / low) / math.log(high / low) if high > low else 0.5
    full, eighths = divmod(1 + round(share * (8 * CHART_ROWS - 1)), 8)
    upwards = BLOCKS[-1] * full + (BLOCKS[eighths - 1] if eighths else "")
    return upwards.ljust(CHART_ROWS)[::-1]


def _label(value: float) -> str:
    return number(value) if math.isfinite(value) else ""


def _left_out(record: RunRecord) -> Iterator[str]:
    if record.is_without_tables:
        yield _line("curves", "left out of this packed store; to have them, repeat the run")


def _provenance(record: RunRecord, digest: str, provenance: Mapping[str, Any]) -> Iterator[str]:
    if provenance:
        told = {name: provenance.get(name, NOT_RECORDED) for name in (*PACKAGES, *_ALSO_TOLD)}
        versions = ", ".join(f"{name} {told[name]}" for name in PACKAGES)
        yield _line("code", code_in_words(provenance))
        yield _line("with", f"{versions}; kernels: {told['kernels']}")
        yield _line("on", processor_in_words(provenance))
        yield _line("at", f"{told['started_at']}, in {record.seconds:.1f} s")
    yield _line("digest", digest)


def command(spec: RunSpec) -> str:
    """The `bench run` that asks for this one run, with every setting that is not the default."""
    overrides = [
        f"task={spec.task.name}",
        f"architecture={spec.architecture.name}",
        f"mitigation={spec.mitigation_name}",
        f"optimizer={spec.optimizer.name}",
        f"seeds=[{spec.seed}]",
    ]
    for kind, member in spec.members:
        usual = discovery.defaults(kind, member.name)
        overrides += [
            f"{kind}.{member.name}.{name}={setting_text(value)}"
            for name, value in member.settings.items()
            if usual.get(name) != value
        ]
    return shlex.join(["bench", "run", *overrides, *_run_overrides(spec)]) + plugins.as_options()


def _run_overrides(spec: RunSpec) -> Iterator[str]:
    usual = _yaml(CONF / "config.yaml")
    for name in ("dtype", "device", "stop_on_solved"):
        if getattr(spec, name) != usual[name]:
            yield f"{name}={setting_text(getattr(spec, name))}"
    for name, value in _yaml(CONF / "protocol" / "fixed.yaml").items():
        if getattr(spec, name) != value:
            yield f"protocol.{name}={setting_text(getattr(spec, name))}"


def _yaml(file: Path) -> dict[str, Any]:
    content: dict[str, Any] | None = yaml.safe_load(file.read_text())
    return content or {}


def _member(member: MemberSpec) -> str:
    settings = (f"{name} {setting_text(value)}" for name, value in member.settings.items())
    return f"{member.name} ({', '.join(settings)})" if member.settings else member.name


def _line(label: str, text: str) -> str:
    return f"{label:<13} {text}".rstrip()
