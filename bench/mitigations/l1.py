"""A penalty on the absolute values of the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.kernels.sums import total
from bench.mitigations import Mitigation
from bench.network import Network
from bench.settings import NonNegative


@dataclass(frozen=True, kw_only=True)
class L1(Mitigation):
    """Add the absolute values of the weights to the loss.

    loss <- loss + coefficient sum of |W| over all weight matrices, not the biases. Its gradient,
    coefficient sign(W), is clipped and rescaled by the optimiser with the rest; at a weight of
    exactly zero it is zero. Gradient descent makes weights small by it, but never exactly zero, as
    the proximal step of the lasso would. Where a parametrisation computes the matrix, what it
    gives is penalised. A coefficient of 0 leaves the loss alone.

    A gradient that is not finite propagates.

    Reference: Tibshirani 1996, J. R. Statist. Soc. B 58; Pascanu, Mikolov & Bengio 2013, section 3.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"coefficient": (1e-05, 0.0001, 0.001, 0.01)}

    coefficient: NonNegative

    def penalty(self, network: Network, memory: Any) -> Tensor:
        result = torch.zeros(())
        if self.coefficient:
            for name, _ in network.names_of("input", "recurrent", "hidden", "readout"):
                result = result + total(network.tensor(name).abs())
        return self.coefficient * result
