"""Arguments for every kernel at the edges of its loops and tiles, ordinary or extreme."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor

KINDS = {"tanh": 0, "relu": 1, "selu": 2, "gelu": 3, "linear": 4, "sigmoid": 5, "exp": 6, "log": 7}
ROWS_AT_ONCE = 192  # source/recurrent.h


@dataclass(frozen=True)
class Room:
    """An array that the kernel only writes to."""

    tensor: Tensor


@dataclass(frozen=True)
class Changed:
    """An array that the kernel adds to, or changes in place."""

    tensor: Tensor


@dataclass(frozen=True)
class Case:
    kernel: str
    label: str
    dtype: torch.dtype
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.kernel}({self.label})"

    def fresh(
        self, fill: float = 7.0, place: Callable[[Tensor], Tensor] = Tensor.clone
    ) -> tuple[list[Any], list[Tensor]]:
        """Arguments in memory of their own, and those of them that the kernel writes to."""
        written: list[Tensor] = []

        def copied(argument: Any) -> Any:
            if isinstance(argument, list):
                return [copied(item) for item in argument]
            if isinstance(argument, Room | Changed):
                tensor = argument.tensor
                copy = place(
                    torch.full_like(tensor, fill) if isinstance(argument, Room) else tensor
                )
                written.append(copy)
                return copy
            return place(argument) if isinstance(argument, Tensor) else argument

        return [copied(argument) for argument in self.arguments], written


class Maker:
    """Draws the arrays of one type."""

    def __init__(self, dtype: torch.dtype, extreme: bool) -> None:
        self.dtype, self.extreme = dtype, extreme
        self.generator = torch.Generator().manual_seed(0)
        info = torch.finfo(dtype)
        tiny = info.smallest_normal
        specials = [0.0, -0.0, torch.inf, -torch.inf, torch.nan, 1e30, -1e30, 1.0]
        self.specials = torch.tensor([*specials, info.max, tiny, tiny / 8, -tiny / 8], dtype=dtype)

    def given(self, *shape: int) -> Tensor:
        values = torch.randn(shape, generator=self.generator, dtype=self.dtype)
        if self.extreme:
            chosen = torch.randint(len(self.specials), shape, generator=self.generator)
            # Rarely enough that sums of many terms are not all NaN.
            there = torch.rand(shape, generator=self.generator) < 0.03
            values = torch.where(there, self.specials[chosen], values)
        return values

    def between(self, low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=self.generator, dtype=self.dtype)

    def room(self, *shape: int) -> Room:
        return Room(torch.empty(shape, dtype=self.dtype))

    def norms(self, size: int) -> Room:
        return Room(torch.empty(size, dtype=torch.float64))

    def changed(self, *shape: int) -> Changed:
        return Changed(self.given(*shape))


def cases(dtype: torch.dtype, *, extreme: bool) -> Iterator[Case]:
    make = Maker(dtype, extreme)
    for family in (elementwise, reductions, products, stacks, recurrent, normalised, losses, moves):
        for kernel, label, *arguments in family(make):
            yield Case(kernel, label, dtype, tuple(arguments))


Drawn = Iterator[tuple[Any, ...]]


def elementwise(make: Maker) -> Drawn:
    if make.extreme:
        size = len(make.specials)
        for name, kind in KINDS.items():
            yield "elementwise", f"{name} of specials", kind, size, make.specials, make.room(size)
    for (name, kind), size in product(KINDS.items(), (0, 1, 7, 64, 101)):
        given = make.given(size).abs() if kind == KINDS["log"] else make.given(size)
        yield "elementwise", f"{name}, {size}", kind, size, given, make.room(size)
        if kind < KINDS["exp"]:
            arrays = make.given(size), make.given(size), make.given(size), make.room(size)
            yield "elementwise_backward", f"{name}, {size}", kind, size, *arrays


def reductions(make: Maker) -> Drawn:
    for size in (0, 1, 15, 16, 17, 100, 1003):
        yield "norm", f"{size}", size, make.given(size)
        yield "all_finite", f"{size}", size, make.given(size)
        yield "sum_of_squares", f"{size}", size, make.given(size), 0.5
    for scale in (1e-30, 1e30):
        yield "norm", f"{scale}", 40, make.given(40) * scale


def products(make: Maker) -> Drawn:
    sizes = [(1, 1, 1), (2, 3, 5), (7, 8, 9), (6, 16, 96), (5, 1, 97), (13, 65, 33), (3, 2, 200)]
    for rows, inputs, outputs in [*sizes, (0, 3, 5), (ROWS_AT_ONCE + 1, 5, 7)]:
        label = f"{rows} x {inputs} -> {outputs}"
        x, weight = make.given(rows, inputs), make.given(outputs, inputs)
        size = rows, inputs, outputs
        for bias in (make.given(outputs), None):
            yield "linear", label, *size, x, weight, bias, make.room(rows, outputs)
        wanted = make.room(rows, inputs), make.room(outputs, inputs), make.room(outputs)
        for one in ((True, True, True), (True, False, False), (False, True, False)):
            grads = [grad if there else None for grad, there in zip(wanted, one, strict=True)]
            yield "linear_backward", label, *size, x, weight, make.given(rows, outputs), *grads


def stacks(make: Maker) -> Drawn:
    for name, (depth, batch, inputs, hidden) in product(
        list(KINDS)[:5], [(1, 1, 1, 1), (3, 5, 2, 9), (2, ROWS_AT_ONCE + 1, 11, 3)]
    ):
        label = f"{name}, {depth} layers of {hidden}, batch {batch}"
        sizes = depth, batch, inputs, hidden, KINDS[name]
        shapes = [(hidden, hidden if layer else inputs) for layer in range(depth)]
        weights = [make.given(*shape) for shape in shapes]
        states, gelu = (depth, batch, hidden), name == "gelu"
        x, biases = make.given(batch, inputs), [make.given(hidden) for _ in shapes]
        before = make.room(*states) if gelu else None
        yield "stack_forward", label, *sizes, x, weights, biases, before, make.room(*states)
        for whole in (True, False):
            optional = (make.room(*states), make.norms(depth), make.room(batch, inputs))
            yield (
                "stack_backward",
                label,
                *sizes,
                x,
                weights,
                make.given(*states) if gelu else None,
                make.given(*states),
                make.given(batch, hidden),
                *(optional if whole else (None, None, None)),
                [make.room(*shape) for shape in shapes],
                [make.room(hidden) for _ in shapes],
            )


LAYERS = {  # gates; numbers per hidden unit that a forward pass keeps, a backward pass carries
    "rnn": (1, (1,), (1,)),
    "lstm": (4, (1, 1, 1, 4), (4, 1)),
    "gru": (3, (1, 3, 1), (3, 1)),
}
SIZES = [  # steps, batch, inputs, hidden
    (1, 1, 1, 1),
    (3, 2, 2, 5),
    (5, 3, 1, 17),
    (4, 1, 20, 33),
    (7, 30, 2, 16),
    (2, ROWS_AT_ONCE + 8, 3, 9),
]


def recurrent(make: Maker) -> Drawn:
    for name, (steps, batch, inputs, hidden) in product(LAYERS, SIZES):
        gates, kept, carried = LAYERS[name]
        for kind in ([0], [1], [4]) if name == "rnn" else ([],):
            label = f"{steps} steps, batch {batch}, {inputs} -> {hidden}, {kind}"
            sizes = steps, batch, inputs, hidden, *kind
            x, rows = make.given(steps, batch, inputs), gates * hidden
            weights = [make.given(rows, inputs), make.given(rows, hidden) / hidden**0.5]
            memory = 2 if name == "lstm" else 1
            biases = [make.given(rows), *([make.given(hidden)] if name == "gru" else [])]
            for begins in (True, False):
                before = [None if begins else make.given(batch, hidden) for _ in range(memory)]
                room = [make.room(steps, batch, size * hidden) for size in kept]
                yield f"{name}_forward", label, *sizes, x, *weights, *biases, *before, *room
            arrays = [make.between(-1, 1, steps, batch, hidden), *kept_gates(make, name, sizes)]
            for seen, later, whole in (
                (steps, 0, True),
                (0, 1, False),
                (1, 1, True),
                (1, 0, False),
            ):
                before = [make.given(batch, hidden) if later else None for _ in range(memory)]
                optional = [
                    make.room(steps, batch, hidden),
                    make.norms(steps),
                    make.room(steps, batch, inputs),
                ]
                yield (
                    f"{name}_backward",
                    label,
                    *sizes,
                    x,
                    *weights,
                    *before,
                    *arrays,
                    seen,
                    make.given(seen, batch, hidden),
                    later,
                    *(make.changed(batch, size * hidden) for size in carried),
                    *(optional if whole else [None] * 3),
                    *(make.changed(*tensor.shape) for tensor in (*weights, *biases)),
                )


def kept_gates(make: Maker, name: str, sizes: tuple[int, ...]) -> list[Tensor]:
    """What a forward pass keeps beside the states: gates lie between 0 and 1, candidates not."""
    steps, batch, _, hidden, *_ = sizes
    if name == "lstm":
        cells = make.given(steps, batch, hidden)
        return [cells, cells.tanh(), make.between(0, 1, steps, batch, 4 * hidden)]
    if name == "gru":
        return [make.between(0, 1, steps, batch, 3 * hidden), make.given(steps, batch, hidden)]
    return []


def normalised(make: Maker) -> Drawn:
    for rows, width in ((1, 1), (3, 5), (4, 16), (2, 35)):
        label, x = f"{rows} x {width}", make.given(rows, width)
        rooms = make.room(rows, width), make.room(rows), make.room(rows, width)
        sizes = rows, width
        yield "layer_norm", label, *sizes, 1e-5, x, make.given(width), make.given(width), *rooms
        arrays = make.given(width), make.given(rows, width), make.between(0.1, 3, rows)
        sums = make.room(rows, width), make.changed(width), make.changed(width)
        yield "layer_norm_backward", label, *sizes, *arrays, make.given(rows, width), *sums


def losses(make: Maker) -> Drawn:
    for rows, classes in ((1, 1), (3, 10), (7, 4), (33, 2)):
        label = f"{rows} x {classes}"
        targets = torch.randint(classes, (rows,), generator=make.generator)
        logits, room = make.given(rows, classes), make.room(rows, classes)
        yield "softmax_cross_entropy", label, rows, classes, logits, targets, room
        shares = make.between(0, 1, rows, classes)
        yield "softmax_cross_entropy_backward", label, rows, classes, shares, targets, 0.3, room
    for size in (1, 15, 100):
        arrays = make.given(size), make.given(size), make.room(size)
        yield "mean_squared_error", f"{size}", size, *arrays


def moves(make: Maker) -> Drawn:
    for size in (1, 8, 33, 1003):
        vector, label = make.changed, f"{size}"
        squares = Changed(make.given(size).abs())
        yield "sgd", label, size, vector(size), make.given(size), 0.1
        yield "momentum", label, size, vector(size), make.given(size), vector(size), 0.1, 0.9
        yield "rmsprop", label, size, vector(size), make.given(size), squares, 0.1, 0.99, 0.01, 1e-8
        scalars = 0.1, 0.9, 0.1, 1 - 0.9**3, 0.999, 0.001, 1 - 0.999**3, 1e-8
        arrays = vector(size), make.given(size), vector(size), squares
        yield "adam", label, size, *arrays, *scalars
