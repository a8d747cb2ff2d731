"""Twins of source/updates.h, in + - x / sqrt alone: these have the bits of the C, everywhere."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def _root(values: Tensor) -> Tensor:
    """Rounded correctly. torch's own is MKL's where there is one: off in every fifth float32."""
    with np.errstate(invalid="ignore"):
        return torch.from_numpy(np.sqrt(values.numpy()))


def sgd(_: int, parameters: Tensor, gradients: Tensor, rate: float) -> None:
    parameters -= gradients * rate


def momentum(
    _: int, parameters: Tensor, gradients: Tensor, velocity: Tensor, rate: float, decay: float
) -> None:
    velocity *= decay
    velocity += gradients
    parameters -= velocity * rate


def rmsprop(
    _: int,
    parameters: Tensor,
    gradients: Tensor,
    average: Tensor,
    rate: float,
    decay: float,
    rest: float,
    eps: float,
) -> None:
    average *= decay
    average += gradients * gradients * rest
    parameters -= gradients * rate / (_root(average) + eps)


def adam(
    _: int,
    parameters: Tensor,
    gradients: Tensor,
    average: Tensor,
    square: Tensor,
    rate: float,
    beta1: float,
    rest1: float,
    left1: float,
    beta2: float,
    rest2: float,
    left2: float,
    eps: float,
) -> None:
    average *= beta1
    average += gradients * rest1
    square *= beta2
    square += gradients * gradients * rest2
    parameters -= average / left1 * rate / (_root(square / left2) + eps)
