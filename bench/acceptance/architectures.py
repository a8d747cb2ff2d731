"""The battery of an architecture: on every task that it can take."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from bench import discovery
from bench.acceptance.findings import Check, counted, demand
from bench.acceptance.small import fitting, small
from bench.acceptance.trial import Trial
from bench.discovery import Member
from bench.kernels.tap import Watch
from bench.network import Network
from bench.records import RunSpec, Signature
from bench.training.run import run


def checks(member: Member) -> Iterator[tuple[str, Check]]:
    specs = _specs(member)
    yield "fits", partial(_fits, member, specs)
    if not specs:
        return
    yield "trace", partial(_trace, member)
    yield "runs", partial(_runs, specs)
    yield "roles", partial(_roles, member)
    yield "gradients", partial(_gradients, specs[0])
    yield "dL/dh", partial(_total_derivative, specs[0])
    yield "seeds", partial(_seeds, member)
    yield "NaN", partial(_one_bad_example, member)
    yield "repeats", partial(_repeats, specs)
    yield "moves", partial(_moves, specs[0])


def _specs(member: Member) -> list[RunSpec]:
    inputs = member.facts.get("inputs")
    return [
        found
        for name, task in discovery.members("task").items()
        if task.facts["inputs"] == inputs
        for found in fitting(task=name, architecture=member.name)
    ]


def _fits(member: Member, specs: list[RunSpec]) -> str:
    demand(bool(specs), f"there is no task whose inputs are a {member.facts['inputs']}")
    return f"{len(specs)} tasks: {', '.join(each.task.name for each in specs)}"


def _trace(member: Member) -> str:
    """Without taps nobody sees its states, nor dL/dh."""
    network = _network(member).double()
    network(_inputs(member))
    demand(bool(network.trace), "a pass leaves no bench.kernels.tap.Tap in network.trace")
    return f"{len(network.trace)} taps"


def _runs(specs: list[RunSpec]) -> str:
    return counted(run(each).outcome for each in specs)


def _network(member: Member, seed: int = 0) -> Network:
    built = discovery.build("architecture", small("architecture", member.name))
    network = built.build(Signature(input_size=3, output_size=2))
    demand(isinstance(network, Network), "build does not make a bench.network.Network")
    assert isinstance(network, Network)
    network.initialise(seed)
    return network


def _inputs(member: Member) -> Tensor:
    shape = (6, 4, 3) if member.facts["inputs"] == "sequence" else (4, 3)
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def _roles(member: Member) -> str:
    network = _network(member)
    names = {name for name, _ in network.named_parameters()}
    demand(set(network.roles) == names, f"without a role: {sorted(names ^ set(network.roles))}")
    for parameter, role in network.with_role():
        demand(parameter.shape[0] % len(role.gates) == 0, f"{role}: gates do not divide its rows")
    there = {role.name for _, role in network.with_role()}
    demand({"input", "readout"} <= there, "needs parameters of the roles input and readout")
    return f"{sum(p.numel() for p in network.parameters())} parameters: {', '.join(sorted(there))}"


def _gradients(of: RunSpec) -> str:
    trial = Trial(of)
    trial.train(1)
    gradients = trial.trainer.flat.by_name(trial.trainer.flat.gradients)
    weights = {name for name, role in trial.network.roles.items() if role.name != "bias"}
    dead = [name for name in weights if not gradients[name].any()]
    demand(not dead, f"no gradient reaches {', '.join(sorted(dead))}")
    return f"{len(gradients)} tensors"


def _total_derivative(of: RunSpec) -> str:
    """dL/dh of every position is there for those who look."""
    trial = Trial(of)
    trial.trainer.network.watch = Watch.GRADIENTS
    inputs, targets = trial.batch(1)
    trial.task.loss(trial.network(inputs), targets).backward()  # type: ignore[no-untyped-call]
    demand(bool(trial.network.trace), "a pass leaves no Tap in network.trace")
    for tap in trial.network.trace:
        states = tap.states
        demand(states is not None, "a pass leaves no states in network.trace")
        assert states is not None
        demand(tap.total_derivative().shape == states.shape, "dL/dh is not shaped as the states")
        demand(bool(tap.total_derivative().any()), "dL/dh is zero")
    return f"{len(trial.network.trace)} layers"


def _seeds(member: Member) -> str:
    once, again, other = (_network(member, seed) for seed in (1, 1, 2))
    flat = [torch.cat([p.flatten() for p in each.parameters()]) for each in (once, again, other)]
    demand(torch.equal(flat[0], flat[1]), "one seed gives two starts")
    demand(not torch.equal(flat[0], flat[2]), "two seeds give one start")
    return "one start for each"


def _one_bad_example(member: Member) -> str:
    network, inputs = _network(member).double(), _inputs(member)
    inputs[..., 1, :] = float("nan")
    outputs = network(inputs)
    demand(bool(outputs[..., 1, :].isnan().all()), "hides NaN of its inputs")
    demand(bool(outputs[..., [0, 2, 3], :].isfinite().all()), "spreads NaN to other examples")
    return "stays in its example"


def _repeats(specs: list[RunSpec]) -> str:
    demand(run(specs[0]).digest == run(specs[0]).digest, "two runs differ")
    return "the same bits twice"


def _moves(of: RunSpec) -> str:
    trial = Trial(of)
    before = trial.values()
    trial.train(3)
    moved = [not torch.equal(a, b) for a, b in zip(before, trial.values(), strict=True)]
    demand(any(moved), "no parameter moves")
    return f"{sum(moved)} of {len(moved)} tensors move"
