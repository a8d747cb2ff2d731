"""Recurrent networks a second time, as loops in plain torch with places to interfere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from bench import discovery
from bench.mitigations import Mitigation
from bench.network import Network
from bench.records import MemberSpec, Signature
from tests.mitigations.workbench import SEED

TIME, BATCH, HIDDEN, OUTPUTS = 9, 4, 5, 3
CELLS = ("rnn_tanh", "lstm", "gru")
PARTS = ("input_0", "recurrent_0", "bias_0", "readout", "readout_bias")
State = tuple[Tensor, ...]


def build(
    name: str,
    output_steps: int = TIME,
    num_layers: int = 1,
    hidden_size: int = HIDDEN,
    **mitigations: dict[str, Any],
) -> tuple[Network, list[Mitigation]]:
    """A float64 network of the last `output_steps`, and its mitigations, prepared."""
    kind = {"hidden_size": hidden_size, "num_layers": num_layers, "kind": "gaussian", "gain": 1.8}
    signature = Signature(input_size=2, output_size=OUTPUTS, output_steps=output_steps)
    network: Network = discovery.build("architecture", MemberSpec(name, kind)).build(signature)
    network.initialise(SEED)
    rules = [discovery.build("mitigation", MemberSpec(*pair)) for pair in mitigations.items()]
    for rule in rules:
        rule.prepare(network, SEED, torch.zeros(TIME, BATCH, 2))
    return network.double(), rules


def normals(*shape: int, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def gradients(network: Network, inputs: Tensor, scale: float = 1.0) -> dict[str, Tensor]:
    """Of the sum of the squared outputs."""
    network.zero_grad()
    (network(inputs) ** 2).sum().mul(scale).backward()  # type: ignore[no-untyped-call]
    return {name: network.get_parameter(name).grad for name in PARTS}  # type: ignore[misc]


def step(name: str, x: Tensor, seen: Tensor, state: State, weights: dict[str, Tensor]) -> State:
    """One time step; the gates see `seen` of h, and what is carried beside them is in `state`."""
    projected = x @ weights["input_0"].T + weights["bias_0"]
    recurrent = seen @ weights["recurrent_0"].T
    if name == "rnn_tanh":
        return ((projected + recurrent).tanh(),)
    if name == "lstm":
        i, f, g, o = (projected + recurrent).chunk(4, dim=1)
        cell = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
        return o.sigmoid() * cell.tanh(), cell
    (x_r, x_z, x_n), (h_r, h_z, h_n) = projected.chunk(3, dim=1), recurrent.chunk(3, dim=1)
    z = (x_z + h_z).sigmoid()
    return ((1 - z) * (x_n + (x_r + h_r).sigmoid() * h_n).tanh() + z * state[0],)


def by_hand(
    name: str,
    network: Network,
    inputs: Tensor,
    *,
    seen: Callable[[int, Tensor], Tensor] = lambda t, h: h,
    made: Callable[[Tensor], Tensor] = lambda s: s,
    onward: Callable[[int, State], State] = lambda t, state: state,
    output_steps: int = TIME,
    scale: float = 1.0,
) -> dict[str, Tensor]:
    """As `gradients`, t from 1: `seen` changes what the gates see of h at step t, `made` each state
    where it is made, `onward` what step t hands to step t + 1."""
    weights = {n: p.detach().clone().requires_grad_() for n, p in network.named_parameters()}
    state: State = (inputs.new_zeros(BATCH, HIDDEN),) * (2 if name == "lstm" else 1)
    total = inputs.new_zeros(())
    for t, x in enumerate(inputs, start=1):
        state = tuple(map(made, step(name, x, seen(t, state[0]), state, weights)))
        if t > TIME - output_steps:
            outputs = state[0] @ weights["readout"].T + weights["readout_bias"]
            total = total + (outputs**2).sum() * scale
        state = onward(t, state)
    total.backward()  # type: ignore[no-untyped-call]
    return {part: weights[part].grad for part in PARTS}  # type: ignore[misc]


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-10, atol=1e-12, msg=name)


def differ(found: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return not torch.allclose(found["recurrent_0"], other["recurrent_0"], rtol=1e-3)
