"""What crosses rooms: a run's specification, what came of it, the one exception for bad input."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

SEMANTICS_VERSION = 2
"""Raised by hand whenever the engine gives other numbers for the same specification."""

Setting: TypeAlias = bool | int | float | str

CURVE_COLUMNS = (
    "step",  # updates done, from 1
    "learning_rate",  # of this update
    "training_loss",  # mean over the updates since the row before
    "training_loss_max",
    "gradient_norm",  # L2 norm of all gradients at this update, before any transform
    "gradient_norm_max",  # largest since the row before
    "transformed_gradient_norm",  # the same two after the mitigations' transforms
    "transformed_gradient_norm_max",
    "clip_fraction",  # share of updates since the row before whose gradient a transform changed
    "skip_fraction",  # share of updates since the row before that a mitigation skipped
    "update_to_weight_ratio",  # |change of the parameters| / |parameters|, at this update
    "validation_loss",  # after this update
    "validation_metric",
)
FLOW_COLUMNS = (
    "step",  # the update at which it was probed
    "position",  # time step of a recurrent network, layer of a feed-forward one; from 0
    "gradient_norm",  # |dL/dh| there: the total derivative, L2 over batch and units, last layer
)


class BadInput(Exception):  # noqa: N818
    """Input that cannot be used. The message is one line: what, where, how to mend it."""


class Outcome(StrEnum):
    """How a run ended. The first three are results; the others are run again."""

    DIVERGED = "diverged"
    FROZEN = "frozen"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMEOUT = "timeout"
    INTERRUPTED = "interrupted"

    @property
    def is_result(self) -> bool:
        return self in (Outcome.DIVERGED, Outcome.FROZEN, Outcome.COMPLETED)


class EventKind(StrEnum):
    """What can go wrong with the numbers without ending a run."""

    LOSS_NAN = "loss_nan"
    LOSS_INF = "loss_inf"
    ACTIVATION_NAN = "activation_nan"
    ACTIVATION_INF = "activation_inf"
    GRADIENT_NAN = "gradient_nan"
    GRADIENT_INF = "gradient_inf"
    GRADIENT_NORM_OVERFLOW = "gradient_norm_overflow"  # finite, but its squares leave the dtype
    OPTIMIZER_STATE_NONFINITE = "optimizer_state_nonfinite"
    PARAMETER_NAN = "parameter_nan"
    PARAMETER_INF = "parameter_inf"


@dataclass(frozen=True)
class Event:
    """The first number that went wrong: at which update (from 1), in which tensor.

    `time_step` is the position along the sequence, where the tensor has one.
    """

    kind: EventKind
    step: int
    tensor: str
    time_step: int | None = None


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What a task asks of a network: inputs [time, batch, input_size] (or [batch, input_size]) in,
    outputs [output_steps, batch, output_size] (or [batch, output_size]) out: the last steps."""

    input_size: int
    output_size: int
    output_steps: int = 1


@dataclass(frozen=True)
class MemberSpec:
    """A task, architecture, mitigation or optimiser with every one of its settings written out."""

    name: str
    settings: Mapping[str, Setting]


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """All that decides the numbers of one run, and nothing else.

    `evaluations` regular evaluations are spread over the task's `steps` updates; a run is solved
    when the task's criterion holds at `solved_checks` of them in a row; it is diverged or frozen
    when the sign for it holds for `window` updates in a row, or for all where there are fewer.
    """

    task: MemberSpec
    architecture: MemberSpec
    mitigation: tuple[MemberSpec, ...]
    optimizer: MemberSpec
    seed: int
    dtype: str = "float32"
    device: str = "cpu"
    evaluations: int = 25
    solved_checks: int = 3
    window: int = 20
    stop_on_solved: bool = False

    @property
    def steps(self) -> int:
        """The budget of updates, a setting of the task."""
        return int(self.task.settings["steps"])

    @property
    def mitigation_name(self) -> str:
        return "+".join(member.name for member in self.mitigation)

    @property
    def names(self) -> tuple[str, str, str, str]:
        """Task, architecture, mitigation, optimiser."""
        return self.task.name, self.architecture.name, self.mitigation_name, self.optimizer.name

    @property
    def members(self) -> list[tuple[str, MemberSpec]]:
        """(kind, member) for every member file that the run uses."""
        return [
            ("task", self.task),
            ("architecture", self.architecture),
            *(("mitigation", member) for member in self.mitigation),
            ("optimizer", self.optimizer),
        ]

    @cached_property
    def run_id(self) -> str:
        """16 hexadecimal digits that name this specification, the same on every machine."""
        return _digest("run", self.to_json())

    @cached_property
    def cell_id(self) -> str:
        """Names what the seeds of one cell share: the specification without its seed."""
        return _digest("cell", replace(self, seed=0).to_json())

    def to_json(self) -> str:
        """Canonical: sorted keys, shortest floats, infinity as the string "inf"; NaN is refused."""
        return json.dumps(_plain(asdict(self)), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> RunSpec:
        raw: dict[str, Any] = json.loads(text)
        for kind in ("task", "architecture", "optimizer"):
            raw[kind] = _member(raw[kind])
        raw["mitigation"] = tuple(_member(member) for member in raw["mitigation"])
        return cls(**raw)


class LeftOut(Mapping[str, np.ndarray]):
    """Curves, or a flow, that the run had and the store it was read from leaves out."""

    def __getitem__(self, name: str) -> np.ndarray:
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What came of a run. All of it repeats bit for bit, but for the costs at the end."""

    spec: RunSpec
    outcome: Outcome
    steps_done: int = 0
    solved_step: int | None = None
    first_event: Event | None = None
    event_counts: Mapping[str, int] = field(default_factory=dict)  # kind -> updates that had it
    scores: Mapping[str, float] = field(default_factory=dict)
    """validation_loss and validation_metric before the first update (`initial_...`) and at the end
    (`final_...`), test_loss and test_metric at the end."""
    facts: Mapping[str, Setting] = field(default_factory=dict)
    """What the report must know: metric (name), higher_is_better, chance_loss, chance_metric,
    explosion_bound, num_parameters, portable, initial_digest (weights), data_digest (batch 1); of a
    task that reads a data set, its dataset_digest."""
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)  # CURVE_COLUMNS -> [rows]
    flow: Mapping[str, np.ndarray] = field(default_factory=dict)  # FLOW_COLUMNS -> [rows]
    error: str | None = None  # the traceback of a failed run
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0  # bytes, of the process while it ran

    @property
    def is_without_tables(self) -> bool:
        """Whether its curves or its flow were left out of the store it was read from."""
        return isinstance(self.curves, LeftOut) or isinstance(self.flow, LeftOut)

    @property
    def digest(self) -> str:
        """SHA-256 of all that must repeat. Every NaN counts as the same NaN.

        Raises ValueError where some of it was left out.
        """
        if self.is_without_tables:
            raise ValueError("no digest: the tables of the run were left out of its store")
        scalars = {
            "spec": json.loads(self.spec.to_json()),
            "outcome": self.outcome,
            "steps_done": self.steps_done,
            "solved_step": self.solved_step,
            "first_event": asdict(self.first_event) if self.first_event else None,
            "event_counts": dict(self.event_counts),
            "scores": {name: repr(float(value)) for name, value in self.scores.items()},
            "facts": _plain(dict(self.facts)),
        }
        sha = hashlib.sha256(json.dumps(scalars, sort_keys=True).encode())
        for label, table in (("curves", self.curves), ("flow", self.flow)):
            for name in sorted(table):
                column = np.asarray(table[name], dtype="<f8") + 0.0
                column[np.isnan(column)] = np.nan
                # Name and length first, or two different records could run together alike.
                sha.update(f"\0{label}.{name}[{column.size}]".encode() + column.tobytes())
        return sha.hexdigest()


def _digest(label: str, text: str) -> str:
    return hashlib.sha256(f"{label}/v1\0{text}".encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    """`value` as strict JSON can hold it: infinities as strings, -0.0 as 0.0."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        if math.isnan(value):
            raise ValueError("NaN in a specification")
        return repr(value) if math.isinf(value) else value + 0.0
    return value


def _member(raw: Mapping[str, Any]) -> MemberSpec:
    settings = {
        name: float(value) if value in ("inf", "-inf") else value
        for name, value in raw["settings"].items()
    }
    return MemberSpec(raw["name"], settings)
