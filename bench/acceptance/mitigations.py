"""The battery of a mitigation: on every architecture that it can act on, against `none`."""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from bench import discovery
from bench.acceptance.findings import Check, counted, demand
from bench.acceptance.small import fitting, small, spec
from bench.acceptance.trial import Trial
from bench.discovery import Member
from bench.planning.selection import provided
from bench.records import RunRecord, RunSpec
from bench.training.run import run

LARGE = 1e20
"""A finite float32 whose square is not."""
BREAKING: dict[str, dict[str, Any]] = {
    "task": {"length": 60, "steps": 30},
    "architecture": {"gain": 2.0},
    "optimizer": {"lr": 0.1},
}
"""Settings under which gradients explode."""


class Records:
    """What comes of a run, made once for all the checks that ask."""

    def __init__(self) -> None:
        self._known: dict[str, RunRecord] = {}

    def of(self, spec: RunSpec) -> RunRecord:
        if spec.run_id not in self._known:
            self._known[spec.run_id] = run(spec)
        return self._known[spec.run_id]


def checks(member: Member) -> Iterator[tuple[str, Check]]:
    specs, records = list(fitting(mitigation=member.name)), Records()
    yield "fits", partial(_fits, member, specs)
    if not specs:
        return
    yield "runs", partial(_runs, specs, records)
    yield "acts", partial(_acts, member, specs, records)
    yield "pairs", partial(_pairs, member, specs, records)
    yield "repeats", partial(_repeats, specs, records)
    yield "state", partial(_state_comes_back, specs[0])
    for value in (math.nan, math.inf, -math.inf):
        yield f"gradient {value}", partial(_not_finite, member, specs[0], value)
    for size in (0.0, LARGE):
        yield f"gradient {size:g}", partial(_finite, specs[0], size)


def _fits(member: Member, specs: list[RunSpec]) -> str:
    """On what it acts, and that the others really lack what it needs."""
    demand(bool(specs), f"no architecture and task give {', '.join(member.facts['needs'])}")
    known = {what for kind in ("task", "architecture") for what in _all_provided(kind)}
    unknown = set(member.facts["needs"]) - known
    demand(not unknown, f"needs what nothing provides: {', '.join(sorted(unknown))}")
    return f"{len(specs)} architectures: {', '.join(each.architecture.name for each in specs)}"


def _runs(specs: list[RunSpec], records: Records) -> str:
    return counted(records.of(each).outcome for each in specs)


def _acts(member: Member, specs: list[RunSpec], records: Records) -> str:
    """It changes a run, be it only one whose gradients explode; the control changes none."""
    is_control = "alone" in member.facts["claims"]
    for each in specs:
        for tried, how in ((each, ""), (_exploding(each), ", exploding")):
            if _curves(records.of(tried)) != _curves(records.of(_without(tried))):
                where = f"{each.architecture.name} on {each.task.name}{how}"
                demand(not is_control, f"is a control and changes {where}")
                return f"changes {where}"
    demand(is_control, "changes no run, not even one whose gradients explode")
    return "changes nothing, as a control"


def _pairs(member: Member, specs: list[RunSpec], records: Records) -> str:
    """The same seed: the same batches; and the same initial weights unless it sets them.

    Of parameters that it adds or computes there is nothing to compare with: those are told.
    """
    sets = set(member.facts["claims"]) & {"initial_weights", "initial_biases", "parametrisation"}
    kept = 0
    own: set[str] = set()
    for each in specs:
        with_it, without = records.of(each).facts, records.of(_without(each)).facts
        demand(with_it["data_digest"] == without["data_digest"], "sees other batches than none")
        if with_it["initial_digest"] == without["initial_digest"]:
            kept += 1
            continue
        start = _start_beside_none(each)
        kept += start.is_same
        own |= start.own
    if not sets:
        demand(kept == len(specs), "starts from other weights than none without claiming them")
    told = f"same batches as none; same initial weights in {kept} of {len(specs)}"
    return f"{told}, but for {' and '.join(sorted(own))}" if own else told


@dataclass(frozen=True)
class _Start:
    is_same: bool  # all parameters that both networks have, bit for bit
    own: frozenset[str]  # what else there is, in words


def _start_beside_none(each: RunSpec) -> _Start:
    with_it, without = (
        dict(Trial(spec).network.named_parameters()) for spec in (each, _without(each))
    )
    shared = with_it.keys() & without.keys()
    same = all(torch.equal(with_it[name], without[name]) for name in shared)
    computed = any(name.endswith(".original") for name in with_it)
    own = {
        "those that it computes from others": computed,
        "parameters of its own": len(with_it) > len(without),
    }
    return _Start(bool(shared) and same, frozenset(words for words, are in own.items() if are))


def _repeats(specs: list[RunSpec], records: Records) -> str:
    for each in specs[:3]:
        again = run(each).digest
        demand(records.of(each).digest == again, f"two runs on {each.architecture.name} differ")
    return "the same bits twice"


def _state_comes_back(of: RunSpec) -> str:
    """What it remembers can be written down amid a run, which then goes on as if nothing were."""
    whole, cut = Trial(of), Trial(of)
    for trial in (whole, cut):
        trial.train(3)
    cut.memories = [(m, pickle.loads(pickle.dumps(s))) for m, s in cut.memories]  # noqa: S301 (ours)
    for trial in (whole, cut):
        trial.train(3)
    same = all(torch.equal(a, b) for a, b in zip(whole.values(), cut.values(), strict=True))
    demand(same, "goes on otherwise after its state was saved and restored")
    return "saved and restored amid a run"


def _not_finite(member: Member, of: RunSpec, value: float) -> str:
    """One element of an otherwise healthy gradient, after a healthy update."""
    trial, policy = Trial(of), member.facts["nonfinite"]
    trial.train(1)
    gradient = trial.plant(value)
    update = trial.transform()
    demand(update.skip == (policy == "skips"), f"says that it {policy}; skip is {update.skip}")
    if policy == "propagates":
        demand(not bool(gradient.isfinite()), f"says that it propagates; became {float(gradient)}")
    if policy == "repairs" and not math.isnan(value):
        demand(bool(trial.gradients().isfinite().all()), "says that it repairs, and does not")
    trial.train(1)  # and it does not raise afterwards
    return str(policy)


def _finite(of: RunSpec, size: float) -> str:
    trial = Trial(of)
    trial.train(1)
    trial.fill(size)
    trial.transform()
    after = trial.gradients()
    demand(bool(after.isfinite().all()), "a finite gradient becomes NaN or infinite")
    if size:
        demand(bool(after.any()), "a large gradient becomes zero")
    return f"norm {float(after.double().norm()):.3g}"


def _curves(record: RunRecord) -> bytes:
    return b"".join(record.curves[name].tobytes() for name in sorted(record.curves))


def _without(each: RunSpec) -> RunSpec:
    return replace(each, mitigation=(small("mitigation", "none"),))


def _exploding(each: RunSpec) -> RunSpec:
    return spec(each.task.name, each.architecture.name, each.mitigation_name, settings=BREAKING)


def _all_provided(kind: str) -> set[str]:
    return provided(*discovery.members(kind).values())
