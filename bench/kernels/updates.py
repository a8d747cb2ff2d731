"""What the optimisers do to the vector of all parameters [N], in place and in one pass."""

from __future__ import annotations

from torch import Tensor

from bench.kernels.engine import call, expect


def sgd(parameters: Tensor, gradients: Tensor, rate: float) -> None:
    """theta <- theta - rate g."""
    _alike(parameters, gradients)
    call("sgd", parameters.dtype, parameters.numel(), parameters, gradients, float(rate))


def momentum(
    parameters: Tensor, gradients: Tensor, velocity: Tensor, rate: float, decay: float
) -> None:
    """v <- decay v + g, theta <- theta - rate v."""
    _alike(parameters, gradients, velocity)
    call(
        "momentum",
        parameters.dtype,
        parameters.numel(),
        parameters,
        gradients,
        velocity,
        float(rate),
        float(decay),
    )


def rmsprop(
    parameters: Tensor, gradients: Tensor, average: Tensor, rate: float, decay: float, eps: float
) -> None:
    """v <- decay v + (1 - decay) g^2, theta <- theta - rate g / (sqrt(v) + eps)."""
    _alike(parameters, gradients, average)
    call(
        "rmsprop",
        parameters.dtype,
        parameters.numel(),
        parameters,
        gradients,
        average,
        float(rate),
        float(decay),
        1 - float(decay),
        float(eps),
    )


def adam(
    parameters: Tensor,
    gradients: Tensor,
    average: Tensor,
    square: Tensor,
    rate: float,
    betas: tuple[float, float],
    powers: tuple[float, float],
    eps: float,
) -> None:
    """m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2,
    theta <- theta - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps).

    `powers` are beta1^t and beta2^t.
    """
    _alike(parameters, gradients, average, square)
    scalars = [float(rate)]
    for beta, power in zip(betas, powers, strict=True):
        scalars += [float(beta), 1 - float(beta), 1 - float(power)]
    call(
        "adam",
        parameters.dtype,
        parameters.numel(),
        parameters,
        gradients,
        average,
        square,
        *scalars,
        float(eps),
    )


def _alike(parameters: Tensor, *others: Tensor) -> None:
    expect(parameters.dtype, *((other, parameters.shape) for other in others))
