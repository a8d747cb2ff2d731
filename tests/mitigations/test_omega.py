"""Pascanu's Omega: against autograd, against its closed form, and where it must be nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench import discovery
from bench.mitigations.omega import _derivative
from bench.network import Network
from bench.records import MemberSpec, Signature
from tests.mitigations.workbench import Workbench, make

ARCHITECTURES = ["rnn_tanh", "rnn_relu", "rnn_linear"]


def scalar_omega(weight: Tensor, derivatives: Tensor, slopes: Tensor) -> Tensor:
    """Omega as in Pascanu et al.'s code, of d = dL/dh and f' [time, batch, hidden]."""
    square = derivatives.square().sum(dim=2)
    ratio = ((derivatives * slopes) @ weight).square().sum(dim=2) / square
    counts = square >= 1e-20
    terms = torch.where(counts, (ratio - 1).square(), torch.zeros_like(ratio))
    result: Tensor = terms.mean(dim=1).sum() / counts.double().mean(dim=1).sum()
    return result


def bench_of(
    architecture: str, layers: int = 1, kind: str = "gaussian", **others: dict
) -> Workbench:
    settings = {"hidden_size": 6, "num_layers": layers, "kind": kind, "gain": 1.3}
    settings["gain"] = 1.0 if kind == "identity" else 1.3
    member = discovery.build("architecture", MemberSpec(architecture, settings))
    network: Network = member.build(Signature(input_size=2, output_size=1))
    network.initialise(3)
    rules = [discovery.build("mitigation", MemberSpec(n, s)) for n, s in others.items()]
    return Workbench(network.double(), rules)


def backward(bench: Workbench, inputs: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The gradients before and after the gradient penalties (and transforms)."""
    bench.backward(inputs)
    before = bench.gradients
    bench.transform()
    return before, bench.gradients


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("stepwise", [False, True])
def test_it_adds_the_immediate_derivative_to_the_recurrent_gradient_alone(
    architecture: str, layers: int, stepwise: bool, sequence: Tensor
) -> None:
    bench = bench_of(architecture, layers, omega={"coefficient": 0.7})
    if stepwise:
        bench.network.insert("state", lambda width: nn.Identity())
    before, after = backward(bench, sequence.double())
    for name in before:
        if not name.startswith("recurrent"):
            assert torch.equal(after[name], before[name])
            continue
        tap = bench.network.trace[bench.network.roles[name].layer]
        assert tap.states is not None
        states, d = tap.states.detach(), tap.total_derivative()
        slopes = {
            "rnn_tanh": 1 - states.square(),
            "rnn_relu": (states > 0).double(),
            "rnn_linear": torch.ones_like(states),
        }[architecture]
        weight = bench.parameters[name].requires_grad_()
        (expected,) = torch.autograd.grad(scalar_omega(weight, d, slopes), weight)
        assert expected.abs().max() > 1e-3
        torch.testing.assert_close(
            after[name] - before[name], 0.7 * expected, rtol=1e-10, atol=1e-10
        )


def test_it_is_the_closed_form(sequence: Tensor) -> None:
    """4 (ratio - 1) / |d|^2 a^T v, one time step and example after the other."""
    generator = torch.Generator().manual_seed(0)
    d, h = (torch.randn(7, 3, 5, generator=generator).double().tanh() for _ in range(2))
    weight = torch.randn(5, 5, generator=generator).double()
    d[2, 1] = 1e-11  # below the bound
    d[4] = 0
    total, count = np.zeros((5, 5)), 0
    for step in range(7):
        for example in range(3):
            direction = d[step, example].numpy()
            square = direction @ direction
            if square < 1e-20:
                continue
            a = direction * (1 - h[step, example].numpy() ** 2)
            v = a @ weight.numpy()
            total += 4 * (v @ v / square - 1) / square * np.outer(a, v)
            count += 1
    assert count == 7 * 3 - 4
    found = _derivative(d, 1 - h.square(), weight).numpy()
    np.testing.assert_allclose(found, total / count, rtol=1e-12)


@pytest.mark.parametrize("architecture", ["rnn_linear", "rnn_relu"])
def test_it_is_nothing_where_the_recurrent_matrix_is_the_identity(
    architecture: str, sequence: Tensor
) -> None:
    """For ReLU units: where they are all on."""
    bench = bench_of(architecture, kind="identity", omega={"coefficient": 5.0})
    with torch.no_grad():
        bench.network.get_parameter("bias_0").fill_(50.0)
    before, after = backward(bench, sequence.double())
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert before["recurrent_0"].abs().max() > 1


@pytest.mark.parametrize("architecture", ["rnn_linear", "rnn_relu"])
def test_it_is_nothing_but_rounding_at_other_orthogonal_matrices(
    architecture: str, sequence: Tensor
) -> None:
    bench = bench_of(architecture, omega={"coefficient": 1.0})
    with torch.no_grad():
        weight = bench.network.get_parameter("recurrent_0")
        if architecture == "rnn_relu":  # a permutation, so that all units stay on
            weight.copy_(torch.eye(6)[[1, 2, 0, 5, 3, 4]])
            bench.network.get_parameter("bias_0").fill_(50.0)
        else:
            weight.copy_(torch.linalg.qr(weight)[0])
    before, after = backward(bench, sequence.double())
    # Where the matrix is not orthogonal it is of order 1.
    change = (after["recurrent_0"] - before["recurrent_0"]).abs().max()
    assert float(change) < 1e-12


def test_descent_on_it_makes_the_gradient_keep_its_norm() -> None:
    """W alone follows Omega, at fixed d: the ratios come to 1."""
    generator = torch.Generator().manual_seed(1)
    d = torch.randn(30, 4, 6, generator=generator).double()
    weight = 1.5 * torch.randn(6, 6, generator=generator).double()
    before = float(scalar_omega(weight, d, torch.ones_like(d)))
    for _ in range(1000):
        weight = weight - 0.05 * _derivative(d, torch.ones_like(d), weight)
    assert before > 1
    assert float(scalar_omega(weight, d, torch.ones_like(d))) < 1e-6
    torch.testing.assert_close(weight @ weight.T, torch.eye(6).double(), rtol=0, atol=1e-2)


@pytest.mark.parametrize("size", [1e-9, 1e10, 1e25, 1e35])
def test_it_does_not_depend_on_the_size_of_the_gradient(size: float) -> None:
    """Also where the square of an exploding float32 gradient would overflow."""
    generator = torch.Generator().manual_seed(0)
    d, slopes = (torch.rand(5, 3, 6, generator=generator) + 0.5 for _ in range(2))
    weight = torch.randn(6, 6, generator=generator)
    torch.testing.assert_close(
        _derivative(d * size, slopes, weight), _derivative(d, slopes, weight)
    )


@pytest.mark.parametrize("size", [0.0, 1e-11, 1e-30])
def test_where_there_is_no_gradient_it_adds_nothing(size: float) -> None:
    found = _derivative(torch.full((5, 3, 6), size), torch.ones(5, 3, 6), torch.eye(6) * 2)
    assert torch.equal(found, torch.zeros(6, 6))


def test_a_derivative_that_is_not_finite_shows() -> None:
    for poison in (math.nan, math.inf):
        d = torch.ones(5, 3, 6)
        d[1, 2, 3] = poison
        assert not _derivative(d, torch.ones(5, 3, 6), torch.eye(6) * 2).isfinite().all()


def test_it_is_added_before_the_gradient_is_clipped(sequence: Tensor) -> None:
    bench = bench_of("rnn_tanh", omega={"coefficient": 100.0}, clip_norm={"threshold": 1.0})
    without = bench_of("rnn_tanh", clip_norm={"threshold": 1.0})
    for each in (bench, without):
        each.backward(sequence.double())
        each.transform()
    assert bench.norm() == pytest.approx(1.0)
    # Most of the clipped gradient is Omega's now.
    assert float(bench.gradients["recurrent_0"].norm()) > 0.9
    assert float(without.gradients["recurrent_0"].norm()) < 0.9


class Doubled(nn.Module):
    def forward(self, value: Tensor) -> Tensor:
        return 2 * value


def test_it_reaches_through_a_parametrisation(sequence: Tensor) -> None:
    plain = make(omega={"coefficient": 1.0})
    bench = make(omega={"coefficient": 1.0})
    with torch.no_grad():
        bench.network.get_parameter("recurrent_0").div_(2)
    bench.network.reparametrise("recurrent_0", Doubled())
    changes = []
    for each, name in ((plain, "recurrent_0"), (bench, "parametrizations.recurrent_0.original")):
        before, after = backward(each, sequence)
        changes.append(after[name] - before[name])
    torch.testing.assert_close(changes[1], 2 * changes[0])
