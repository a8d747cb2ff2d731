"""What the cells that step a differential equation promise, whatever their weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bench.network import Network
from tests.architectures.equations import build, scatter, some


def jacobian(network: Network, state: Tensor) -> Tensor:
    """dh_t/dh_{t-1} [H, H] of one step from `state` [H], where nothing comes in."""
    _, matrix, *_ = network.weights(0)  # type: ignore[operator]

    def step(h: Tensor) -> Tensor:
        found: Tensor = network.step(0, torch.zeros(1, len(h)).double(), (h[None],), (matrix,))[0]  # type: ignore[operator]
        return found[0]

    units = torch.eye(len(state), dtype=torch.float64)
    slope = 1e-6  # central differences: kernels are called with tensors of their own
    columns = [(step(state + slope * e) - step(state - slope * e)) / (2 * slope) for e in units]
    return torch.stack(columns, dim=1).detach()


@pytest.mark.parametrize("gamma", [0.0, 0.1, 2.0])
def test_antisymmetric_eigenvalues_have_real_part_minus_eps_gamma(gamma: float) -> None:
    eps = 0.05
    network = build("antisymmetric_rnn", step_size=eps, diffusion=gamma, gain=3.0).double()
    at_rest = torch.linalg.eigvals(jacobian(network, torch.zeros(6).double()))
    assert at_rest.real.tolist() == pytest.approx([1 - eps * gamma] * 6, abs=1e-9)
    assert float(at_rest.imag.abs().max()) > 0.05  # and it turns
    # Anywhere else the slope of tanh only brings them nearer to 1.
    elsewhere = torch.linalg.eigvals(jacobian(network, some(6))).real
    assert float(elsewhere.max()) <= 1 + 1e-8
    assert float(elsewhere.min()) >= 1 - eps * gamma - 1e-8


def test_antisymmetric_entries_have_the_deviation_of_their_gain() -> None:
    network = build("antisymmetric_rnn", hidden_size=100, gain=2.0, diffusion=0.0)
    matrix = network.weights(0)[1].detach()  # type: ignore[operator]
    assert torch.equal(matrix, -matrix.T)
    above = matrix[tuple(torch.triu_indices(100, 100, 1))]
    assert float(above.std()) == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize("beta", [0.0, 0.75, 1.0])
def test_lipschitz_symmetric_parts_have_the_eigenvalues_of_beta_and_gamma(beta: float) -> None:
    gamma = 0.3
    network = build("lipschitz_rnn", beta=beta, gamma=gamma, gain=2.0).double()
    stacked = network.weights(0)[1].detach()  # type: ignore[operator]
    for part, matrix in zip(("linear", "nonlinear"), stacked.chunk(2), strict=True):
        generator = network.tensor(f"{part}_generator_0").detach()
        found = torch.linalg.eigvalsh((matrix + matrix.T) / 2)
        whole = torch.linalg.eigvalsh(generator + generator.T)
        torch.testing.assert_close(found, (1 - beta) * whole - gamma)
        if beta == 1:
            assert found.tolist() == pytest.approx([-gamma] * 6)
    assert not torch.equal(*stacked.chunk(2))


@pytest.mark.parametrize("scale", [0.1, 3.0, 100.0])
def test_cornn_states_obey_the_energy_bound_whatever_the_weights(scale: float) -> None:
    dt, gamma, epsilon = 0.06, 66.0, 15.0
    network = build("cornn", step_size=dt, gamma=gamma, epsilon=epsilon).double()
    scatter(network, scale)
    network(10 * some(200, 4, 3))
    states = network.trace[0].states
    assert states is not None
    velocity = torch.diff(states.detach(), dim=0, prepend=torch.zeros(1, 4, 6)) / dt
    energy = (gamma * states.detach().square() + velocity.square()).amax(dim=(1, 2))
    bound = dt * torch.arange(1, 201) / (epsilon - dt * gamma)
    assert (energy <= bound).all()
    # The bound is one of these weights, not of an idle network.
    assert scale < 1 or float(energy.max()) > 0.01


@pytest.mark.parametrize("step_size", [0.0242, 1.0])
def test_lem_time_steps_lie_between_zero_and_the_largest(step_size: float) -> None:
    network = build("lem", step_size=step_size).double()
    scatter(network, 2.0)
    _, matrix, _ = network.weights(0)  # type: ignore[operator]
    projected = 3 * some(20, 4, 24)
    slow, fast, rates, *_ = network.rule.forward(  # type: ignore[union-attr, operator]
        projected, [matrix.detach()], (torch.zeros(4, 6).double(),) * 2
    )
    assert (rates > 0).all()
    assert (rates < step_size).all()
    assert rates.min() < 0.1 * step_size < 0.9 * step_size < rates.max()
    assert slow.abs().max() <= 1
    assert fast.abs().max() <= 1
