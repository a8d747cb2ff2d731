"""Events: what goes wrong with the numbers. They are counted, the first is named, nothing ends."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

import torch
from torch import Tensor

from bench.kernels.norms import is_finite
from bench.kernels.tap import Tap
from bench.records import Event, EventKind
from bench.training.flat import FlatParameters


class EventLog:
    """Counts, for each kind, the updates that had it; keeps the first event of all."""

    def __init__(self) -> None:
        self.first: Event | None = None
        self.counts: Counter[str] = Counter()
        self._last_step: dict[EventKind, int] = {}

    def add(self, event: Event) -> None:
        if self.first is None:
            self.first = event
        if self._last_step.get(event.kind) != event.step:
            self._last_step[event.kind] = event.step
            self.counts[event.kind] += 1


def in_loss(loss: float, step: int, name: str = "loss") -> Iterable[Event]:
    if math.isnan(loss):
        yield Event(EventKind.LOSS_NAN, step, name)
    elif math.isinf(loss):
        yield Event(EventKind.LOSS_INF, step, name)


def in_activations(trace: list[Tap], step: int) -> Iterable[Event]:
    """The first layer, and its first time step, whose hidden state is not finite."""
    for layer, tap in enumerate(trace):
        bad = tap.nonfinite
        if bad is not None:
            kind = EventKind.ACTIVATION_NAN if bad.is_nan else EventKind.ACTIVATION_INF
            index, time_step = (layer, bad.position) if tap.over_time else (bad.position, None)
            yield Event(kind, step, f"hidden state of layer {index}", time_step)
            return


def in_gradients(flat: FlatParameters, norm: float, step: int) -> Iterable[Event]:
    """Non-finite elements; or finite ones whose squares leave the type of the gradient."""
    if not math.isfinite(norm):
        name, tensor = _first_not_finite(flat.by_name(flat.gradients))
        kind = _nan_or_inf(tensor, EventKind.GRADIENT_NAN, EventKind.GRADIENT_INF)
        yield Event(kind, step, name)
    elif norm > math.sqrt(torch.finfo(flat.gradients.dtype).max):
        gradients = flat.by_name(flat.gradients)
        largest = max(gradients, key=lambda name: float(gradients[name].abs().max()))
        yield Event(EventKind.GRADIENT_NORM_OVERFLOW, step, largest)


def in_optimizer_state(vectors: dict[str, Tensor], step: int) -> Iterable[Event]:
    for name, vector in vectors.items():
        if not is_finite(vector):
            yield Event(EventKind.OPTIMIZER_STATE_NONFINITE, step, name)
            return


def share_lost(vectors: dict[str, Tensor]) -> float:
    """Of the coordinates, those of which any vector [N] of the optimiser's state is not finite."""
    lost = torch.stack([~vector.isfinite() for vector in vectors.values()]).any(dim=0)
    return int(lost.sum()) / lost.numel()


def in_parameters(flat: FlatParameters, step: int) -> Iterable[Event]:
    # The whole vector first: a deep network has thousands of parameters, nearly always finite.
    if not is_finite(flat.values):
        name, tensor = _first_not_finite(flat.by_name(flat.values))
        kind = _nan_or_inf(tensor, EventKind.PARAMETER_NAN, EventKind.PARAMETER_INF)
        yield Event(kind, step, name)


def _first_not_finite(tensors: dict[str, Tensor]) -> tuple[str, Tensor]:
    return next((name, tensor) for name, tensor in tensors.items() if not is_finite(tensor))


def _nan_or_inf(tensor: Tensor, nan: EventKind, inf: EventKind) -> EventKind:
    return nan if bool(tensor.isnan().any()) else inf
