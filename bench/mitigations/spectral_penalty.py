"""A penalty on the largest singular value of each weight matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.kernels.layers import linear
from bench.kernels.norms import norm
from bench.kernels.sums import total
from bench.mitigations import Mitigation
from bench.network import Network
from bench.seeding import Stream, on_grid
from bench.settings import NonNegative


@dataclass(frozen=True, kw_only=True)
class SpectralPenalty(Mitigation):
    """Add the squares of the largest singular values to the loss.

    loss <- loss + coefficient / 2 sum of sigma(W)^2 over all weight matrices, each gate's by
    itself. A step of the power iteration per update, v <- W^T W v / |W^T W v|, goes on from the
    last one's v, and sigma = |W v|; its gradient is coefficient sigma u v^T, where u = W v / sigma.
    Until the iteration has converged sigma is too small, never too large. Where a parametrisation
    computes the matrix, what it gives is penalised. A coefficient of 0 leaves the loss alone.

    A gradient that is not finite propagates. A weight that is not finite makes v NaN for good.

    Reference: Yoshida & Miyato 2017, arXiv:1705.10941.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"coefficient": (0.001, 0.01, 0.1, 1.0)}

    coefficient: NonNegative

    def start(self, network: Network, seed: int) -> dict[str, np.ndarray]:
        """For each matrix the v [columns] of its power iteration."""
        vectors = {}
        for key, weight in _matrices(network):
            stream = Stream("mitigation noise", "spectral_penalty", key, seed=seed)
            drawn = on_grid(stream.normal((weight.shape[1],)))
            vectors[key] = _normalised(torch.from_numpy(drawn).to(weight.dtype)).numpy()
        return vectors

    def penalty(self, network: Network, memory: dict[str, np.ndarray]) -> Tensor:
        result = torch.zeros(())
        if self.coefficient:
            for key, weight in _matrices(network):
                after = _power_step(weight.detach(), torch.from_numpy(memory[key]))
                memory[key] = after.numpy()
                image = linear(after, weight)
                result = result + total(image * image)
        return self.coefficient / 2 * result


def _matrices(network: Network) -> Iterator[tuple[str, Tensor]]:
    """Every gate's block of every weight matrix."""
    for name, role in network.names_of("input", "recurrent", "hidden", "readout"):
        blocks = network.tensor(name).chunk(len(role.gates))
        for gate, weight in zip(role.gates, blocks, strict=True):
            yield f"{name} {gate}", weight


def _power_step(weight: Tensor, vector: Tensor) -> Tensor:
    # Normalised in between too: the product of two large matrices would overflow.
    image = _normalised(linear(vector, weight))
    return _normalised(linear(image, weight.t()))


def _normalised(vector: Tensor) -> Tensor:
    length = norm(vector)
    return vector / length if length else vector
