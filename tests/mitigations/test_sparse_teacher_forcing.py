"""sparse_teacher_forcing on a made-up trajectory, against a loop by hand and NumPy's inverse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.mitigations.sparse_teacher_forcing import SparseTeacherForcing, _right_inverse
from bench.network import Network
from bench.records import BadInput
from tests.mitigations.through_time import (
    BATCH,
    CELLS,
    HIDDEN,
    OUTPUTS,
    TIME,
    State,
    assert_same,
    build,
    by_hand,
    differ,
    gradients,
    normals,
)

each_cell = pytest.mark.parametrize("name", CELLS)


@pytest.fixture
def inputs() -> Tensor:
    return normals(TIME, BATCH, 2)


@pytest.fixture
def targets() -> Tensor:
    return normals(TIME, BATCH, OUTPUTS, seed=2)


def forcing(name: str, interval: int, **other: Any) -> tuple[Network, Any]:
    network, (rule,) = build(name, sparse_teacher_forcing={"interval": interval}, **other)
    with torch.no_grad():
        network.get_parameter("readout_bias").copy_(torch.tensor([0.3, -0.2, 0.1]))
    return network, rule


def to_observation(network: Network, targets: Tensor, interval: int) -> Any:
    """What goes onward, by hand; `targets` are those of the last steps."""
    weight, bias = network.tensor("readout").detach(), network.tensor("readout_bias").detach()
    inverse = torch.from_numpy(np.linalg.pinv(weight.numpy()))
    first = TIME - len(targets)

    def onward(t: int, state: State) -> State:
        if t % interval or t <= first:
            return state
        hidden, *cell = (s.detach() for s in state)
        error = targets[t - 1 - first] - (hidden @ weight.T + bias)
        return hidden + error @ inverse.T, *cell

    return onward


@pytest.mark.parametrize("outputs", [1, 2, 3, 5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_inverse_is_numpys_pseudo_inverse(outputs: int, dtype: torch.dtype) -> None:
    weight = normals(outputs, HIDDEN, seed=outputs).to(dtype)
    inverse = _right_inverse(weight)
    assert inverse.dtype == dtype
    expected = torch.from_numpy(np.linalg.pinv(weight.double().numpy()))
    tolerance = 1e-6 if dtype == torch.float32 else 1e-11
    torch.testing.assert_close(inverse.double(), expected, rtol=tolerance, atol=tolerance)


@each_cell
@pytest.mark.parametrize("interval", [1, 3, 4])
def test_the_gradient_is_that_of_a_loop_whose_state_is_put_in_place(
    name: str, interval: int, inputs: Tensor, targets: Tensor
) -> None:
    network, rule = forcing(name, interval)
    rule.observe(network, inputs, targets)
    found = gradients(network, inputs)
    onward = to_observation(network, targets, interval)
    assert_same(found, by_hand(name, network, inputs, onward=onward))
    assert differ(found, by_hand(name, network, inputs))


def test_the_forced_state_is_the_nearest_that_gives_the_observation(
    inputs: Tensor, targets: Tensor
) -> None:
    network, rule = forcing("rnn_tanh", 3)
    rule.observe(network, inputs, targets)
    (module,) = network.sites.values()
    module.begin()
    weight, bias = network.tensor("readout").detach(), network.tensor("readout_bias").detach()
    for t in range(1, TIME + 1):
        state = normals(BATCH, HIDDEN, seed=t).requires_grad_()
        forced = module(state)
        if t % 3:
            assert forced is state
            continue
        assert not forced.requires_grad
        torch.testing.assert_close(forced @ weight.T + bias, targets[t - 1])
        change = forced - state.detach()
        unseen = torch.eye(HIDDEN).double() - torch.linalg.pinv(weight) @ weight
        torch.testing.assert_close(change @ unseen, torch.zeros_like(change))


def test_the_prediction_of_a_forced_step_is_made_before_it(inputs: Tensor, targets: Tensor) -> None:
    """Else the loss of every forced step would be zero by construction."""
    free, _ = build("rnn_tanh")
    forced, rule = forcing("rnn_tanh", 4)
    with torch.no_grad():
        free.get_parameter("readout_bias").copy_(forced.get_parameter("readout_bias"))
    rule.observe(forced, inputs, targets)
    outputs, expected = forced(inputs), free(inputs)
    torch.testing.assert_close(outputs[:4], expected[:4])
    assert not torch.isclose(outputs[4], expected[4]).any()


def test_it_forces_in_training_alone_and_a_batch_serves_one_pass(
    inputs: Tensor, targets: Tensor
) -> None:
    network, rule = forcing("lstm", 2)
    free = network(inputs)
    rule.observe(network, inputs, targets)
    network.eval()
    torch.testing.assert_close(network(inputs), free, rtol=0, atol=0)
    network.train()
    torch.testing.assert_close(network(inputs), free, rtol=0, atol=0)
    rule.observe(network, inputs, targets)
    assert not torch.equal(network(inputs), free)


def test_targets_of_the_last_steps_alone_are_the_observations_of_those(
    inputs: Tensor, targets: Tensor
) -> None:
    network, rule = forcing("gru", 2)
    rule.observe(network, inputs, targets[-4:])
    onward = to_observation(network, targets[-4:], 2)
    found = gradients(network, inputs)
    assert_same(found, by_hand("gru", network, inputs, onward=onward))
    everywhere = to_observation(network, targets, 2)
    assert differ(found, by_hand("gru", network, inputs, onward=everywhere))


def test_of_several_layers_only_the_top_one_is_forced(inputs: Tensor, targets: Tensor) -> None:
    network, rule = forcing("lstm", 3, num_layers=2)
    rule.observe(network, inputs, targets)
    free, _ = build("lstm", num_layers=2)
    network(inputs)
    free(inputs)
    same = [
        torch.isclose(tap.states, other.states).flatten(1).all(dim=1)
        for tap, other in zip(network.trace, free.trace, strict=True)
    ]
    assert same[0].all()
    assert same[1].tolist() == [True] * 3 + [False] * 6


@pytest.mark.parametrize(("num_layers", "open_"), [(1, False), (2, True)])
def test_the_gradient_is_cut_in_the_top_layer_alone(
    num_layers: int, open_: bool, inputs: Tensor, targets: Tensor
) -> None:
    network, rule = forcing("lstm", 3, num_layers=num_layers)
    rule.observe(network, inputs, targets)
    inputs.requires_grad_()
    (gradient,) = torch.autograd.grad(network(inputs)[-1].sum(), inputs)
    assert gradient[-3:].any(dim=2).all()
    assert bool(gradient[:-3].any()) == open_


def test_a_state_too_small_for_the_observation_is_refused() -> None:
    network, _ = build("rnn_tanh", hidden_size=2)
    with pytest.raises(BadInput, match="hidden_size=2"):
        SparseTeacherForcing(interval=3).prepare(network, 0, torch.zeros(1))
