"""Forecast a chaotic system: its gradients must explode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from bench.kernels.losses import mean_squared_error
from bench.records import Signature
from bench.seeding import Stream
from bench.settings import Annotated, EvaluationSize, PositiveInt, Range
from bench.tasks import Batch, GeneratedTask

SIGMA, RHO, BETA = 10.0, 28.0, 8 / 3
MEAN = np.array([0.0, 0.0, 23.55])
DEVIATION = np.array([7.92, 9.01, 8.62])
"""Of the attractor, measured over 2.4 x 10^5 time units and rounded."""
TRANSIENT, TRANSIENT_DT = 250, 0.02
"""Steps that are thrown away: 5 time units, in which a volume shrinks by exp(-68)."""


@dataclass(frozen=True, kw_only=True)
class Lorenz(GeneratedTask):
    """The Lorenz system, to be forecast: shown for a while, then to be run on freely.

        step      0    1   ...  C-1    C   C+1  ...  C+T-1
        input    s_0  s_1  ...  s_C-1  -    -   ...    -        (x, y, z, 1), or zeros for -
        target   s_1  s_2  ...  s_C   s_C+1    ...   s_C+T

    x' = 10 (y - x),  y' = x (28 - z) - y,  z' = x y - 8/3 z; Runge-Kutta of fourth order with step
    `dt`, from a random start whose first 5 time units are thrown away; coordinates standardised by
    fixed constants. C is `context`, T is `length`. Mean squared error over all steps; the metric is
    that of the T free-running steps alone. Predicting the mean always costs 1 (chance); a forecast
    that has the attractor right but has lost the phase costs 2, and far beyond the Lyapunov time
    1 / 0.906 nothing better than 1 can be had. Solved: a free-running error below 0.1, which at the
    default length (1 time unit) asks for more than going on in a straight line.

    The largest Lyapunov exponent is 0.906, so gradients of a network that has learned the system
    grow by exp(0.906 dt) a step (Mikhaeil et al., theorem 2: chaos makes them diverge, in every
    architecture). They judge by the geometry and the spectrum of generated trajectories (D_stsp,
    D_H); this error of a short forecast is not comparable.

    Reference: Lorenz 1963, Deterministic nonperiodic flow; Mikhaeil, Monfared & Durstewitz 2022,
    arXiv:2110.07238.
    """

    inputs: ClassVar[str] = "sequence"
    provides: ClassVar[tuple[str, ...]] = ("trajectory",)
    metric: ClassVar[str] = "free_running_mse"
    higher_is_better: ClassVar[bool] = False
    portable: ClassVar[bool] = True
    time_steps: ClassVar[tuple[str, int]] = ("length", 1)

    context: PositiveInt
    length: PositiveInt
    dt: Annotated[float, Range(at_least=1e-3, at_most=0.05)]
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: EvaluationSize

    @property
    def signature(self) -> Signature:
        return Signature(input_size=4, output_size=3, output_steps=self.context + self.length)

    @property
    def chance_loss(self) -> float:
        return 1.0

    @property
    def chance_metric(self) -> float:
        return 1.0

    def generate(self, stream: Stream, size: int) -> Batch:
        total = self.context + self.length
        states = standardised(trajectory(stream, size, total + 1, self.dt))
        inputs = np.zeros((total, size, 4), dtype=np.float32)
        inputs[: self.context, :, :3] = states[: self.context]
        inputs[: self.context, :, 3] = 1
        return Batch(inputs, states[1:].astype(np.float64))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return mean_squared_error(outputs, targets)

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        free, wanted = outputs[self.context :], targets[self.context :]
        return float(mean_squared_error(free.double(), wanted.double()))

    def is_solved(self, loss: float, score: float) -> bool:  # noqa: ARG002
        return score < 0.1


def standardised(states: np.ndarray) -> np.ndarray:
    """float32 [..., 3], of mean about 0 and variance about 1."""
    scaled: np.ndarray = ((states - MEAN) / DEVIATION).astype(np.float32)
    return scaled


def trajectory(stream: Stream, size: int, steps: int, dt: float) -> np.ndarray:
    """float64 [steps, size, 3]: states on the attractor, `dt` apart."""
    state = (MEAN + DEVIATION * (2 * stream.uniform((size, 3)) - 1)).T.copy()
    for _ in range(TRANSIENT):
        state = runge_kutta(state, TRANSIENT_DT)
    states = np.empty((steps, size, 3))
    for step in range(steps):
        states[step] = state.T
        state = runge_kutta(state, dt)
    return states


def runge_kutta(state: np.ndarray, dt: float) -> np.ndarray:
    """[3, ...] -> the state `dt` later. Sums and products alone: the same bits everywhere."""
    first = _velocity(state)
    second = _velocity(state + (dt / 2) * first)
    third = _velocity(state + (dt / 2) * second)
    fourth = _velocity(state + dt * third)
    after: np.ndarray = state + (dt / 6) * (first + 2 * (second + third) + fourth)
    return after


def _velocity(state: np.ndarray) -> np.ndarray:
    x, y, z = state
    velocity = np.empty_like(state)
    velocity[0] = SIGMA * (y - x)
    velocity[1] = x * (RHO - z) - y
    velocity[2] = x * y - BETA * z
    return velocity
