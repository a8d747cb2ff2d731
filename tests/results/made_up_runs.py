"""Runs that nobody ran, for the tests of the store."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from bench.discovery import Member
from bench.records import (
    CURVE_COLUMNS,
    FLOW_COLUMNS,
    Event,
    EventKind,
    MemberSpec,
    Outcome,
    RunRecord,
    RunSpec,
)
from bench.results.currency import member_key
from bench.results.schema import PROVENANCE_FIELDS


def digest_of(kind: str, name: str, edition: str = "first") -> str:
    return hashlib.sha256(f"{kind} {name} {edition}".encode()).hexdigest()


def spec(
    seed: int = 0,
    mitigation: tuple[str, ...] = ("clip_norm",),
    threshold: float = 1.0,
    steps: int = 400,
) -> RunSpec:
    return RunSpec(
        task=MemberSpec("adding", {"length": 100, "steps": steps}),
        architecture=MemberSpec("rnn_tanh", {"hidden_size": 64, "gain": 1.5}),
        mitigation=tuple(
            MemberSpec(name, {"threshold": threshold} if name == "clip_norm" else {})
            for name in mitigation
        ),
        optimizer=MemberSpec("sgd", {"lr": 0.1}),
        seed=seed,
    )


def record(
    run: RunSpec | None = None,
    outcome: Outcome = Outcome.COMPLETED,
    rows: int = 5,
    final: float = 0.25,
    **changes: Any,
) -> RunRecord:
    """`final` is the loss of the last row and the final score."""
    run = run or spec()
    steps = np.linspace(1, run.steps, rows).round()
    curves = {
        name: steps if name == "step" else np.linspace(index, final, rows)
        for index, name in enumerate(CURVE_COLUMNS)
    }
    flow = {name: np.arange(4.0) + index for index, name in enumerate(FLOW_COLUMNS)}
    fields: dict[str, Any] = {
        "steps_done": run.steps,
        "event_counts": {},
        "scores": {"initial_validation_loss": 0.5, "final_validation_loss": final},
        "facts": {"metric": "loss", "higher_is_better": False, "explosion_bound": float("inf")},
        "curves": curves,
        "flow": flow,
        "seconds": 1.5,
        "cpu_seconds": 1.25,
        "peak_memory": 2**28,
    }
    return RunRecord(spec=run, outcome=outcome, **(fields | changes))


def diverged(run: RunSpec | None = None) -> RunRecord:
    return record(
        run,
        Outcome.DIVERGED,
        final=float("nan"),
        steps_done=7,
        first_event=Event(EventKind.GRADIENT_INF, 5, "recurrent", 93),
        event_counts={"gradient_inf": 3, "loss_nan": 1},
    )


def failed(run: RunSpec | None = None, error: str = "Traceback: it broke") -> RunRecord:
    return RunRecord(spec=run or spec(), outcome=Outcome.FAILED, error=error)


def provenance(run: RunSpec | None = None, **changes: Any) -> dict[str, Any]:
    """What a worker would have collected, with the first edition of every member file."""
    digests = {
        member_key(kind, member): digest_of(kind, member.name)
        for kind, member in (run or spec()).members
    }
    told: dict[str, Any] = dict.fromkeys(PROVENANCE_FIELDS, "made up")
    told |= {"git_commit": None, "git_dirty": None, "cpu_cores": 2, "torch_threads": 1}
    told |= {"flush_denormal": False, "deterministic_algorithms": False}
    return told | {"member_digests": digests} | changes


def members(
    kind: str, edited: tuple[str, ...] = (), gone: tuple[str, ...] = ()
) -> dict[str, Member]:
    """What discovery would find: the files of the made-up runs, some of them edited or gone."""
    names = {
        "task": ["adding"],
        "architecture": ["rnn_tanh"],
        "mitigation": ["none", "clip_norm", "orthogonal"],
        "optimizer": ["sgd"],
    }[kind]
    return {
        name: Member(
            kind=kind,
            name=name,
            path=Path(f"{name}.py"),
            yaml=Path(f"{name}.yaml"),
            module=f"bench.{name}",
            class_name=name,
            doc="",
            schema={},
            facts={},
            digest=digest_of(kind, name, "second" if name in edited else "first"),
        )
        for name in names
        if name not in gone
    }
