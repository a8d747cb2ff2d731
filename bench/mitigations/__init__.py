"""PROTECTED HOW: one file per mitigation.

A mitigation is a frozen dataclass that fills in the moments of a training step it needs; one that
fills in none is `none`. It works on an ordinary nn.Module (a bench.network.Network, which also
names its parameters' roles) in ordinary PyTorch. What it must remember between updates it makes in
`start` and finds in `update.state` (`penalty`: in `memory`). The step, with the moments in place:

    prepare      once, before the first update: initial weights, reparametrisation, sites
      |
    observe            sees the batch before the network does
    penalty            added to the loss
    (backward)
    gradient_penalty   adds to the gradients; sees dL/dh_t
    transform          changes the gradients
    (optimiser)        at lr x schedule
    project            changes the parameters

Literal class variables:

    needs      what architecture or task must provide (bench/architectures and bench/tasks)
    claims     what it takes for itself: two mitigations with a common claim cannot be combined, and
               "initial_weights" come before "parametrisation" in a+b; "alone" combines with nothing
    nonfinite  what it does with a gradient that is not finite: propagates, repairs, skips
    tries      (may be left out) setting -> the values that the protocol `tuned` tries: 1, 2 or 4
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.network import Network


@dataclass
class Update:
    """One update, as a mitigation sees it."""

    step: int  # from 1
    steps: int  # the budget
    learning_rate: float  # lr times the schedule's factor
    gradient_norm: float  # L2 over all parameters, as the gradients stand now; never overflows
    state: Any  # what this mitigation's `start` returned
    skip: bool = False  # set it, and neither optimiser nor projections run
    restart: bool = False  # set it, and the optimiser first forgets what it remembers


class Mitigation:
    """The moments, each of which does nothing unless a mitigation fills it in."""

    watches: ClassVar[bool] = False
    """Whether `gradient_penalty` reads dL/dh_t: `network.trace[layer].total_derivative()`."""
    reads_states: ClassVar[bool] = False
    """Whether `penalty` reads h_t: `network.trace[layer].states` [time, batch, hidden]."""

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        """Change the network before its first update; its initial weights are drawn already.

        `inputs` are those of the first batch. The network is float32; it is cast afterwards.
        """

    def start(self, network: Network, seed: int) -> Any:
        """What this mitigation remembers between updates. Noise comes from a Stream of its own:
        Stream("mitigation noise", NAME, seed=seed)."""
        return None

    def observe(self, network: Network, inputs: Tensor, targets: Tensor) -> None:
        """See a training batch before the network does."""

    def schedule(self, step: int, steps: int) -> float:
        """The factor on the learning rate at update `step` (from 1) of `steps`."""
        return 1.0

    def penalty(self, network: Network, memory: Any) -> Tensor:
        """What to add to the loss: 0-d, differentiable. `memory` is what `start` returned."""
        return torch.zeros(())

    def gradient_penalty(self, network: Network, update: Update) -> None:
        """Add to the gradients what is not the derivative of a term of the loss."""

    def transform(self, network: Network, update: Update) -> None:
        """Change the gradients in place, or set `update.skip`."""

    def project(self, network: Network, update: Update, previous: dict[str, Tensor]) -> None:
        """Change the parameters in place after the optimiser; `previous` has them as they were."""

    @classmethod
    def fills_in(cls, moment: str) -> bool:
        return getattr(cls, moment) is not getattr(Mitigation, moment)
