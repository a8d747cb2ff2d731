"""Every recurrent cell against its equations under autograd, and what both of its paths share."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from torch import Tensor

from bench.architectures import _rollout
from bench.architectures._recurrent import RecurrentNetwork
from bench.architectures._rollout import RolledNetwork
from bench.kernels.levels import level
from bench.kernels.tap import Nonfinite, Watch
from bench.network import Network
from tests.architectures.equations import LAYERS, build, some, unrolled

ROLLED = [name for name in LAYERS if isinstance(build(name), RolledNetwork)]
each_cell = pytest.mark.parametrize("name", LAYERS)
each_rolled = pytest.mark.parametrize("name", ROLLED)
PARAMETERS = {  # of a layer with I inputs and H units, as the papers count
    "rnn_linear": lambda i, h: h * i + h * h + h,
    "irnn": lambda i, h: h * i + h * h + h,
    "indrnn": lambda i, h: h * i + h + h,
    "antisymmetric_rnn": lambda i, h: h * i + h * (h - 1) // 2 + h,
    "lipschitz_rnn": lambda i, h: h * i + 2 * h * h + h,
    "cornn": lambda i, h: h * (i + 2 * h) + h,
    "lem": lambda i, h: 4 * (h * i + h * h + h),
    "exprnn": lambda i, h: h * i + h * (h - 1) // 2 + h,
    "lru": lambda i, h: 2 * h * i + 3 * h + 2 * h * h + h * i,
}


def go_by_steps(network: Network) -> None:
    """As where something stands at a site."""
    assert isinstance(network, RecurrentNetwork)
    network.whole = lambda layer, sequence, tap, _: network.step_by_step(layer, sequence, tap)  # type: ignore[method-assign]


def assert_same(found: Tensor, expected: Tensor) -> None:
    """To the bit; torch's own products depend on how many rows there are."""
    if level() == "torch":
        torch.testing.assert_close(found, expected)
    else:
        assert torch.equal(found, expected)


@torch.no_grad()
def disturb(network: Network) -> None:
    """Biases start at zero, IRNN's weights near it: a misplaced one would not be seen."""
    for index, (parameter, role) in enumerate(network.with_role("bias", "input")):
        scale = 0.3 if role.name == "bias" else 0.5
        parameter.copy_(scale * some(*parameter.shape, seed=index))


@each_cell
@pytest.mark.parametrize("by_steps", [False, True])
@pytest.mark.parametrize(("num_layers", "time", "last"), [(1, 1, 1), (1, 9, 1), (2, 7, 3)])
def test_a_pass_is_the_equations_and_its_gradients_are_autograds(
    name: str, by_steps: bool, num_layers: int, time: int, last: int
) -> None:
    network = build(name, num_layers=num_layers, steps=last).double()
    disturb(network)
    if by_steps:
        go_by_steps(network)
    inputs, cotangent = some(time, 4, 3), some(last, 4, 2, seed=3)
    expected = unrolled(name, network, inputs, num_layers, last)
    network.watch = Watch.GRADIENTS
    outputs = network(inputs)
    torch.testing.assert_close(outputs, expected.outputs, rtol=1e-10, atol=1e-12)
    outputs.backward(cotangent)
    expected.outputs.backward(cotangent)
    for key, parameter in network.named_parameters():
        wanted = expected.leaves[key].grad
        wanted = torch.zeros_like(parameter) if wanted is None else wanted  # one step: no past
        torch.testing.assert_close(parameter.grad, wanted, rtol=1e-9, atol=1e-12, msg=key)
    for tap, states in zip(network.trace, expected.states, strict=True):
        assert tap.states is not None
        torch.testing.assert_close(tap.states, torch.stack(states), rtol=1e-10, atol=1e-12)
        derivatives = torch.stack(
            [torch.zeros_like(h) if h.grad is None else h.grad for h in states]
        )
        torch.testing.assert_close(tap.total_derivative(), derivatives, rtol=1e-9, atol=1e-12)
        norms = derivatives.flatten(1).norm(dim=1)
        torch.testing.assert_close(tap.derivative_norms(), norms, rtol=1e-9, atol=1e-12)


@each_cell
@pytest.mark.parametrize("num_layers", [1, 3])
def test_the_number_of_parameters_is_the_papers(name: str, num_layers: int) -> None:
    network = build(name, inputs=7, outputs=4, num_layers=num_layers, hidden_size=10)
    count = PARAMETERS[name]
    expected = count(7, 10) + (num_layers - 1) * count(10, 10) + 4 * (10 + 1)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


@each_cell
def test_another_seed_and_another_layer_start_elsewhere(name: str) -> None:
    one, other = (build(name, num_layers=3) for _ in range(2))
    other.initialise(seed=1)
    fixed = {"bias"} | ({"recurrent"} if name == "irnn" else set())
    for key, parameter in one.named_parameters():
        if one.roles[key].name not in fixed:
            assert not torch.equal(parameter, other.get_parameter(key)), key
            twin = key.replace("_1", "_2")
            assert twin == key or not torch.equal(parameter, one.get_parameter(twin)), key


@each_rolled
def test_an_evaluation_is_the_same_bits_in_segments_of_any_length(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, inputs = build(name, num_layers=2, steps=4), some(7, 3, 3, dtype=torch.float32)
    recorded = network(inputs)
    for rows in (3, 6, 9, 1000):  # 1, 2, 3 or all of the steps at a time
        monkeypatch.setattr(_rollout, "ROWS_WITHOUT_GRADIENT", rows)
        with torch.no_grad():
            assert_same(network(inputs), recorded)
        assert [tap.states for tap in network.trace] == [None, None]


@each_rolled
def test_both_paths_give_the_same_bits(name: str) -> None:
    """Forward; backward, autograd adds up in another order."""
    whole, stepwise = build(name, steps=4), build(name, steps=4)
    go_by_steps(stepwise)
    inputs = some(9, 5, 3, dtype=torch.float32)
    assert_same(whole(inputs), stepwise(inputs))


@each_rolled
def test_the_first_state_that_is_not_finite_is_found(name: str) -> None:
    network, inputs = build(name, num_layers=2), some(6, 2, 3, dtype=torch.float32)
    inputs[3, 1] = float("nan")
    network(inputs)
    assert [tap.nonfinite for tap in network.trace] == [Nonfinite(3, is_nan=True)] * 2
    with torch.no_grad():
        network(inputs)
    assert [tap.nonfinite for tap in network.trace] == [Nonfinite(3, is_nan=True)] * 2


@each_rolled
def test_a_penalty_may_read_the_states(name: str) -> None:
    network = build(name, num_layers=2).double()
    disturb(network)
    inputs = some(5, 4, 3)
    expected = unrolled(name, network, inputs, 2, 1)
    penalty = torch.stack([torch.stack(states).square().sum() for states in expected.states]).sum()
    (expected.outputs.sum() + penalty).backward()
    network.states_are_read = True
    total = network(inputs).sum()
    for tap in network.trace:
        assert tap.states is not None
        total = total + tap.states.square().sum()
    total.backward()
    for key, parameter in network.named_parameters():
        torch.testing.assert_close(parameter.grad, expected.leaves[key].grad, msg=key)


@each_rolled
def test_a_second_differentiation_is_refused_and_nothing_watched_is_kept(name: str) -> None:
    network, inputs = build(name), some(4, 2, 3, dtype=torch.float32)
    weight = next(parameter for parameter, _ in network.with_role("input"))
    with pytest.raises(RuntimeError, match="differentiated twice"):
        torch.autograd.grad(network(inputs).sum(), weight, create_graph=True)
    network(inputs).sum().backward()
    with pytest.raises(RuntimeError, match="watch"):
        network.trace[0].total_derivative()


@each_rolled
def test_a_pass_is_freed_without_the_garbage_collector(name: str) -> None:
    network, inputs = build(name), some(4, 2, 3, dtype=torch.float32)
    network.watch = Watch.GRADIENTS
    gc.collect()
    gc.disable()
    try:
        outputs = network(inputs)
        outputs.sum().backward()
        (tap,) = network.trace
        held = [weakref.ref(one) for one in (tap, tap.states, outputs, tap.total_derivative())]
        network.trace = []
        del tap, outputs
        assert [one() for one in held] == [None] * len(held)
    finally:
        gc.enable()
