"""How close the layers come to the hardware and to their peers, there and back, on one thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from bench.kernels import sequence
from bench.kernels.layers import stack
from bench.kernels.tap import Tap, Watch
from speed_parts.measuring import Measurement, interleaved, ratio, sgemm, share_of_sgemm
from speed_parts.peers import Peer

BATCH, INPUTS = 32, 2
CELLS = {
    "rnn": (sequence.RNN_TANH, nn.RNN),
    "gru": (sequence.GRU, nn.GRU),
    "lstm": (sequence.LSTM, nn.LSTM),
}
SHARE_GOALS = {
    "rnn": {64: 0.62, 128: 0.74, 256: 0.80},
    "gru": {64: 0.55, 128: 0.70, 256: 0.78},
    "lstm": {64: 0.55, 128: 0.70, 256: 0.78},
}
TORCH_GOALS = {
    "rnn": {64: 3.8, 128: 2.3, 256: 1.6},
    "gru": {64: 3.7, 128: 2.2},
    "lstm": {64: 1.1, 128: 1.4},
}
JAX_GOAL = 2.0
DEEP_GOAL = 0.75
DEPTH, WIDTH = 100, 128


def recurrent(
    name: str, steps: int, hidden: int, rounds: int, peer: Peer | None
) -> Iterator[Measurement]:
    """One cell at one size: its share of sgemm's rate, and the peers' time in units of its own."""
    cell, module = CELLS[name]
    inputs = torch.rand(steps, BATCH, INPUTS)
    theirs = module(INPUTS, hidden)
    functions: dict[str, Callable[[], object]] = {
        "sgemm": sgemm(),
        "ours": _ours(cell, inputs, hidden),
        "torch": _torchs(theirs, inputs),
    }
    if peer is not None:
        functions["jax"] = peer.ready(name, steps, hidden, BATCH, INPUTS)
    times = interleaved(functions, rounds)
    # A multiply-add is two operations; the products of h forward, of dL/dh and dL/dW backward.
    operations = 3 * 2 * steps * BATCH * hidden * hidden * cell.gates
    section, where = "layers", f"{name} H={hidden} T={steps}"
    yield Measurement(
        section=section,
        what=f"{where}: share of sgemm's rate",
        value=share_of_sgemm(times, "ours", operations),
        goal=SHARE_GOALS[name].get(hidden),
        note=f"{module.__name__} in torch: {share_of_sgemm(times, 'torch', operations):.2f}",
    )
    yield Measurement(
        section=section,
        what=f"{where}: times as fast as torch.nn",
        value=ratio(times, "torch", "ours"),
        goal=TORCH_GOALS[name].get(hidden),
    )
    if peer is not None:
        yield Measurement(
            section=section,
            what=f"{where}: times as fast as JAX",
            value=ratio(times, "jax", "ours") / peer.seeds,
            goal=JAX_GOAL,
            note=f"vmap over {peer.seeds} seeds, lax.scan, jit, one thread; per seed",
        )


def deep(rounds: int) -> Iterator[Measurement]:
    """The deep MLP, forward and backward."""
    weights = [(torch.randn(WIDTH, WIDTH) / WIDTH**0.5).requires_grad_() for _ in range(DEPTH)]
    biases = [torch.zeros(WIDTH, requires_grad=True) for _ in range(DEPTH)]
    inputs = torch.randn(WIDTH, WIDTH)

    def ours() -> Tensor:
        return stack(inputs, weights, biases, "tanh", Tap(Watch.NOTHING, over_time=False))

    def torchs() -> Tensor:
        hidden = inputs
        for weight, bias in zip(weights, biases, strict=True):
            hidden = torch.tanh(nn.functional.linear(hidden, weight, bias))
        return hidden

    functions = {
        "sgemm": sgemm(),
        "ours": _there_and_back(ours, [*weights, *biases]),
        "torch": _there_and_back(torchs, [*weights, *biases]),
    }
    times = interleaved(functions, rounds)
    operations = 3 * 2 * DEPTH * WIDTH**3
    where = f"mlp depth {DEPTH} width {WIDTH} batch {WIDTH}"
    yield Measurement(
        section="layers",
        what=f"{where}: share of sgemm's rate",
        value=share_of_sgemm(times, "ours", operations),
        goal=DEEP_GOAL,
        note=f"nn.Linear and tanh in torch: {share_of_sgemm(times, 'torch', operations):.2f}",
    )
    yield Measurement(
        section="layers",
        what=f"{where}: times as fast as torch.nn",
        value=ratio(times, "torch", "ours"),
    )


def _ours(cell: sequence.Cell, inputs: Tensor, hidden: int) -> Callable[[], object]:
    rows = cell.gates * hidden
    weights = [
        torch.randn(rows, INPUTS),
        torch.randn(rows, hidden) / hidden**0.5,
        torch.zeros(rows),
    ]
    if cell is sequence.GRU:
        weights.append(torch.zeros(hidden))
    for weight in weights:
        weight.requires_grad_()
    tap = Tap(Watch.NOTHING)
    return _there_and_back(
        lambda: sequence.whole_sequence(cell, inputs, weights, tap, last=1), weights
    )


def _torchs(module: nn.Module, inputs: Tensor) -> Callable[[], object]:
    return _there_and_back(lambda: module(inputs)[0][-1:], list(module.parameters()))


def _there_and_back(
    forward: Callable[[], Tensor], parameters: list[Tensor]
) -> Callable[[], object]:
    def step() -> None:
        for parameter in parameters:
            parameter.grad = None
        forward().sum().backward()  # type: ignore[no-untyped-call]

    return step
