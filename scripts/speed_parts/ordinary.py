"""The script that most repositories of papers hold: nn.RNN, torch.optim, one process, Hydra.

`python ordinary.py architecture=gru seed=3` trains one run; others import `train` and call it run
after run. It does what `bench run task=adding mitigation=clip_norm` does, and records less.
"""

from __future__ import annotations

from dataclasses import dataclass

import hydra
import torch
from hydra.core.config_store import ConfigStore
from torch import Tensor, nn


@dataclass
class Config:
    architecture: str = "rnn_tanh"
    seed: int = 0
    length: int = 100
    hidden_size: int = 64
    batch_size: int = 32
    steps: int = 200
    evaluations: int = 25
    evaluation_size: int = 256
    lr: float = 0.01
    threshold: float = 1.0


LAYERS = {"rnn_tanh": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


class Network(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.layer = LAYERS[config.architecture](2, config.hidden_size)
        self.readout = nn.Linear(config.hidden_size, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        states, _ = self.layer(inputs)
        return self.readout(states[-1])


def adding(length: int, size: int) -> tuple[Tensor, Tensor]:
    values = torch.rand(length, size)
    markers = torch.zeros(length, size)
    half = length // 2
    everyone = torch.arange(size)
    markers[torch.randint(0, half, (size,)), everyone] = 1
    markers[torch.randint(half, length, (size,)), everyone] = 1
    return torch.stack([values, markers], dim=-1), (values * markers).sum(0)[:, None]


def train(config: Config) -> float:
    torch.manual_seed(config.seed)
    network = Network(config)
    optimizer = torch.optim.SGD(network.parameters(), lr=config.lr)
    held_out = adding(config.length, config.evaluation_size)
    error = float("nan")
    for step in range(1, config.steps + 1):
        inputs, targets = adding(config.length, config.batch_size)
        loss = nn.functional.mse_loss(network(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), config.threshold)
        optimizer.step()
        if step % max(1, config.steps // config.evaluations) == 0:
            with torch.no_grad():
                error = nn.functional.mse_loss(network(held_out[0]), held_out[1]).item()
    return error


ConfigStore.instance().store(name="ordinary", node=Config)


@hydra.main(version_base=None, config_name="ordinary")
def main(config: Config) -> None:
    print(train(config))


if __name__ == "__main__":
    main()
