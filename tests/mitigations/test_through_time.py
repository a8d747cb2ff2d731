"""clip_state, truncated_bptt, h_detach: the gradient through time, against loops by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from bench import discovery
from bench.mitigations.truncated_bptt import TruncatedBPTT
from bench.seeding import Stream
from tests.contracts.test_architectures import Counting
from tests.contracts.test_architectures import build as build_any
from tests.mitigations.through_time import (
    CELLS,
    TIME,
    State,
    assert_same,
    build,
    by_hand,
    differ,
    gradients,
    normals,
)
from tests.mitigations.workbench import SEED, make

RECURRENT = [
    name
    for name, found in discovery.members("architecture").items()
    if "state" in found.facts["provides"]
]
NEUTRAL = {"clip_state": {"threshold": math.inf}, "h_detach": {"probability": 0.0}}
each_cell = pytest.mark.parametrize("name", CELLS)


@pytest.fixture
def inputs() -> Tensor:
    return normals(TIME, 4, 2)


@pytest.mark.parametrize("architecture", ["rnn_tanh", "lstm", "mlp"])
@pytest.mark.parametrize("rule", NEUTRAL)
def test_a_neutral_setting_is_none_to_the_bit(
    rule: str, architecture: str, sequence: Tensor
) -> None:
    batch = sequence[0] if architecture == "mlp" else sequence
    found = []
    for mitigations in ({}, {rule: NEUTRAL[rule]}):
        bench = make(architecture, **mitigations)
        bench.train(batch, steps=10)
        found.append(bench.flat.values.clone())
    assert torch.equal(*found)


@pytest.mark.parametrize("architecture", ["rnn_tanh", "lstm"])
@pytest.mark.parametrize("rule", ["truncated_bptt", "sparse_teacher_forcing"])
def test_an_interval_longer_than_the_sequence_is_the_step_path_to_the_bit(
    rule: str, architecture: str, sequence: Tensor
) -> None:
    """Nothing can be left out in advance, since a later sequence may be longer."""
    plain, with_it = make(architecture), make(architecture, **{rule: {"interval": 10}})
    plain.network.insert("state", lambda _: nn.Identity())
    for bench in (plain, with_it):
        bench.train(sequence, steps=10)
    assert torch.equal(plain.flat.values, with_it.flat.values)


@pytest.mark.parametrize("name", RECURRENT)
def test_every_recurrent_network_hands_its_states_onward(name: str) -> None:
    """What stands there is called at every step, sees all that a cut must cut, and does not touch
    the outputs of its own step."""
    network, inputs = build_any(name, hidden_size=6).double(), normals(TIME, 4, 3)
    outputs = network(inputs)
    network.insert("state", Counting, onward=True)
    torch.testing.assert_close(network(inputs), outputs, rtol=1e-10, atol=1e-12)
    assert [module.calls for module in network.sites.values()] == [TIME] * len(network.sites)
    assert len(network.sites) == sum(key.startswith("state") for key in network.site_widths)
    TruncatedBPTT(interval=1).prepare(network, SEED, inputs)
    inputs.requires_grad_()
    network(inputs)[-1].sum().backward()
    assert inputs.grad is not None
    assert inputs.grad[-1].any()
    assert not inputs.grad[:-1].any()


def test_only_states_go_onward_and_two_that_stand_there_are_called_in_order(inputs: Tensor) -> None:
    class Adding(nn.Module):
        def forward(self, state: Tensor) -> Tensor:
            return state + 1.0

    class Doubling(nn.Module):
        def forward(self, state: Tensor) -> Tensor:
            return 2.0 * state

    network, _ = build("rnn_tanh")
    with pytest.raises(ValueError, match="onward"):
        network.insert("preactivation", lambda _: nn.Identity(), onward=True)
    first = network(inputs)[0]
    for module in (Adding, Doubling):
        network.insert("state", lambda _, module=module: module(), onward=True)
    found = gradients(network, inputs)
    expected = by_hand("rnn_tanh", network, inputs, onward=lambda t, s: (2 * (s[0] + 1),))
    assert_same(found, expected)
    assert torch.equal(network(inputs)[0], first)


@each_cell
@pytest.mark.parametrize("interval", [1, 2, 4, 9])
@pytest.mark.parametrize("output_steps", [1, TIME])
def test_truncated_bptt_is_backpropagation_within_each_window(
    name: str, interval: int, output_steps: int, inputs: Tensor
) -> None:
    network, _ = build(name, output_steps, truncated_bptt={"interval": interval})

    def cut(t: int, state: State) -> State:
        return state if t % interval else tuple(s.detach() for s in state)

    found = gradients(network, inputs)
    expected = by_hand(name, network, inputs, onward=cut, output_steps=output_steps)
    assert_same(found, expected)
    assert_same(gradients(network, inputs), expected)  # the next pass counts from one again
    whole = by_hand(name, network, inputs, output_steps=output_steps)
    assert differ(found, whole) == (interval < TIME)


def test_truncated_bptt_keeps_exactly_the_jacobians_of_its_window(inputs: Tensor) -> None:
    """dL/dx_t of the last output is a product of Jacobians inside the window, zero outside."""
    wired = inputs.clone().requires_grad_()
    network, _ = build("rnn_tanh", 1, truncated_bptt={"interval": 5})
    plain, _ = build("rnn_tanh", 1)
    network(wired)[0, 0, 0].backward()
    states, h = [], inputs.new_zeros(4, 5)
    w_in, w, b = (plain.tensor(f"{part}_0").detach() for part in ("input", "recurrent", "bias"))
    for x in inputs:
        h = (x @ w_in.T + h @ w.T + b).tanh()
        states.append(h[0])
    assert wired.grad is not None
    row = plain.tensor("readout").detach()[0]
    for t in range(TIME - 1, 4, -1):
        through = row * (1 - states[t] ** 2)
        torch.testing.assert_close(wired.grad[t, 0], through @ w_in, rtol=1e-10, atol=1e-14)
        row = through @ w
    assert not wired.grad[:5].any()
    assert wired.grad[5:, 0].all()


def clip(threshold: float) -> Callable[[Tensor], Tensor]:
    def shortened(gradient: Tensor) -> Tensor:
        sizes = gradient.norm(dim=1, keepdim=True)
        return gradient * torch.where(sizes > threshold, threshold / sizes, 1.0)

    def made(state: Tensor) -> Tensor:
        seen_by_later_steps = state.clone()
        seen_by_later_steps.register_hook(shortened)
        return seen_by_later_steps

    return made


@each_cell
@pytest.mark.parametrize("output_steps", [1, TIME])
@pytest.mark.parametrize("threshold", [1e-3, 0.5, 1e9])
def test_clip_state_clips_each_examples_gradient_at_each_step(
    name: str, output_steps: int, threshold: float, inputs: Tensor
) -> None:
    network, _ = build(name, output_steps, clip_state={"threshold": threshold})
    found = gradients(network, inputs)
    whole = by_hand(name, network, inputs, output_steps=output_steps)
    if threshold < 1e9:
        assert differ(found, whole)
        made = clip(threshold)
        whole = by_hand(name, network, inputs, made=made, output_steps=output_steps)
    assert_same(found, whole)


def test_clip_state_keeps_a_gradient_of_1e20_and_what_has_no_direction() -> None:
    network, _ = build("rnn_tanh", clip_state={"threshold": 0.5})
    (module,) = network.sites.values()
    state = torch.ones(4, 5, requires_grad=True)
    gradient = torch.full((4, 5), 1e20)
    gradient[1, 2], gradient[2, 3], gradient[3] = math.nan, math.inf, 0.01
    outputs = module(state)
    assert torch.equal(outputs, state)
    outputs.backward(gradient)
    assert state.grad is not None
    assert state.grad[0].tolist() == pytest.approx([0.5 / math.sqrt(5)] * 5, rel=1e-6)
    torch.testing.assert_close(state.grad[1:], gradient[1:], rtol=0, atol=0, equal_nan=True)


@each_cell
@pytest.mark.parametrize("probability", [0.5, 1.0])
def test_h_detach_blocks_the_way_through_the_gates_alone(
    name: str, probability: float, inputs: Tensor
) -> None:
    network, _ = build(name, h_detach={"probability": probability})
    stream = Stream("mitigation noise", "h_detach", 0, seed=SEED)
    for _ in range(2):  # the stream goes on from pass to pass
        blocked = stream.uniform((TIME,)) < probability
        expected = by_hand(
            name, network, inputs, seen=lambda t, h, b=blocked: h.detach() if b[t - 1] else h
        )
        assert_same(gradients(network, inputs), expected)
        assert differ(expected, by_hand(name, network, inputs))
    assert blocked.sum() > 0


def test_h_detach_leaves_the_cells_own_way_open(inputs: Tensor) -> None:
    wired = inputs.clone().requires_grad_()
    for name, open_ in (("lstm", True), ("gru", True), ("rnn_tanh", False)):
        network, _ = build(name, 1, h_detach={"probability": 1.0})
        (gradient,) = torch.autograd.grad(network(wired).sum(), wired)
        assert gradient[-1].all()
        assert bool(gradient[0].any()) == open_


def test_evaluations_draw_nothing_from_h_detach(inputs: Tensor) -> None:
    alone, disturbed = (build("lstm", h_detach={"probability": 0.5})[0] for _ in range(2))
    for _ in range(3):
        disturbed.eval()
        disturbed(inputs)
        disturbed.train()
        with torch.no_grad():
            disturbed(inputs)
        assert_same(gradients(disturbed, inputs), gradients(alone, inputs))


def test_the_layers_of_h_detach_draw_apart(inputs: Tensor) -> None:
    network, _ = build("lstm", num_layers=2, h_detach={"probability": 0.5})
    below, above = network.sites.values()
    assert not torch.equal(*(torch.from_numpy(m.stream.uniform((20,))) for m in (below, above)))
