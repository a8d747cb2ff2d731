"""What a run will cost: rough numbers, from settings, the members' facts and what was measured.

The order of the runs, the time left and whether a run fits into memory follow from them; within a
factor of two or three is enough. plain_costs.py has what an update costs by itself. What members
cost beside that was measured at one size (measured.py). An architecture's estimate is scaled to
meet its measurement there. What a mitigation or an optimiser adds there is added for each place
where it acts: each gate, layer and time step, or each weight matrix. Most of it is the time of
Python, which does not depend on the sizes; ARITHMETIC is the share that grows with them. A member
that was not measured adds nothing, which the plan says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench import discovery
from bench.planning.measured import measured
from bench.planning.plain_costs import (
    FORWARD,
    SITES,
    Size,
    evaluation_seconds,
    inputs_of,
    peak_bytes,
    size_of,
    update_seconds,
    whole,
)
from bench.records import MemberSpec, RunSpec

ARITHMETIC = 0.15
"""The share of arithmetic in what a member adds, at the sizes at which it was measured. Fitted to
layer_norm, batch_norm, orthogonal_parametrisation, spectral_norm and weight_norm, hidden sizes 64
to 256."""

AT_EVERY_STEP = {
    *("preactivation", "state", "feedback", "skip", "carry", "hidden_states", "plain_recurrence"),
}
"""Who needs one of these acts at every layer and time step; the others on every weight matrix."""


@dataclass(frozen=True)
class Estimate:
    """Of one run to the end of its budget: many end earlier, when they diverge."""

    seconds: float
    bytes: int  # peak memory of the process


def estimate(spec: RunSpec) -> Estimate:
    """Seconds on one core, and bytes, of the run of `spec`."""
    size, task = size_of(spec.task, spec.architecture, spec.mitigation), spec.task.settings
    batch, held_out = whole(task, "batch_size", 32), whole(task, "evaluation_size", 256)
    width = 2 if spec.dtype == "float64" else 1
    # The first evaluations come at 1, 2, 5, 10, 20, 50, ...; two more at the start and the end.
    early = 3 * math.log10(max(spec.steps / spec.evaluations, 1))
    evaluations = min(spec.evaluations, spec.steps) + early + 2
    scale = _scale(spec.architecture.name, size)
    seconds = spec.steps * scale * update_seconds(size, batch, width)
    seconds += evaluations * scale * evaluation_seconds(size, held_out, width)
    for kind, member in spec.members:
        if kind in ("mitigation", "optimizer"):
            extra = _extra(kind, member, size)
            seconds += extra.before + spec.steps * extra.update(size, batch)
            seconds += evaluations * FORWARD * extra.in_evaluation(size, held_out)
    return Estimate(seconds, round(peak_bytes(size, batch, held_out, 4 * width)))


def estimates(specs: Sequence[RunSpec]) -> list[Estimate]:
    """One for each of a plan's cells; those that differ in what costs nothing share it."""
    known: dict[Any, Estimate] = {}
    found = []
    for spec in specs:
        # The cells of a plan share their members; a key of their settings would cost more.
        members = (id(spec.task), id(spec.architecture), *map(id, spec.mitigation))
        key = (*members, spec.optimizer.name, spec.dtype, spec.evaluations)
        if key not in known:
            known[key] = estimate(spec)
        found.append(known[key])
    return found


def unmeasured(spec: RunSpec) -> list[str]:
    """The members whose costs nobody has told: those from outside."""
    inputs = inputs_of(spec.architecture.name)
    return [
        member.name
        for kind, member in spec.members
        if kind != "task" and measured(kind, member.name, inputs) is None
    ]


def gigabytes(size: float) -> str:
    """ "0.27 GB", "2.7 GB", "270 GB" """
    return f"{size / 1e9:.2g} GB" if size < 1e11 else f"{size / 1e9:,.0f} GB"


def _scale(architecture: str, size: Size) -> float:
    """What the constants must be multiplied by to meet what was measured of an architecture."""
    cost = measured("architecture", architecture, "sequence" if size.is_sequence else "vector")
    if cost is None:
        return 1.0
    wanted = cost.time * _seconds_where_measured(cost.task, cost.plain)
    return wanted / _seconds_where_measured(cost.task, cost.architecture)


def _seconds_where_measured(task: MemberSpec, architecture: MemberSpec) -> float:
    """Of an update on which costs were measured."""
    return update_seconds(
        size_of(task, architecture, ()), whole(task.settings, "batch_size", 32), 1
    )


@dataclass(frozen=True)
class _Extra:
    """What a member adds to a run, per place and unit of arithmetic; see ARITHMETIC."""

    before: float  # seconds before the first update
    seconds: float  # for each place of an update, at the sizes measured
    is_at_every_step: bool
    is_in_evaluations: bool
    numbers: float  # computed at a place where it was measured

    def update(self, size: Size, batch: int) -> float:
        return self.seconds * _work(size, batch, self.numbers, at_steps=self.is_at_every_step)

    def in_evaluation(self, size: Size, held_out: int) -> float:
        return self.update(size, held_out) if self.is_in_evaluations else 0.0


_NOTHING = _Extra(0.0, 0.0, False, False, 1.0)


def _work(size: Size, batch: int, numbers: float, *, at_steps: bool) -> float:
    """Places times what each costs, where 1 is a place with so many `numbers` to compute."""
    places = size.places * size.gates if at_steps else size.layers * size.gates
    here = _numbers(size, batch, at_steps=at_steps)
    return places * (1 - ARITHMETIC + ARITHMETIC * here / numbers)


def _numbers(size: Size, batch: int, *, at_steps: bool) -> float:
    return size.hidden * (batch if at_steps else size.hidden)


def _extra(kind: str, member: MemberSpec, size: Size) -> _Extra:
    """Of a mitigation or an optimiser."""
    cost = measured(kind, member.name, "sequence" if size.is_sequence else "vector")
    facts = discovery.member(kind, member.name).facts
    # A control does nothing: what was measured of it is the error of measuring.
    if cost is None or "alone" in facts.get("claims", ()):
        return _NOTHING
    at_steps = bool(AT_EVERY_STEP & set(facts.get("needs", ())))
    there = size_of(cost.task, cost.architecture, ())
    batch = whole(cost.task.settings, "batch_size", 32)
    plain = _scale(cost.architecture.name, there) * _seconds_where_measured(
        cost.task, cost.architecture
    )
    numbers = _numbers(there, batch, at_steps=at_steps)
    places = _work(there, batch, numbers, at_steps=at_steps)
    here = _work(size, batch, numbers, at_steps=at_steps)
    return _Extra(
        before=cost.before * plain * _times_prepared(kind, member) * here / places,
        seconds=max(0.0, cost.time - 1) * plain / places,
        is_at_every_step=at_steps,
        is_in_evaluations=bool(SITES & set(facts.get("needs", ())))
        or "parametrisation" in facts.get("claims", ()),
        numbers=numbers,
    )


def _times_prepared(kind: str, member: MemberSpec) -> float:
    """How much longer its preparation takes than at its defaults: in proportion to the settings
    that it names in `prepares`."""
    settings: Sequence[str] = discovery.member(kind, member.name).facts.get("prepares", ())
    if not settings:  # nearly all; the defaults stand in a file
        return 1.0
    defaults = discovery.defaults(kind, member.name)
    return math.prod(float(member.settings[name]) / float(defaults[name]) for name in settings)
