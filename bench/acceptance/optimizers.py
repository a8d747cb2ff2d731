"""The battery of an optimiser."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from bench import discovery
from bench.acceptance.findings import Check, demand
from bench.acceptance.small import small, spec
from bench.discovery import Member
from bench.optimizers import Optimizer
from bench.training.run import run


def checks(member: Member) -> Iterator[tuple[str, Check]]:
    yield "runs", partial(_runs, member)
    yield "descends", partial(_descends, member)
    yield "in place", partial(_in_place, member)
    yield "gradient NaN", partial(_not_finite, member)
    yield "state", partial(_starts_anew, member)


def _optimizer(member: Member) -> Optimizer:
    optimizer: Optimizer = discovery.build("optimizer", small("optimizer", member.name))
    return optimizer


def _after(optimizer: Optimizer, gradients: list[Tensor]) -> Tensor:
    parameters = torch.linspace(-1, 1, 7)
    state = optimizer.start(parameters)
    for gradient in gradients:
        optimizer.update(parameters, gradient.clone(), state, optimizer.lr)
    return parameters


def _runs(member: Member) -> str:
    wanted = spec("adding", "rnn_tanh", optimizer=member.name)
    first, again = run(wanted), run(wanted)
    demand(first.digest == again.digest, "two runs differ")
    return f"{first.outcome}, the same bits twice"


def _descends(member: Member) -> str:
    """Against a constant gradient every coordinate moves to the other side of it."""
    moved = _after(_optimizer(member), [torch.ones(7)] * 3) - torch.linspace(-1, 1, 7)
    demand(bool((moved < 0).all()), "does not move against the gradient")
    return f"{float(-moved.mean()) / _optimizer(member).lr:.3g} lr in three updates of gradient 1"


def _in_place(member: Member) -> str:
    optimizer, parameters = _optimizer(member), torch.linspace(-1, 1, 7)
    gradient, view = torch.ones(7), parameters[:3]
    before, state = view.clone(), optimizer.start(parameters)
    optimizer.update(parameters, gradient, state, optimizer.lr)
    demand(not torch.equal(view, before), "puts new parameters in place of the old")
    demand(torch.equal(gradient, torch.ones(7)), "changes the gradient")
    for name, vector in state.vectors.items():
        demand(vector.shape == parameters.shape, f"state {name} is not as long as the parameters")
    return ", ".join(state.vectors) or "remembers nothing"


def _not_finite(member: Member) -> str:
    """NaN in one coordinate stays there and is not hidden."""
    gradient = torch.ones(7)
    gradient[2] = math.nan
    after = _after(_optimizer(member), [gradient])
    demand(bool(after[2].isnan()), "hides NaN")
    demand(bool(after[[0, 1, 3, 4, 5, 6]].isfinite().all()), "spreads NaN")
    return "shows in its coordinate"


def _starts_anew(member: Member) -> str:
    optimizer, gradients = _optimizer(member), [torch.full((7,), 0.5), torch.ones(7)]
    demand(torch.equal(_after(optimizer, gradients), _after(optimizer, gradients)), "carries over")
    return "nothing outlives a run"
