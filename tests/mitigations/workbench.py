"""A small network, and one update of it with the moments in the order of bench.mitigations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from bench import discovery
from bench.kernels.norms import norm
from bench.mitigations import Mitigation, Update
from bench.network import Network
from bench.records import MemberSpec, Signature

SEED = 5


@dataclass
class Workbench:
    """A network under mitigations and plain gradient descent."""

    network: Network
    mitigations: list[Mitigation]
    memories: list[Any] = field(init=False)
    steps: int = 0

    def __post_init__(self) -> None:
        for mitigation in self.mitigations:
            mitigation.prepare(self.network, SEED)
        self.memories = [mitigation.start() for mitigation in self.mitigations]

    @property
    def parameters(self) -> dict[str, Tensor]:
        return {name: p.detach().clone() for name, p in self.network.named_parameters()}

    @property
    def gradients(self) -> dict[str, Tensor]:
        return {
            name: p.grad.clone()
            for name, p in self.network.named_parameters()
            if p.grad is not None
        }

    def set_gradients(self, value: float) -> None:
        for parameter in self.network.parameters():
            parameter.grad = torch.full_like(parameter, value)

    def norm(self) -> float:
        return norm(torch.cat([gradient.flatten() for gradient in self.gradients.values()]))

    def update(self, memory: Any, learning_rate: float = 0.1) -> Update:
        return Update(self.steps, 100, learning_rate, self.norm(), memory)

    @torch.no_grad()
    def transform(self) -> list[Update]:
        """The gradient penalties and transforms, on the gradients as they are."""
        updates = []
        self.steps += 1
        pairs = list(zip(self.mitigations, self.memories, strict=True))
        for mitigation, memory in pairs:
            mitigation.gradient_penalty(self.network, self.update(memory))
        for mitigation, memory in pairs:
            updates.append(self.update(memory))
            mitigation.transform(self.network, updates[-1])
        return updates

    def backward(self, inputs: Tensor) -> float:
        self.network.zero_grad()
        self.network.watching = any(mitigation.watches for mitigation in self.mitigations)
        loss = (self.network(inputs) ** 2).mean()
        for mitigation in self.mitigations:
            loss = loss + mitigation.penalty(self.network)
        loss.backward()
        return float(loss.detach())

    def train(self, inputs: Tensor, steps: int, lr: float = 0.1) -> None:
        for _ in range(steps):
            self.backward(inputs)
            updates = self.transform()
            previous = self.parameters
            rate = lr
            for mitigation in self.mitigations:
                rate *= mitigation.schedule(self.steps, 100)
            with torch.no_grad():
                for parameter in self.network.parameters():
                    assert parameter.grad is not None
                    parameter -= rate * parameter.grad
                for mitigation, update in zip(self.mitigations, updates, strict=True):
                    update.learning_rate = rate
                    mitigation.project(self.network, update, previous)


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
