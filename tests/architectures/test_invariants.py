"""What each recurrent cell promises, whatever its weights or however long it is trained."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from bench import discovery
from bench.kernels.tap import Watch
from bench.network import Network
from bench.optimizers.sgd import SGD
from bench.seeding import UNIFORM_GRID
from bench.tasks import Task
from bench.training.step import Trainer
from tests.architectures.equations import build, scatter, some
from tests.specs import member


def trained(name: str, rate: float, updates: int = 50, **other: Any) -> Network:
    network = build(name, inputs=2, outputs=1, **other)
    task: Task = discovery.build("task", member("task", "adding", steps=updates))
    trainer = Trainer(task, network, (), SGD(lr=rate), updates, 0)
    for step in range(1, updates + 1):
        batch = task.training_batch(step, 0)
        inputs = torch.from_numpy(batch.inputs).float()
        trainer.take(step, inputs, torch.from_numpy(batch.targets).float(), probe=False)
    return network


@pytest.mark.parametrize("horizon", [1, 10, 500, 5000])
@pytest.mark.parametrize("scale", [0.1, 1.0, 1e6])
def test_indrnn_never_gains_more_than_its_bound_over_the_horizon(
    horizon: int, scale: float
) -> None:
    network = build("indrnn", horizon=horizon, growth=2.0, num_layers=1).double()
    start = network.tensor("diagonal_0")
    assert (start >= 0).all()
    scatter(network, scale, "diagonal")
    used = network.weights(0)[1].detach()  # type: ignore[operator]
    largest = float(used.abs().max())
    assert largest**horizon <= 2 * (1 + 1e-12)
    assert scale < 1e6 or largest**horizon > 2 * (1 - UNIFORM_GRID * horizon)
    assert torch.equal(used, start.clamp(-network.bound, network.bound))  # type: ignore[arg-type]


def test_indrnn_starts_anywhere_from_zero_to_its_bound() -> None:
    network = build("indrnn", hidden_size=2000, horizon=100, num_layers=1)
    u = network.tensor("diagonal_0").detach()
    assert float(u.min()) >= 0
    assert float(u.max()) <= 2**0.01
    assert float(u.mean()) == pytest.approx(2**0.01 / 2, abs=0.02)


@pytest.mark.parametrize(
    ("side", "direction", "moves"), [(1, 1, False), (1, -1, True), (-1, -1, False), (-1, 1, True)]
)
def test_indrnn_beyond_its_bound_moves_inwards_alone(
    side: int, direction: int, moves: bool
) -> None:
    network = build("indrnn", hidden_size=1, horizon=2, growth=4.0, num_layers=1).double()
    with torch.no_grad():
        network.get_parameter("diagonal_0").fill_(side * 2.5)
    (_, used, _) = network.weights(0)  # type: ignore[operator]
    assert used.tolist() == [side * 2.0]
    (-direction * used).sum().backward()  # descent would add `direction` to u
    gradient = network.get_parameter("diagonal_0").grad
    assert gradient is not None
    assert gradient.tolist() == [-direction if moves else 0]


def test_a_units_gradient_in_indrnn_is_a_power_of_its_weight() -> None:
    network = build("indrnn", hidden_size=3, num_layers=1, outputs=1).double()
    scatter(network, 0.1, "input")
    with torch.no_grad():
        network.get_parameter("bias_0").fill_(5.0)  # every unit is on
    network.watch = Watch.GRADIENTS
    network(some(12, 1, 3)).sum().backward()
    u = network.tensor("diagonal_0")
    for t, gradient in enumerate(network.trace[0].total_derivative()):
        torch.testing.assert_close(gradient, network.tensor("readout") * u ** (11 - t))


@pytest.mark.parametrize("kind", ["cayley", "henaff"])
def test_exprnn_stays_orthogonal_through_training(kind: str) -> None:
    network = trained("exprnn", rate=0.003, hidden_size=32, kind=kind)
    start = build("exprnn", inputs=2, outputs=1, hidden_size=32, kind=kind)
    matrix = network.orthogonal(0).detach()  # type: ignore[operator]
    assert float((matrix - start.orthogonal(0).detach()).abs().max()) > 1e-3  # type: ignore[operator]
    assert float((matrix.T @ matrix - torch.eye(32)).abs().max()) < 1e-5


@pytest.mark.parametrize("size", [8, 9])
def test_exprnn_starts_from_rotations_of_planes(size: int) -> None:
    """By any angle (henaff), or by -2 tan(u / 2) / 2 with u up to a right angle (cayley)."""
    for kind, low, high in (("henaff", 0.0, math.pi), ("cayley", 0.0, 1.0)):
        network = build("exprnn", hidden_size=size, kind=kind).double()
        matrix = network.orthogonal(0).detach()  # type: ignore[operator]
        angles = torch.linalg.eigvals(matrix).angle().abs()
        assert ((angles >= low) & (angles <= high)).all()
        assert angles.max() > 0.3 * high
        block = network.tensor("generator_0")[0].detach()
        torch.testing.assert_close(matrix[0, 0], torch.cos(block))
        assert (matrix[0, 2:] == 0).all()
        assert kind == "henaff" or float(block) <= 0


def test_exprnn_keeps_gradients_while_its_units_are_on() -> None:
    network = build("exprnn", hidden_size=8, outputs=1).double()
    with torch.no_grad():
        network.get_parameter("threshold_0").fill_(0.1)  # no unit is ever off
    network.watch = Watch.NORMS
    network(some(50, 1, 3)).sum().backward()
    norms = network.trace[0].derivative_norms()
    assert norms.tolist() == pytest.approx([float(norms[-1])] * 50, rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_lru_is_stable_whatever_its_decay(dtype: torch.dtype) -> None:
    network = build("lru", hidden_size=1000).to(dtype)
    with torch.no_grad():
        network.get_parameter("decay_0").copy_(torch.linspace(-12, 100, 1000))
        network.get_parameter("phase_0").copy_(100 * some(1000))
    real, imaginary = (part.double() for part in network.eigenvalues(0))  # type: ignore[operator]
    assert (real**2 + imaginary**2 < 1).all()
    with torch.no_grad():
        network.get_parameter("decay_0").fill_(-1e4)
    real, imaginary = (part.double() for part in network.eigenvalues(0))  # type: ignore[operator]
    assert (real**2 + imaginary**2 < 1 + 1e-6).all()


def test_lru_starts_on_its_ring_with_states_of_variance_one() -> None:
    network = build(
        "lru", hidden_size=800, smallest_radius=0.4, largest_radius=0.8, largest_phase=1.0
    ).double()
    eigenvalues = torch.complex(*network.eigenvalues(0)).detach()  # type: ignore[operator]
    radii = eigenvalues.abs()
    assert 0.4 - 1e-5 <= float(radii.min()) < 0.42
    assert 0.79 < float(radii.max()) <= 0.8 + 1e-5
    assert float(radii.square().mean()) == pytest.approx(0.4, abs=0.02)  # uniform in area
    assert 0 <= float(eigenvalues.angle().min()) < float(eigenvalues.angle().max()) <= 1
    network(some(25, 200, 3))
    states = network.trace[0].states
    assert states is not None
    modulus = states[-1, :, :800].square() + states[-1, :, 800:].square()
    assert float(modulus.mean()) == pytest.approx(1.0, abs=0.1)


def test_lru_states_are_the_convolution_with_powers_of_its_eigenvalues() -> None:
    network = build("lru").double()
    inputs = some(11, 4, 3)
    network(inputs)
    states = network.trace[0].states
    assert states is not None
    eigenvalues = torch.complex(*network.eigenvalues(0))  # type: ignore[operator]
    b = torch.complex(*network.tensor("input_0").chunk(2))
    driven = inputs.to(b.dtype) @ b.T * torch.exp(network.tensor("scale_0"))
    for t in range(11):
        powers = torch.stack([eigenvalues ** (t - s) for s in range(t + 1)])
        expected = (driven[: t + 1] * powers[:, None]).sum(dim=0)
        torch.testing.assert_close(torch.complex(*states[t].chunk(2, dim=1)), expected)


@pytest.mark.parametrize("gain", [0.5, 1.0, 1.5])
def test_linear_gradients_grow_by_the_gain_of_an_orthogonal_matrix(gain: float) -> None:
    network = build("rnn_linear", kind="orthogonal", gain=gain, outputs=1).double()
    network.watch = Watch.NORMS
    network(some(20, 1, 3)).sum().backward()
    norms = network.trace[0].derivative_norms()
    ratios = (norms[:-1] / norms[1:]).tolist()
    assert ratios == pytest.approx([gain] * 19, rel=1e-5)  # weights lie on a grid


def test_irnn_starts_from_the_identity_and_small_weights() -> None:
    network = build("irnn", hidden_size=200, num_layers=2, outputs=50)
    for layer in range(2):
        assert torch.equal(network.tensor(f"recurrent_{layer}"), torch.eye(200))
        assert float(network.tensor(f"input_{layer}").detach().std()) == pytest.approx(
            0.001, rel=0.1
        )
        assert not network.tensor(f"bias_{layer}").any()
    assert float(network.tensor("readout").detach().std()) == pytest.approx(0.001, rel=0.1)
