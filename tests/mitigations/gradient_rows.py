"""Rows of gradients, spikes among them, and what the rules make of them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tests.mitigations.workbench import Workbench

ZCLIP = {"decay": 0.9, "z_threshold": 2.0, "warmup": 5, "cap": math.inf}
ADAGC = {"ratio": 1.2, "beta": 0.8, "threshold": 2.0, "warmup": 4}
SPAM = {"threshold": 10.0, "beta": 0.7, "interval": 6, "warmup": 3}
AGC = {"threshold": 0.05, "eps": 1e-3}


def drawn(bench: Workbench, step: int, size: float = 1.0) -> dict[str, Tensor]:
    """Gradients put in place, a spike among them every now and then; float64 copies of them."""
    generator = torch.Generator().manual_seed(step)
    values = torch.randn(bench.flat.gradients.shape, generator=generator) / 8
    bench.flat.gradients.copy_(values * (size * (40.0 if step % 7 == 6 else 1.0)))
    return {name: gradient.double() for name, gradient in bench.gradients.items()}


def clipped(bench: Workbench, steps: int = 20, size: float = 1.0) -> list[Tensor]:
    """What becomes of a row of gradients, divided by `size` again."""
    found = []
    for step in range(steps):
        drawn(bench, step, size)
        bench.transform()
        found.append(bench.flat.gradients.double() / size)
    return found


def flat(gradients: dict[str, Tensor]) -> Tensor:
    return torch.cat([gradient.flatten() for gradient in gradients.values()])
