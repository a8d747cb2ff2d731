"""Weight decay, decoupled from the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.mitigations import Mitigation, Update
from bench.network import Network
from bench.settings import NonNegative


@dataclass(frozen=True, kw_only=True)
class WeightDecay(Mitigation):
    """Shrink the weights at every update, apart from the gradient.

    W_t = W_{t-1} - update - lr coefficient W_{t-1} for all weight matrices, not the biases: neither
    clipped nor rescaled by the optimiser. With plain SGD and no clipping it equals `l2`.

    As in torch.optim.AdamW the decay is proportional to lr; the paper's algorithm 2 multiplies the
    coefficient by the schedule alone.

    A gradient that is not finite propagates.

    Reference: Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"coefficient": (0.001, 0.01, 0.1, 1.0)}

    coefficient: NonNegative

    def project(self, network: Network, update: Update, previous: dict[str, Tensor]) -> None:
        for name, parameter in network.named_parameters():
            role = network.roles.get(name)
            if role is not None and role.name in ("input", "recurrent", "hidden", "readout"):
                parameter.sub_(previous[name] * (update.learning_rate * self.coefficient))
