"""A run as flat columns: for tables and for the configuration that W&B shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TypeAlias

from bench.records import EventKind, MemberSpec, RunRecord, RunSpec, Setting
from bench.results.encoding import canonical
from bench.results.store import StoredRun

Flat: TypeAlias = dict[str, Setting | None]

_MEMBERS = ("task", "architecture", "mitigation", "optimizer")


def flat_spec(spec: RunSpec) -> Flat:
    """task, mitigation, ..., seed, steps, and task.length, mitigation.clip_norm.threshold, ...

    Settings carry the name of their kind; those of a mitigation its own too: there may be several.
    """
    flat: Flat = {
        "task": spec.task.name,
        "architecture": spec.architecture.name,
        "mitigation": spec.mitigation_name,
        "optimizer": spec.optimizer.name,
    }
    flat |= {
        field.name: getattr(spec, field.name)
        for field in fields(spec)
        if field.name not in _MEMBERS
    }
    for kind, member in spec.members:
        flat |= _settings(kind, member)
    return flat


def flat_outcome(record: RunRecord) -> Flat:
    """What came of a run. A column that is None, or absent, does not apply to the run."""
    event = record.first_event
    return {
        "outcome": record.outcome.value,
        "solved_step": record.solved_step,
        "steps_done": record.steps_done,
        "first_event.kind": event.kind.value if event else None,
        "first_event.step": event.step if event else None,
        "first_event.tensor": event.tensor if event else None,
        "first_event.time_step": event.time_step if event else None,
        **{f"events.{kind}": record.event_counts.get(kind, 0) for kind in EventKind},
        **{f"scores.{name}": float(value) for name, value in record.scores.items()},
        **{f"facts.{name}": value for name, value in record.facts.items()},
        "seconds": record.seconds,
        "cpu_seconds": record.cpu_seconds,
        "peak_memory": record.peak_memory,
        "error": record.error,
    }


def flat_run(run: StoredRun) -> Flat:
    """All of a run but its curves."""
    return {
        "run_id": run.run_id,
        "cell_id": run.cell_id,
        **flat_spec(run.record.spec),
        "status": run.status.value,
        **flat_outcome(run.record),
        "record_digest": run.record_digest,
        "semantics_version": run.semantics_version,
        "stored_at": run.stored_at,
        **{f"provenance.{name}": _scalar(value) for name, value in run.provenance.items()},
    }


def _settings(kind: str, member: MemberSpec) -> Flat:
    prefix = f"{kind}.{member.name}" if kind == "mitigation" else kind
    return {f"{prefix}.{name}": value for name, value in member.settings.items()}


def _scalar(value: object) -> Setting | None:
    """Lists and mappings as JSON: a column holds scalars."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return canonical(dict(value) if isinstance(value, Mapping) else value)
