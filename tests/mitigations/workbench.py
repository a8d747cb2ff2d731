"""A small network under mitigations; its updates are those of bench.training, whole or in part."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from bench import discovery
from bench.architectures._recurrent import RecurrentNetwork
from bench.kernels.norms import norm
from bench.mitigations import Mitigation, Update
from bench.network import Network
from bench.optimizers.sgd import SGD
from bench.records import MemberSpec, Signature
from bench.training.flat import FlatParameters
from bench.training.step import Trainer
from tests.specs import member

SEED = 5
STEPS = 100
RATE = 0.1


@dataclass
class Workbench:
    """Plain gradient descent on the mean square of the outputs."""

    network: Network
    mitigations: list[Mitigation]
    steps: int = 0

    def __post_init__(self) -> None:
        shape = (9, 4, 2) if isinstance(self.network, RecurrentNetwork) else (4, 2)
        inputs = torch.randn(shape, generator=torch.Generator().manual_seed(SEED))
        for mitigation in self.mitigations:
            mitigation.prepare(self.network, SEED, inputs)

    @cached_property
    def trainer(self) -> Trainer:
        """Made at its first use: until then the network may be cast to another type."""
        sizes = {"length": 9, "batch_size": 4, "steps": STEPS, "evaluation_size": 100}
        task = discovery.build("task", member("task", "adding", **sizes))
        return Trainer(task, self.network, tuple(self.mitigations), SGD(lr=RATE), STEPS, SEED)

    @property
    def flat(self) -> FlatParameters:
        return self.trainer.flat

    @property
    def memories(self) -> list[Any]:
        return [memory for _, memory in self.trainer.memories]

    @property
    def parameters(self) -> dict[str, Tensor]:
        return {name: p.detach().clone() for name, p in self.network.named_parameters()}

    @property
    def gradients(self) -> dict[str, Tensor]:
        return {name: g.clone() for name, g in self.flat.by_name(self.flat.gradients).items()}

    def set_gradients(self, value: float) -> None:
        self.flat.gradients.fill_(value)

    def norm(self) -> float:
        return norm(self.flat.gradients)

    def update(self, learning_rate: float = RATE) -> Update:
        """As it stands before the transforms of the gradients that there are."""
        return Update(self.steps, STEPS, learning_rate, self.norm(), state=None)

    @torch.no_grad()
    def transform(self) -> Update:
        """The gradient penalties and transforms, on the gradients as they are."""
        self.steps += 1
        update = self.update()
        self.trainer.change_gradients(update)
        return update

    @torch.no_grad()
    def move(self, learning_rate: float = RATE) -> None:
        """The optimiser and the projections, with the gradients as they are."""
        self.trainer.move(self.update(learning_rate))

    def backward(self, inputs: Tensor) -> float:
        """The gradients of loss and penalties; returns the loss without them."""
        return self.trainer.backward(inputs, _targets(inputs))

    def train(self, inputs: Tensor, steps: int, lr: float = RATE) -> None:
        self.trainer.optimizer = SGD(lr=lr)
        for _ in range(steps):
            self.steps += 1
            self.trainer.take(self.steps, inputs, _targets(inputs), probe=False)


def _targets(inputs: Tensor) -> Tensor:
    """Zeros, shaped as the outputs: [1, batch, 1], or [batch, 1] without time."""
    return inputs.new_zeros((*(1,) * (inputs.dim() - 2), inputs.shape[-2], 1))


def make(architecture: str = "rnn_tanh", /, **mitigations: dict[str, Any]) -> Workbench:
    """`make("gru", clip_norm={"threshold": 1.0})`: a network and its mitigations, ready to go."""
    settings: dict[str, Any] = {"hidden_size": 6, "gain": 1.3, "kind": "gaussian"}
    settings |= {"depth": 3, "activation": "relu"} if architecture == "mlp" else {"num_layers": 1}
    built = discovery.build("architecture", MemberSpec(architecture, settings))
    network: Network = built.build(Signature(input_size=2, output_size=1))
    network.initialise(SEED)
    return Workbench(
        network,
        [
            discovery.build("mitigation", MemberSpec(name, chosen))
            for name, chosen in mitigations.items()
        ],
    )
