"""What the doors of this room let in: a kernel believes every size and address that it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.kernels import updates
from bench.kernels.engine import call
from bench.kernels.layers import linear, stack
from bench.kernels.levels import level
from bench.kernels.losses import mean_squared_error, softmax_cross_entropy
from bench.kernels.normalisation import layer_norm
from bench.kernels.sequence import GRU, LSTM, RNN_TANH, whole_sequence
from bench.kernels.tap import Tap, Watch
from tests.kernels.arithmetic import COMPILED, SHAPES, arithmetic, each_arithmetic, on_c

NOTHING = Tap(Watch.NOTHING)
ones = torch.ones
double = torch.ones(4, dtype=torch.float64)


def sequence(cell: Any, *weights: Tensor, inputs: Tensor | None = None) -> Tensor:
    return whole_sequence(cell, ones(3, 2, 4) if inputs is None else inputs, weights, NOTHING)


WRONG: dict[str, Callable[[], Any]] = {
    "a weight of other columns": lambda: linear(ones(2, 3), ones(5, 4)),
    "a weight of float64": lambda: linear(ones(2, 4), ones(5, 4).double()),
    "inputs of float64": lambda: linear(ones(2, 4).double(), ones(5, 4)),
    "a short bias": lambda: linear(ones(2, 4), ones(5, 4), ones(4)),
    "a bias of float64": lambda: linear(ones(2, 4), ones(4, 4), double),
    "a second layer of other columns": lambda: stack(
        ones(2, 4), [ones(5, 4), ones(5, 4)], [ones(5), ones(5)], "tanh", NOTHING
    ),
    "a layer of other rows": lambda: stack(
        ones(2, 4), [ones(5, 4), ones(6, 5)], [ones(5), ones(6)], "tanh", NOTHING
    ),
    "a layer's short bias": lambda: stack(ones(2, 4), [ones(5, 4)], [ones(4)], "tanh", NOTHING),
    "a gain of float64": lambda: layer_norm(ones(2, 4), double, ones(4), 1e-5),
    "a short gain": lambda: layer_norm(ones(2, 4), ones(3), ones(4), 1e-5),
    "targets of another shape": lambda: mean_squared_error(ones(4), ones(2, 2)),
    "targets of float64": lambda: mean_squared_error(ones(4), double),
    "classes as int32": lambda: softmax_cross_entropy(ones(2, 4), torch.zeros(2).int()),
    "too few targets": lambda: softmax_cross_entropy(ones(2, 4), torch.zeros(1).long()),
    "a class too many": lambda: softmax_cross_entropy(ones(2, 4), torch.tensor([0, 4])),
    "a negative class": lambda: softmax_cross_entropy(ones(2, 4), torch.tensor([-1, 0])),
    "a short gradient": lambda: updates.sgd(ones(4), ones(3), 0.1),
    "a velocity of float64": lambda: updates.momentum(ones(4), ones(4), double, 0.1, 0.9),
    "a short average": lambda: updates.rmsprop(ones(4), ones(4), ones(3), 0.1, 0.9, 1e-8),
    "short squares": lambda: updates.adam(
        ones(4), ones(4), ones(4), ones(3), 0.1, (0.9, 0.9), (0.9, 0.9), 1e-8
    ),
    "input weights of other columns": lambda: sequence(RNN_TANH, ones(5, 3), ones(5, 5), ones(5)),
    "recurrent weights too few": lambda: sequence(LSTM, ones(20, 4), ones(5, 5), ones(20)),
    "a bias of one gate": lambda: sequence(LSTM, ones(20, 4), ones(20, 5), ones(5)),
    "a long candidate bias": lambda: sequence(GRU, ones(15, 4), ones(15, 5), ones(15), ones(15)),
    "a sequence of no steps": lambda: sequence(
        RNN_TANH, ones(5, 4), ones(5, 5), ones(5), inputs=ones(0, 2, 4)
    ),
    "a sequence of no examples": lambda: sequence(
        RNN_TANH, ones(5, 4), ones(5, 5), ones(5), inputs=ones(3, 0, 4)
    ),
}


@each_arithmetic
@pytest.mark.parametrize("wrong", WRONG)
def test_what_does_not_fit_is_refused_before_a_kernel_reads_it(on: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=r"is needed|none of the 4 classes|a sequence of"):
        WRONG[wrong]()


@on_c
def test_a_kernel_takes_no_view(on: str) -> None:
    values, whole = torch.ones(8)[::2], torch.ones(4, 4)
    arrays = whole, [whole.T[::2]], [whole], None, whole
    with pytest.raises(ValueError, match=r"contiguous tensor, not strides \(2,\)"):
        call("norm", values.dtype, 4, values)
    with pytest.raises(ValueError, match="contiguous"):
        call("stack_forward", whole.dtype, 1, 1, 4, 4, 0, *arrays)


def test_the_level_follows_the_environment() -> None:
    for name in (*COMPILED, "torch"):
        with arithmetic(name):
            assert level() == name
    assert not {*SHAPES} & {*COMPILED, "torch"}
