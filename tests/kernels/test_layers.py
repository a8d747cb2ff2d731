"""One linear map, and the stack of a deep network, against torch's own."""

from __future__ import annotations

import gc
import math
import weakref
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bench.kernels.elementwise import KINDS
from bench.kernels.layers import linear, stack
from bench.kernels.norms import norm
from bench.kernels.tap import Nonfinite, Tap, Watch
from tests.kernels.arithmetic import C_AND_TWIN, each_arithmetic
from tests.kernels.catalogue import ROWS_AT_ONCE
from tests.kernels.test_elementwise import TORCHS

pytestmark = [each_arithmetic, pytest.mark.usefixtures("on")]
HIDDEN_UNITS = ("tanh", "relu", "selu", "gelu", "linear")  # sigmoid is a gate
each_activation = pytest.mark.parametrize("activation", HIDDEN_UNITS)
each_type = pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float64, 1e-12)], ids=["32", "64"]
)


def normal(*size: int, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(sum(size))
    return torch.randn(*size, generator=generator, dtype=torch.float64).to(dtype)


def close(found: Tensor | None, expected: Tensor | None, tolerance: float) -> None:
    assert found is not None
    assert expected is not None
    scale = max(1.0, float(expected.detach().abs().max()))
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance * scale)


@each_type
@pytest.mark.parametrize("with_bias", [True, False])
def test_linear_is_torchs(dtype: torch.dtype, tolerance: float, with_bias: bool) -> None:
    for shape, outputs in (
        *(((5, 3), 4), ((1, 1), 1), ((7,), 2), ((3, 4, 6), 17), ((0, 3), 2)),
        *(((2, 2, 2, 9), 70), ((ROWS_AT_ONCE + 1, 3), 5), ((3 * ROWS_AT_ONCE, 2), 1)),
    ):
        given = [normal(*shape, dtype=dtype), normal(outputs, shape[-1], dtype=dtype)]
        given += [normal(outputs, dtype=dtype)] if with_bias else []
        mine, theirs = ([leaf.clone().requires_grad_() for leaf in given] for _ in range(2))
        found, expected = linear(*mine), F.linear(*theirs)
        cotangent = normal(*expected.shape, 1, dtype=dtype)[..., 0]
        found.backward(cotangent)
        expected.backward(cotangent)
        assert found.shape == expected.shape
        if found.numel():
            close(found, expected, tolerance)
        for one, other in zip(mine, theirs, strict=True):
            if one.numel():
                close(one.grad, other.grad, tolerance)


@pytest.mark.parametrize("with_bias", [True, False])
def test_linear_by_finite_differences(with_bias: bool) -> None:
    leaves = [normal(3, 2, 4), normal(5, 4), *([normal(5)] if with_bias else [])]
    assert torch.autograd.gradcheck(linear, [leaf.requires_grad_() for leaf in leaves])


@pytest.mark.parametrize("wanted", range(3))
def test_linear_differentiates_by_what_wants_it_alone(wanted: int) -> None:
    leaves = [normal(6, 4), normal(5, 4), normal(5)]
    whole = [leaf.clone().requires_grad_() for leaf in leaves]
    linear(*whole).square().sum().backward()
    leaves[wanted].requires_grad_()
    linear(*leaves).square().sum().backward()
    assert torch.equal(leaves[wanted].grad, whole[wanted].grad)


def test_the_order_of_memory_does_not_matter() -> None:
    given = [normal(6, 4), normal(5, 4), normal(5)]
    turned = [tensor.mT.contiguous().mT for tensor in given[:2]]
    turned.append(given[2].repeat_interleave(2)[::2])
    assert not any(tensor.is_contiguous() for tensor in turned)
    assert torch.equal(linear(*turned), linear(*given))
    weights, biases = [normal(4, 4), normal(4, 4, 1)[..., 0]], [normal(4), normal(4)]
    flipped = [weight.mT.contiguous().mT for weight in weights]
    found = stack(turned[0], flipped, biases, "tanh", Tap(Watch.NOTHING))
    assert torch.equal(found, stack(given[0], weights, biases, "tanh", Tap(Watch.NOTHING)))


class Stack:
    """The arguments of a stack, and the same by F.linear and torch's activations."""

    def __init__(
        self, activation: str, depth: int, batch: int, inputs: int, hidden: int, **kind: Any
    ) -> None:
        self.activation = activation
        self.inputs = normal(batch, inputs, **kind).requires_grad_()
        self.weights = [
            1.5 * normal(hidden, hidden if layer else inputs, layer + 1, **kind)[..., 0]
            for layer in range(depth)
        ]
        self.biases = [normal(hidden, layer + 1, **kind)[:, 0].clone() for layer in range(depth)]
        for tensor in (*self.weights, *self.biases):
            tensor.requires_grad_()

    @property
    def leaves(self) -> list[Tensor]:
        return [self.inputs, *self.weights, *self.biases]

    def run(self, tap: Tap | None = None) -> Tensor:
        tap = Tap(Watch.NOTHING) if tap is None else tap
        return stack(self.inputs, self.weights, self.biases, self.activation, tap)

    def unrolled(self) -> list[Tensor]:
        hidden, states = self.inputs, []
        for weight, bias in zip(self.weights, self.biases, strict=True):
            hidden = TORCHS[self.activation](F.linear(hidden, weight, bias))
            states.append(hidden)
        return states


@each_activation
@each_type
def test_a_stack_is_layers_of_torch_one_after_another(
    activation: str, dtype: torch.dtype, tolerance: float
) -> None:
    for sizes in ((1, 5, 3, 4), (4, 5, 3, 6), (2, 1, 1, 1), (3, ROWS_AT_ONCE + 1, 20, 9)):
        given = Stack(activation, *sizes, dtype=dtype)
        tap = Tap(Watch.GRADIENTS)
        found, states = given.run(tap), given.unrolled()
        reference = Tap(Watch.GRADIENTS)
        for state in states:
            reference.retain(state)
        cotangent = normal(*found.shape, 1, dtype=dtype)[..., 0]
        states[-1].backward(cotangent)
        gradients = torch.autograd.grad(found, given.leaves, cotangent)
        close(found, states[-1], tolerance)
        assert tap.states is not None
        close(tap.states, torch.stack(states), tolerance)
        for mine, leaf in zip(gradients, given.leaves, strict=True):
            close(mine, leaf.grad, tolerance)
        close(tap.total_derivative(), reference.total_derivative(), tolerance)
        close(tap.derivative_norms(), reference.derivative_norms(), tolerance)
        assert torch.equal(tap.total_derivative()[-1], cotangent)


@each_activation
def test_a_stack_by_finite_differences(activation: str) -> None:
    given = Stack(activation, 3, 2, 3, 4)

    def of(inputs: Tensor, *parameters: Tensor) -> Tensor:
        return stack(inputs, parameters[:3], parameters[3:], activation, Tap(Watch.NOTHING))

    assert torch.autograd.gradcheck(of, given.leaves)


@each_activation
def test_a_stack_is_the_linear_maps_and_activations_that_it_is_made_of(
    activation: str, on: str
) -> None:
    """The step path of a network: to the bit where the arithmetic is ours."""
    given = Stack(activation, 3, 5, 4, 6, dtype=torch.float32)
    hidden = given.inputs
    for weight, bias in zip(given.weights, given.biases, strict=True):
        # Of a stack of one layer, the same kernels are left.
        hidden = stack(hidden, [weight], [bias], activation, Tap(Watch.NOTHING))
    if on == C_AND_TWIN[0]:
        assert torch.equal(given.run(), hidden)
    close(given.run(), hidden, 1e-5)


@each_activation
def test_what_is_watched_is_kept_and_no_more(activation: str) -> None:
    taps = {}
    for watch in Watch:
        given, taps[watch] = Stack(activation, 3, 5, 4, 6), Tap(watch)
        given.run(taps[watch]).sum().backward()
    for watch in (Watch.NOTHING, Watch.NORMS):
        with pytest.raises(RuntimeError, match="not watched"):
            taps[watch].total_derivative()
    with pytest.raises(RuntimeError, match="not watched"):
        taps[Watch.NOTHING].derivative_norms()
    expected = [norm(layer) for layer in taps[Watch.GRADIENTS].total_derivative()]
    for watch in (Watch.NORMS, Watch.GRADIENTS):
        assert taps[watch].derivative_norms().tolist() == pytest.approx(expected, rel=1e-14)


@each_activation
@pytest.mark.parametrize("layer", [0, 1, 3])
def test_the_first_layer_that_is_not_finite_is_found(activation: str, layer: int) -> None:
    for recorded in (True, False):
        given, tap = Stack(activation, 4, 5, 3, 6), Tap(Watch.NOTHING)
        with torch.set_grad_enabled(recorded):
            given.run(tap)
            assert tap.nonfinite is None
            given.biases[layer].detach()[2] = math.nan
            given.run(tap)
        assert tap.nonfinite == Nonfinite(layer, is_nan=True)


def test_a_stack_that_overflows_says_where() -> None:
    """h_l = 1e10^(l + 1) in float32: infinite from the fourth layer on."""
    weights, biases = [torch.full((1, 1), 1e10)] * 6, [torch.zeros(1)] * 6
    tap = Tap(Watch.NOTHING)
    stack(torch.ones(2, 1), weights, biases, "linear", tap)
    assert tap.nonfinite == Nonfinite(3, is_nan=False)


def test_watched_norms_do_not_overflow() -> None:
    given, tap = Stack("tanh", 3, 5, 4, 6), Tap(Watch.NORMS)
    (1e200 * given.run(tap)).sum().backward()
    assert tap.derivative_norms().isfinite().all()
    assert (tap.derivative_norms() > 1e190).all()


@each_activation
def test_a_pass_is_freed_without_the_garbage_collector(activation: str) -> None:
    given = Stack(activation, 3, 5, 4, 6)
    gc.collect()
    gc.disable()
    try:
        tap = Tap(Watch.GRADIENTS)
        states = given.run(tap)
        states.sum().backward()
        held = [weakref.ref(one) for one in (tap, tap.states, states.grad_fn, tap.gradients)]
        del tap, states
        assert [one() for one in held] == [None] * len(held)
    finally:
        gc.enable()


def test_a_second_differentiation_is_refused() -> None:
    inputs = normal(3, 4).requires_grad_()
    given = Stack("tanh", 2, 3, 4, 4)
    for after in (linear(inputs, normal(2, 4)), given.run()):
        leaf = inputs if after.shape[1] == 2 else given.inputs
        with pytest.raises(RuntimeError, match="differentiated twice"):
            torch.autograd.grad(after.sum(), leaf, create_graph=True)


def test_every_hidden_unit_has_a_kind() -> None:
    assert set(HIDDEN_UNITS) == set(KINDS) - {"sigmoid"}
