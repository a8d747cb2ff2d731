"""Deep networks under one mitigation, and how large states and derivatives are in each layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench import discovery
from bench.architectures.mlp import MLP
from bench.kernels.norms import row_norms
from bench.kernels.tap import Watch
from bench.network import Network
from bench.records import MemberSpec, Signature


def mlp(activation: str, depth: int, width: int, seed: int = 0, gain: float = 1.0) -> Network:
    settings = {"activation": activation, "depth": depth, "hidden_size": width, "gain": gain}
    network = MLP(kind="gaussian", **settings).build(Signature(input_size=width, output_size=1))
    network.initialise(seed)
    return network


def prepared(network: Network, name: str, inputs: Tensor, seed: int = 0, **settings: Any) -> None:
    discovery.build("mitigation", MemberSpec(name, settings)).prepare(network, seed, inputs)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def flow(network: Network, inputs: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """(|h_l|^2, |dL/dh_l|^2) of every layer, where L is the sum of the outputs."""
    network.double()
    network.watch = Watch.NORMS
    network(inputs.double()).sum().backward()
    (tap,) = network.trace
    assert tap.states is not None
    return row_norms(tap.states.flatten(1)).numpy() ** 2, tap.derivative_norms().numpy() ** 2
