"""The whole-sequence kernels against torch's own layers and against a loop under autograd."""

from __future__ import annotations

import gc
import math
import weakref
from itertools import product

import pytest
import torch
from torch import Tensor, nn

from bench.kernels import sequence
from bench.kernels.norms import norm
from bench.kernels.sequence import ROWS_WITHOUT_GRADIENT, whole_sequence
from bench.kernels.tap import Nonfinite, Tap, Watch
from tests.kernels.arithmetic import each_arithmetic, on_c
from tests.kernels.catalogue import ROWS_AT_ONCE
from tests.kernels.problems import CELLS, Cell, Problem, each_cell, problem

SMALL = [(7, 3, 2, 5), (1, 1, 1, 1), (1, 4, 2, 3), (6, 1, 3, 4), (5, 3, 1, 1), (3, 2, 9, 17)]
LARGE = [  # steps, batch, inputs, hidden: some steps at once, one step at once
    (11, ROWS_AT_ONCE // 4, 2, 3),
    (5, ROWS_AT_ONCE - 1, 2, 3),
    (4, ROWS_AT_ONCE + 1, 2, 3),
]
each_type = pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float64, 1e-12)], ids=["32", "64"]
)


def close(found: Tensor, expected: Tensor, tolerance: float) -> None:
    scale = max(1.0, float(expected.detach().abs().max()))
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance * scale)


@each_arithmetic
@each_cell
@each_type
def test_it_is_torchs_layer(on: str, cell: Cell, dtype: torch.dtype, tolerance: float) -> None:
    for shape, last in product([*SMALL, *LARGE], (1, None)):
        given = problem(cell, shape, last=last, dtype=dtype)
        found = given.derivatives()
        layer = given.torchs()
        inputs = given.inputs.detach().requires_grad_()
        states = layer(inputs)[0][-len(given.cotangent) :]
        states.backward(given.cotangent)
        weights = layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0
        theirs = [inputs.grad, *(weight.grad for weight in weights)]
        if cell.layer is nn.GRU:
            theirs.append(layer.bias_hh_l0.grad[2 * shape[3] :])
        close(found.states, states, tolerance)
        for mine, oracle in zip(found.gradients, theirs, strict=True):
            close(mine, oracle, tolerance)


@each_arithmetic
@each_cell
def test_the_total_derivative_is_that_of_an_unrolled_loop(on: str, cell: Cell) -> None:
    for shape, last in product(SMALL, (1, 2, None)):
        given = problem(cell, shape, last=min(last or shape[0], shape[0]))
        found = given.derivatives()
        states, tap = given.unrolled(), Tap(Watch.GRADIENTS)
        for state in states:
            tap.retain(state)
        seen = torch.stack(states[-len(given.cotangent) :])
        seen.backward(given.cotangent)
        close(found.states, seen, 1e-12)
        for mine, leaf in zip(found.gradients, given.leaves, strict=True):
            close(mine, leaf.grad, 1e-12)
        close(found.tap.total_derivative(), tap.total_derivative(), 1e-12)
        close(found.tap.derivative_norms(), tap.derivative_norms(), 1e-12)
        # At the last step there is nothing but the direct derivative.
        assert torch.equal(found.tap.total_derivative()[-1], given.cotangent[-1])


@each_arithmetic
@each_cell
@pytest.mark.parametrize("shape", [(5, 2, 2, 3), (3, 4, 1, 2), (1, 1, 2, 2)], ids=str)
@pytest.mark.parametrize("segment", [None, 2])
def test_derivatives_by_finite_differences(
    on: str, cell: Cell, shape: tuple[int, int, int, int], segment: int | None
) -> None:
    for last in {1, shape[0]}:
        given = problem(cell, shape, last=last)
        steps = {"last": last, "segment": segment}

        def kernel(
            inputs: Tensor, *weights: Tensor, steps: dict[str, int | None] = steps
        ) -> Tensor:
            return whole_sequence(cell.kernel, inputs, weights, Tap(Watch.NOTHING), **steps)

        assert torch.autograd.gradcheck(kernel, given.leaves)


@on_c
@each_cell
@each_type
def test_segments_of_any_length_change_no_bit(
    on: str, cell: Cell, dtype: torch.dtype, tolerance: float
) -> None:
    for shape, last in product([(7, 3, 2, 5), *LARGE], (1, 3, None)):
        given = problem(cell, shape, last=last, dtype=dtype)
        expected = given.derivatives().all()
        for segment in range(1, shape[0] + 2):
            found = given.derivatives(segment=segment)
            assert (found.tap.states is None) == (segment < shape[0])
            for mine, whole in zip(found.all(), expected, strict=True):
                assert torch.equal(mine, whole), (shape, last, segment)


@on_c
@each_cell
def test_a_sequence_that_would_keep_too_much_is_cut_and_changes_no_bit(
    on: str, cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = problem(cell, (40, 3, 2, 5), last=3)
    expected = given.derivatives()
    assert expected.tap.states is not None
    monkeypatch.setattr(sequence, "KEPT_AT_MOST", 0)
    found = given.derivatives()
    assert found.tap.states is None
    for mine, whole in zip(found.all(), expected.all(), strict=True):
        assert torch.equal(mine, whole)


@each_arithmetic
@each_cell
def test_segments_change_no_number(on: str, cell: Cell) -> None:
    given = problem(cell, (7, 3, 2, 5), last=3)
    expected = given.derivatives().all()
    for segment in range(1, 9):
        for mine, whole in zip(given.derivatives(segment=segment).all(), expected, strict=True):
            close(mine, whole, 1e-12)


@on_c
@each_cell
@pytest.mark.parametrize("steps", [2, 5])
def test_a_pass_that_is_not_recorded_gives_the_same_bits_and_keeps_nothing(
    on: str, cell: Cell, steps: int
) -> None:
    batch = ROWS_WITHOUT_GRADIENT // 2 + 1  # one step is a segment, or two are
    given = problem(cell, (steps, batch if steps == 5 else 7, 2, 3), dtype=torch.float32)
    recorded = given.states()
    tap = Tap(Watch.GRADIENTS)
    with torch.no_grad():
        assert torch.equal(given.states(tap), recorded)
    assert tap.states is None
    for leaf in given.leaves:  # nor where nothing wants a derivative
        leaf.requires_grad_(False)
    assert torch.equal(given.states(tap), recorded)
    assert tap.states is None


@each_arithmetic
@each_cell
def test_what_is_watched_is_kept_and_no_more(on: str, cell: Cell) -> None:
    given = problem(cell, (4, 3, 2, 5))
    taps = {watch: given.derivatives(watch).tap for watch in Watch}
    for watch, wanted in ((Watch.NOTHING, "norms"), (Watch.NORMS, "total_derivative")):
        with pytest.raises(RuntimeError, match="not watched"):
            getattr(taps[watch], f"derivative_{wanted}" if wanted == "norms" else wanted)()
    norms = [norm(step) for step in taps[Watch.GRADIENTS].total_derivative()]
    for watch in (Watch.NORMS, Watch.GRADIENTS):
        assert taps[watch].derivative_norms().tolist() == pytest.approx(norms, rel=1e-14)
        assert taps[watch].derivative_norms().dtype == torch.float64


@each_arithmetic
@each_cell
def test_only_what_wants_a_derivative_gets_one(on: str, cell: Cell) -> None:
    """The inputs of a first layer do not; those of a second one do."""
    given = problem(cell, (4, 3, 2, 5))
    expected = given.derivatives().gradients
    given.inputs.requires_grad_(False)
    found = torch.autograd.grad(given.states(), given.weights, given.cotangent)
    for mine, whole in zip(found, expected[1:], strict=True):
        assert torch.equal(mine, whole)
    for weight in given.weights:
        weight.requires_grad_(False)
    given.inputs.requires_grad_(True)
    (alone,) = torch.autograd.grad(given.states(), given.inputs, given.cotangent)
    assert torch.equal(alone, expected[0])


@each_arithmetic
@each_cell
def test_memory_in_another_order_is_the_same_numbers(on: str, cell: Cell) -> None:
    """A transposed view is what a reparametrised weight or a batch-first task hands over."""
    given = problem(cell, (4, 3, 2, 5))
    turned = [leaf.detach().mT.contiguous().mT.requires_grad_() for leaf in given.leaves[:3]]
    others = [leaf.detach().repeat_interleave(2)[::2].requires_grad_() for leaf in given.leaves[3:]]
    assert not any(leaf.is_contiguous() for leaf in (*turned, *others))
    copy = Problem(cell, turned[0], (*turned[1:], *others), given.cotangent)
    for mine, plain in zip(copy.derivatives().all(), given.derivatives().all(), strict=True):
        assert torch.equal(mine, plain)


@each_arithmetic
@each_cell
@pytest.mark.parametrize("segment", [None, 2])
def test_a_second_backward_pass_gives_the_same(on: str, cell: Cell, segment: int | None) -> None:
    given = problem(cell, (5, 3, 2, 4))
    states = given.states(segment=segment)
    first, second = (
        torch.autograd.grad(states, given.leaves, given.cotangent, retain_graph=True)
        for _ in range(2)
    )
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one, other)


@each_arithmetic
@each_cell
def test_a_second_differentiation_is_refused(on: str, cell: Cell) -> None:
    given = problem(cell, (3, 2, 2, 3))
    with pytest.raises(RuntimeError, match="differentiated twice"):
        torch.autograd.grad(given.states().sum(), given.inputs, create_graph=True)


@each_arithmetic
@each_cell
@pytest.mark.parametrize("segment", [None, 1, 2])
def test_a_pass_is_freed_without_the_garbage_collector(
    on: str, cell: Cell, segment: int | None
) -> None:
    given = problem(cell, (5, 3, 2, 4))
    gc.collect()
    gc.disable()
    try:
        tap = Tap(Watch.GRADIENTS)
        states = given.states(tap, segment)
        states.backward(given.cotangent)
        held = [weakref.ref(one) for one in (tap, states, states.grad_fn, tap.total_derivative())]
        del tap, states
        assert [one() for one in held] == [None] * len(held)
    finally:
        gc.enable()


@each_arithmetic
@each_cell
def test_a_tap_that_is_gone_is_not_missed(on: str, cell: Cell) -> None:
    given = problem(cell, (5, 3, 2, 4))
    expected = given.derivatives().gradients
    states = given.states(Tap(Watch.GRADIENTS))
    for mine, other in zip(
        torch.autograd.grad(states, given.leaves, given.cotangent), expected, strict=True
    ):
        assert torch.equal(mine, other)


def found_in_every_way(given: Problem) -> list[Nonfinite | None]:
    """Recorded whole, in segments, and not recorded."""
    found = []
    for segment in (None, 1, 2, 3):
        tap = Tap(Watch.NOTHING)
        given.states(tap, segment)
        found.append(tap.nonfinite)
    with torch.no_grad():
        tap = Tap(Watch.NOTHING)
        given.states(tap)
    return [*found, tap.nonfinite]


@each_arithmetic
@each_cell
@pytest.mark.parametrize("step", [0, 1, 4, 6])
def test_the_first_state_that_is_nan_is_found(on: str, cell: Cell, step: int) -> None:
    given = problem(cell, (7, 3, 2, 5), last=1)
    assert found_in_every_way(given) == [None] * 5
    with torch.no_grad():
        given.inputs[step, 1] = math.nan
    assert found_in_every_way(given) == [Nonfinite(step, is_nan=True)] * 5


@each_arithmetic
@pytest.mark.parametrize(
    ("growth", "dtype", "step"), [(1e10, torch.float32, 4), (1e30, torch.float64, 11)]
)
def test_the_first_state_that_overflows_is_found(
    on: str, growth: float, dtype: torch.dtype, step: int
) -> None:
    """h_t = growth^t from h_0 = 1."""
    given = problem(CELLS["relu"], (13, 2, 1, 1), dtype=dtype)
    with torch.no_grad():
        for tensor, value in zip(given.leaves, (0.0, 1.0, growth, 0.0), strict=True):
            tensor.fill_(value)
        given.inputs[0] = 1
    assert found_in_every_way(given) == [Nonfinite(step, is_nan=False)] * 5


@each_arithmetic
@each_cell
@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf, 1e308])
def test_what_is_not_finite_goes_where_the_equations_say(
    on: str, cell: Cell, poison: float
) -> None:
    given = problem(cell, (6, 3, 2, 4))
    with torch.no_grad():
        given.inputs[2, 1] = poison
        states, expected = given.states(), torch.stack(given.unrolled())
    torch.testing.assert_close(states, expected, equal_nan=True)


@each_arithmetic
@each_cell
def test_before_the_first_step_there_is_no_state_for_an_infinite_weight_to_spoil(
    on: str, cell: Cell
) -> None:
    """Not a state of zeros, whose product with infinity is NaN."""
    given = problem(cell, (6, 3, 2, 4))
    with torch.no_grad():
        given.weights[1].fill_(math.inf)
    states = given.states()
    assert states[0].isfinite().all()
    assert not states[1].isfinite().all()


@on_c
@each_cell
def test_nan_spreads_over_its_own_sequence_and_no_other(on: str, cell: Cell) -> None:
    clean, poisoned = problem(cell, (6, 3, 2, 4)), problem(cell, (6, 3, 2, 4))
    with torch.no_grad():
        poisoned.inputs[2, 1] = math.nan
    before, after = clean.states(), poisoned.states()
    assert after[2:, 1].isnan().all()
    untouched = torch.ones(6, 3, dtype=torch.bool)
    untouched[2:, 1] = False
    assert torch.equal(before[untouched], after[untouched])


@each_arithmetic
@each_cell
@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_derivative_that_is_not_finite_reaches_the_weights(
    on: str, cell: Cell, poison: float
) -> None:
    given = problem(cell, (6, 3, 2, 4))
    given.cotangent[4, 1] = poison
    found = given.derivatives()
    assert not found.gradients[2].isfinite().all()
    total, norms = found.tap.total_derivative(), found.tap.derivative_norms()
    finite = total.isfinite().all(dim=2)
    assert not finite[:5, 1].any()
    assert finite[:, [0, 2]].all()
    assert finite[5].all()
    assert norms.isfinite().tolist() == [False] * 5 + [True]


@each_arithmetic
@each_cell
@each_type
def test_watched_norms_do_not_overflow(
    on: str, cell: Cell, dtype: torch.dtype, tolerance: float
) -> None:
    given = problem(cell, (4, 3, 2, 5), dtype=dtype)
    given.cotangent.mul_(1e30 if dtype == torch.float32 else 1e200)
    norms = given.derivatives().tap.derivative_norms()
    assert norms.isfinite().all()
    assert (norms > 1e28).all()


@each_arithmetic
@each_cell
def test_each_sequence_of_a_batch_is_by_itself(on: str, cell: Cell) -> None:
    given = problem(cell, (5, 3, 2, 4))
    together = given.states()
    for index in range(3):
        alone = problem(cell, (5, 1, 2, 4))
        alone = Problem(cell, given.inputs[:, index : index + 1], given.weights, alone.cotangent)
        torch.testing.assert_close(alone.states()[:, 0], together[:, index], rtol=1e-13, atol=0)
        if on != "torch":  # a product's bits do not depend on how many rows there are
            assert torch.equal(alone.states()[:, 0], together[:, index])


@each_arithmetic
@each_cell
def test_a_sequence_that_begins_later_is_the_end_of_a_longer_one(on: str, cell: Cell) -> None:
    """The last states of a sequence that began with nothing but zeros are those without them."""
    given = problem(cell, (5, 3, 2, 4))
    with torch.no_grad():
        for bias in given.weights[2:]:
            bias.zero_()
        longer = torch.cat([torch.zeros(4, 3, 2, dtype=torch.float64), given.inputs])
        late = Problem(cell, longer, given.weights, given.cotangent).states()
    torch.testing.assert_close(late, given.states(), rtol=1e-12, atol=1e-14)
