"""The equations of the recurrent cells a second time, in plain torch and under its autograd."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from bench import discovery
from bench.network import Network
from bench.records import Signature
from tests.specs import member

Parameters = dict[str, Tensor]  # of one layer, without its number
Layer = Callable[[Parameters, dict[str, Any], Tensor], tuple[list[Tensor], Tensor]]
"""(parameters, settings, inputs [T, B, I]) -> (h_t of every step, outputs [T, B, H])."""


def plain(f: Callable[[Tensor], Tensor]) -> Layer:
    def layer(p: Parameters, _: dict[str, Any], inputs: Tensor) -> tuple[list[Tensor], Tensor]:
        h, states = zeros(inputs, len(p["bias"])), []
        for x in inputs:
            h = f(x @ p["input"].T + h @ p["recurrent"].T + p["bias"])
            states.append(h)
        return states, torch.stack(states)

    return layer


def zeros(inputs: Tensor, units: int) -> Tensor:
    return torch.zeros(inputs.shape[1], units, dtype=inputs.dtype)


def indrnn(p: Parameters, _: dict[str, Any], inputs: Tensor) -> tuple[list[Tensor], Tensor]:
    h, states = zeros(inputs, len(p["bias"])), []
    for x in inputs:
        h = torch.relu(x @ p["input"].T + p["diagonal"] * h + p["bias"])
        states.append(h)
    return states, torch.stack(states)


def skew(entries: Tensor, size: int) -> Tensor:
    matrix = torch.zeros(size, size, dtype=entries.dtype)
    rows = [(i, j) for i in range(size) for j in range(i + 1, size)]
    for value, (i, j) in zip(entries, rows, strict=True):
        unit = torch.zeros_like(matrix)
        unit[i, j], unit[j, i] = 1, -1
        matrix = matrix + value * unit
    return matrix


def antisymmetric_rnn(
    p: Parameters, s: dict[str, Any], inputs: Tensor
) -> tuple[list[Tensor], Tensor]:
    size = len(p["bias"])
    matrix = skew(p["generator"], size) - s["diffusion"] * torch.eye(size)
    h, states = zeros(inputs, size), []
    for x in inputs:
        h = h + s["step_size"] * torch.tanh(h @ matrix.T + x @ p["input"].T + p["bias"])
        states.append(h)
    return states, torch.stack(states)


def lipschitz_rnn(p: Parameters, s: dict[str, Any], inputs: Tensor) -> tuple[list[Tensor], Tensor]:
    size, beta = len(p["bias"]), s["beta"]

    def built(m: Tensor) -> Tensor:
        return beta * (m - m.T) + (1 - beta) * (m + m.T) - s["gamma"] * torch.eye(size)

    a, w = built(p["linear_generator"]), built(p["nonlinear_generator"])
    h, states = zeros(inputs, size), []
    for x in inputs:
        rate = h @ a.T + torch.tanh(h @ w.T + x @ p["input"].T + p["bias"])
        h = h + s["step_size"] * rate
        states.append(h)
    return states, torch.stack(states)


def cornn(p: Parameters, s: dict[str, Any], inputs: Tensor) -> tuple[list[Tensor], Tensor]:
    y, z, dt, states = *(zeros(inputs, len(p["bias"])),) * 2, s["step_size"], []
    for x in inputs:
        before = y @ p["recurrent"].T + z @ p["velocity"].T + x @ p["input"].T + p["bias"]
        z = z + dt * (torch.tanh(before) - s["gamma"] * y - s["epsilon"] * z)
        y = y + dt * z
        states.append(y)
    return states, torch.stack(states)


def lem(p: Parameters, s: dict[str, Any], inputs: Tensor) -> tuple[list[Tensor], Tensor]:
    w_1, w_2, w_z, w_y = p["recurrent"].chunk(4)
    v_1, v_2, v_z, v_y = p["input"].chunk(4)
    b_1, b_2, b_z, b_y = p["bias"].chunk(4)
    y, z, dt, states = *(zeros(inputs, len(b_1)),) * 2, s["step_size"], []
    for x in inputs:
        d = dt * torch.sigmoid(y @ w_1.T + x @ v_1.T + b_1)
        e = dt * torch.sigmoid(y @ w_2.T + x @ v_2.T + b_2)
        z = (1 - e) * z + e * torch.tanh(y @ w_z.T + x @ v_z.T + b_z)
        y = (1 - d) * y + d * torch.tanh(z @ w_y.T + x @ v_y.T + b_y)
        states.append(y)
    return states, torch.stack(states)


def exprnn(p: Parameters, _: dict[str, Any], inputs: Tensor) -> tuple[list[Tensor], Tensor]:
    size = len(p["threshold"])
    matrix = torch.matrix_exp(skew(p["generator"], size))
    h, states = zeros(inputs, size), []
    for x in inputs:
        z = h @ matrix.T + x @ p["input"].T
        h = z.sign() * torch.relu(z.abs() + p["threshold"])
        states.append(h)
    return states, torch.stack(states)


def lru(p: Parameters, _: dict[str, Any], inputs: Tensor) -> tuple[list[Tensor], Tensor]:
    size, columns = len(p["decay"]), inputs.shape[2]
    eigenvalues = torch.exp(torch.complex(-torch.exp(p["decay"]), p["phase"]))
    b = torch.complex(*p["input"].chunk(2)) * torch.exp(p["scale"])[:, None]
    real, minus_imaginary, d = p["output"].split([size, size, columns], dim=1)
    c = torch.complex(real, -minus_imaginary)
    h = torch.zeros(inputs.shape[1], 2 * size, dtype=inputs.dtype)
    states, outputs = [], []
    for x in inputs:
        state = eigenvalues * torch.complex(h[:, :size], h[:, size:]) + x.to(b.dtype) @ b.T
        h = torch.cat([state.real, state.imag], dim=1)
        seen = torch.complex(h[:, :size], h[:, size:]) @ c.T
        outputs.append(torch.nn.functional.gelu(seen.real + x @ d.T))
        states.append(h)
    return states, torch.stack(outputs)


LAYERS: dict[str, Layer] = {
    "rnn_linear": plain(lambda z: z),
    "irnn": plain(torch.relu),
    "indrnn": indrnn,
    "antisymmetric_rnn": antisymmetric_rnn,
    "lipschitz_rnn": lipschitz_rnn,
    "cornn": cornn,
    "lem": lem,
    "exprnn": exprnn,
    "lru": lru,
}


@dataclass
class Unrolled:
    """A whole network by the equations, with the parameters of `network`."""

    outputs: Tensor
    states: list[list[Tensor]]  # by layer and time step
    leaves: dict[str, Tensor] = field(default_factory=dict)


def build(name: str, *, inputs: int = 3, outputs: int = 2, steps: int = 1, **other: Any) -> Network:
    spec = member("architecture", name, **{"hidden_size": 6, "num_layers": 1} | other)
    signature = Signature(input_size=inputs, output_size=outputs, output_steps=steps)
    network: Network = discovery.build("architecture", spec).build(signature)
    network.initialise(seed=0)
    return network


def settings(name: str, **other: Any) -> dict[str, Any]:
    return member("architecture", name, **other).settings


def unrolled(name: str, network: Network, inputs: Tensor, num_layers: int, last: int) -> Unrolled:
    leaves = {key: p.detach().clone().requires_grad_() for key, p in network.named_parameters()}
    sequence, states = inputs, []
    for layer in range(num_layers):
        own = {
            key.removesuffix(f"_{layer}"): value
            for key, value in leaves.items()
            if key.endswith(f"_{layer}")
        }
        found, sequence = LAYERS[name](own, settings(name), sequence)
        for state in found:
            state.retain_grad()
        states.append(found)
    outputs = sequence[-last:] @ leaves["readout"].T + leaves["readout_bias"]
    return Unrolled(outputs, states, leaves)


def some(*shape: int, seed: int = 2, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@torch.no_grad()
def scatter(network: Network, scale: float, *roles: Any) -> None:
    """Parameters of `roles` (all, if none is named) from N(0, scale^2)."""
    for index, (parameter, _) in enumerate(network.with_role(*roles)):
        parameter.copy_(scale * some(*parameter.shape, seed=index))
