"""What every member that calls itself portable computes; run as a script, it prints digests.

Inputs come from streams, and norms from exact sums, so that nothing but the member is at work.
"""

from __future__ import annotations

import hashlib
import math

import torch
from torch import Tensor

from bench import discovery
from bench.mitigations import Mitigation, Update
from bench.network import Network
from bench.records import Signature
from bench.seeding import Stream, on_grid
from tests.specs import member

STEPS = 20


def gradients(name: str, shape: tuple[int, ...]) -> Tensor:
    drawn = on_grid(Stream("portable", name, seed=0).normal(shape))
    return torch.from_numpy(drawn).float()


def network_of(architecture: str) -> Network:
    spec = member("architecture", architecture, hidden_size=24)
    network: Network = discovery.build("architecture", spec).build(
        Signature(input_size=2, output_size=3)
    )
    network.initialise(seed=3)
    return network


def initial_weights(architecture: str) -> list[Tensor]:
    return [parameter.detach() for parameter in network_of(architecture).parameters()]


def optimised(name: str) -> list[Tensor]:
    optimizer = discovery.build("optimizer", member("optimizer", name))
    parameters = gradients("start", (1003,))  # not a multiple of any vector's length
    state = optimizer.start(parameters)
    for step in range(STEPS):
        gradient = gradients(f"step {step}", (1003,)) * 3.0**step
        optimizer.update(parameters, gradient, state, optimizer.lr)
    return [parameters, *state.vectors.values()]


@torch.no_grad()
def mitigated(name: str) -> list[Tensor]:
    rule: Mitigation = discovery.build("mitigation", member("mitigation", name))
    network = network_of("rnn_tanh")
    rule.prepare(network, 3)
    memory = rule.start()
    for step in range(1, STEPS + 1):
        previous = {key: parameter.clone() for key, parameter in network.named_parameters()}
        for key, parameter in network.named_parameters():
            parameter.grad = gradients(f"{key} {step}", tuple(parameter.shape)) * 1.5**step
        elements = [g for p in network.parameters() if p.grad is not None for g in p.grad.flatten()]
        size = math.sqrt(math.fsum(float(g) ** 2 for g in elements))
        update = Update(step, STEPS, 0.01 * rule.schedule(step, STEPS), size, memory)
        rule.transform(network, update)
        for parameter in network.parameters():
            if parameter.grad is not None and not update.skip:
                parameter -= parameter.grad * update.learning_rate
        rule.project(network, update, previous)
    return [parameter.detach() for parameter in network.parameters()]


def digest(tensors: list[Tensor]) -> str:
    sha = hashlib.sha256()
    for tensor in tensors:
        sha.update(tensor.numpy().tobytes())
    return sha.hexdigest()[:16]


def digests() -> dict[str, str]:
    """Initial weights of all architectures; updates of all optimisers and portable mitigations."""
    mitigations = discovery.members("mitigation").values()
    return (
        {name: digest(initial_weights(name)) for name in discovery.members("architecture")}
        | {name: digest(optimised(name)) for name in discovery.members("optimizer")}
        | {m.name: digest(mitigated(m.name)) for m in mitigations if m.facts["portable"]}
    )


if __name__ == "__main__":
    for name, value in digests().items():
        print(name, value)
