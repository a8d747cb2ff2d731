"""A penalty on the squares of the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from bench.kernels.norms import sum_of_squares
from bench.mitigations import Mitigation
from bench.network import Network
from bench.settings import NonNegative


@dataclass(frozen=True, kw_only=True)
class L2(Mitigation):
    """Add the squared weights to the loss.

    loss <- loss + coefficient / 2 sum of W^2 over all weight matrices, not the biases. Its
    gradient, coefficient W, is clipped and rescaled by the optimiser with the rest; `weight_decay`
    is the decoupled form. Pascanu et al. (section 3.1) warn that on the recurrent weights it leaves
    the model a single point attractor at the origin.

    A gradient that is not finite propagates.

    Reference: Krogh & Hertz 1991, A simple weight decay can improve generalization.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"coefficient": (1e-05, 0.0001, 0.001, 0.01)}

    coefficient: NonNegative

    def penalty(self, network: Network, memory: Any) -> Tensor:
        weights = (p for p, _ in network.with_role("input", "recurrent", "hidden", "readout"))
        total = sum(sum_of_squares(weight) for weight in weights)
        return self.coefficient / 2 * total  # type: ignore[return-value]
