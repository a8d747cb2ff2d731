"""Records made up by hand, with the faults that a report must survive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.records import (
    CURVE_COLUMNS,
    Event,
    EventKind,
    MemberSpec,
    Outcome,
    RunRecord,
    RunSpec,
    Setting,
)

STEPS = 2000
DIVERGED, FROZEN, COMPLETED = Outcome.DIVERGED, Outcome.FROZEN, Outcome.COMPLETED


def spec(
    *,
    task: str = "adding",
    architecture: str = "rnn_tanh",
    mitigation: str = "none",
    optimizer: str = "sgd",
    seed: int = 0,
    steps: int = STEPS,
    settings: Mapping[str, Mapping[str, Setting]] | None = None,
    **run: Any,
) -> RunSpec:
    """`settings`: member name -> the settings that are not the usual ones."""

    def member(name: str, **usual: Setting) -> MemberSpec:
        return MemberSpec(name, {**usual, **(settings or {}).get(name, {})})

    return RunSpec(
        task=member(task, length=200, batch_size=32, steps=steps),
        architecture=member(architecture, hidden_size=64, gain=2.0),
        mitigation=tuple(
            member(name, **({"threshold": 1.0} if name.startswith("clip") else {}))
            for name in mitigation.split("+")
        ),
        optimizer=member(optimizer, lr=0.1),
        seed=seed,
        **run,
    )


def record(
    outcome: Outcome = COMPLETED,
    *,
    metric: float = 0.05,
    solved_step: int | None = None,
    steps_done: int | None = None,
    facts: Mapping[str, Setting] | None = None,
    scores: Mapping[str, float] | None = None,
    first_event: Event | None = None,
    event_counts: Mapping[str, int] | None = None,
    curves: Mapping[str, np.ndarray] | None = None,
    flow: Mapping[str, np.ndarray] | None = None,
    error: str | None = None,
    **of_spec: Any,
) -> RunRecord:
    made = spec(**of_spec)
    if steps_done is None:
        steps_done = 7 if outcome is DIVERGED else made.steps
    usual: dict[str, Setting] = {
        "metric": "mse",
        "higher_is_better": False,
        "chance_loss": 0.167,
        "chance_metric": 0.167,
        "explosion_bound": 1670.0,
        "num_parameters": 4300,
        "portable": True,
    }
    return RunRecord(
        spec=made,
        outcome=outcome,
        steps_done=steps_done,
        solved_step=solved_step,
        first_event=first_event,
        event_counts=event_counts or {},
        scores={"test_metric": metric} if scores is None else scores,
        facts={**usual, **(facts or {})},
        curves={} if curves is None else curves,
        flow={} if flow is None else flow,
        error=error,
    )


def curves(steps: np.ndarray, loss: np.ndarray, gradient_norm: np.ndarray) -> dict[str, np.ndarray]:
    table = {name: np.full(steps.size, np.nan) for name in CURVE_COLUMNS}
    table |= {
        "step": steps.astype(np.float64),
        "training_loss": loss,
        "gradient_norm": gradient_norm,
        "gradient_norm_max": gradient_norm,
    }
    return table


def story(
    seed: int, *, kind: str, higher_is_better: bool = False, length: int = 200, **of_spec: Any
) -> RunRecord:
    """One run as it might have gone. `kind`: explodes, late, frozen, learns or stuck."""
    draw = np.random.default_rng([seed, *map(ord, kind), *map(ord, str(sorted(of_spec.items())))])
    end = {"explodes": draw.integers(3, 9), "late": draw.integers(150, 1200), "frozen": 60}
    budget = int(of_spec.get("steps", STEPS))
    last = int(end.get(kind, budget))
    grid = np.unique(np.geomspace(1, budget, 60).astype(int))
    steps = np.unique(np.append(grid[grid <= last], last))
    chance = 0.9 * 2.303 if higher_is_better else 0.167
    noise = np.exp(0.15 * draw.normal(size=steps.size))
    loss, norm = chance * noise, 10 ** draw.uniform(-1, 1) * noise
    if kind in ("explodes", "late"):
        rise = np.clip((steps - last + 6) / 6, 0, 1)
        loss = loss * 10 ** (rise * draw.uniform(4, 30))
        norm = norm * 10 ** (rise * draw.uniform(8, 30))
        loss[-1], norm[-1] = (
            draw.choice([np.inf, np.nan, loss[-1]]),
            draw.choice([np.inf, norm[-1]]),
        )
    if kind == "learns":
        falling = 1 / (1 + (steps / draw.uniform(150, 400)) ** 2)
        loss = np.maximum(loss * falling, 2e-4 * noise)
    if kind == "frozen":
        norm[-3:] = 0.0
    position = np.arange(length)
    slope = {"explodes": 0.3, "late": 0.1, "frozen": 0.08}.get(kind, -0.02)
    flow_norm = 1e-3 * 10 ** (slope * (length - 1 - position) * 100 / length)
    if kind == "explodes":
        flow_norm[: length // 20] = np.inf
    dead = kind in ("explodes", "late")
    outcome = {"explodes": DIVERGED, "late": DIVERGED, "frozen": FROZEN}.get(kind, COMPLETED)
    solved = int(steps[np.argmax(loss < chance / 5)]) if kind == "learns" else None
    metric = {"learns": float(loss[-1]), "frozen": np.nan}.get(kind, chance * float(noise[-1]))
    if higher_is_better:
        metric = 0.95 + 0.04 * draw.random() if kind == "learns" else 0.1
    event = Event(EventKind.GRADIENT_INF, max(1, last - 2), "recurrent.weight", 3)
    return record(
        outcome,
        metric=metric,
        solved_step=solved,
        steps_done=last,
        first_event=event if dead or kind == "frozen" else None,
        event_counts={"gradient_inf": 3, "loss_nan": 1} if dead else {},
        facts={
            "metric": "accuracy" if higher_is_better else "mse",
            "higher_is_better": higher_is_better,
            "chance_loss": chance,
            "chance_metric": 0.1 if higher_is_better else 0.167,
            "explosion_bound": 1e4 * chance,
        },
        curves=curves(steps, loss, norm),
        flow={
            "step": np.ones(length),
            "position": position.astype(np.float64),
            "gradient_norm": flow_norm,
        },
        seed=seed,
        **of_spec,
    )


_KINDS = {
    ("rnn_tanh", "none"): "explodes",
    ("rnn_tanh", "clip_norm"): "stuck",
    ("rnn_tanh", "layer_norm"): "late",
    ("rnn_tanh", "orthogonal+clip_norm"): "learns",
    ("lstm", "none"): "late",
    ("lstm", "clip_norm"): "learns",
    ("lstm", "layer_norm"): "stuck",
    ("lstm", "orthogonal+clip_norm"): "learns",
    ("gru", "none"): "stuck",
    ("gru", "clip_norm"): "learns",
    ("gru", "layer_norm"): "frozen",
}


def whole_report(num_seeds: int = 5) -> list[RunRecord]:
    """2 tasks by 3 recurrent architectures by 4 mitigations, an MLP, one seed alone, failures."""
    runs = []
    for task in ("adding", "temporal_order"):
        for (architecture, mitigation), kind in _KINDS.items():
            for seed in range(num_seeds):
                mixed = "learns" if kind == "late" and seed % 2 else kind
                runs.append(
                    story(
                        seed,
                        kind=mixed,
                        task=task,
                        architecture=architecture,
                        mitigation=mitigation,
                        higher_is_better=task == "temporal_order",
                    )
                )
    for mitigation, kind in (
        ("none", "explodes"),
        ("clip_norm", "learns"),
        ("layer_norm", "learns"),
    ):
        runs += [
            story(
                seed,
                kind=kind,
                task="digits",
                architecture="mlp",
                mitigation=mitigation,
                higher_is_better=True,
                length=50,
            )
            for seed in range(num_seeds)
        ]
    runs.append(
        story(
            0, kind="learns", task="adding", architecture="gru", mitigation="orthogonal+clip_norm"
        )
    )
    runs += [
        record(
            Outcome.FAILED,
            task="temporal_order",
            architecture="gru",
            mitigation="orthogonal+clip_norm",
            seed=seed,
            error="Traceback (most recent call last):\nValueError: no such site",
        )
        for seed in range(2)
    ]
    runs.append(record(Outcome.TIMEOUT, architecture="lstm", seed=17))
    return runs


@dataclass(frozen=True)
class Stored:
    """A run as the store yields it."""

    record: RunRecord
    status: str
    provenance: Mapping[str, Any] = field(default_factory=dict)
    semantics_version: int = 1

    @property
    def run_id(self) -> str:
        return self.record.spec.run_id

    @property
    def cell_id(self) -> str:
        return self.record.spec.cell_id


def stored(runs: Iterable[RunRecord], status: str | None = None) -> list[Stored]:
    """Results are current and the rest failed, unless `status` says otherwise."""
    return [
        Stored(run, status or ("current" if run.outcome.is_result else "failed")) for run in runs
    ]
