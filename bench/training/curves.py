"""What is written down along a run: when, and what."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bench.records import CURVE_COLUMNS, FLOW_COLUMNS


def regular_steps(steps: int, evaluations: int) -> list[int]:
    """`evaluations` steps spread evenly over 1..steps, the last one among them."""
    count = min(steps, evaluations)
    return [-(-steps * index // count) for index in range(1, count + 1)]


def early_steps(before: int) -> list[int]:
    """1, 2, 5, 10, 20, 50, ... below `before`: explosions come early."""
    series = [digit * 10**power for power in range(len(str(before))) for digit in (1, 2, 5)]
    return [step for step in series if step < before]


def probe_steps(steps: int) -> list[int]:
    """1, 10, 100, ...: the updates at which |dL/dh| is kept for every position."""
    return [10**power for power in range(len(str(steps))) if 10**power <= steps]


@dataclass
class CurveRecorder:
    """Gathers every update, and writes a row (CURVE_COLUMNS) at an evaluation."""

    _rows: list[dict[str, float]] = field(default_factory=list)
    _flow: list[np.ndarray] = field(default_factory=list)  # each [positions, 3]
    _losses: list[float] = field(default_factory=list)
    _norms: list[float] = field(default_factory=list)
    _transformed: list[float] = field(default_factory=list)
    _clipped: list[bool] = field(default_factory=list)
    _skipped: list[bool] = field(default_factory=list)

    def update(
        self,
        *,
        loss: float,
        gradient_norm: float,
        transformed_norm: float,
        clipped: bool,
        skipped: bool,
    ) -> None:
        self._losses.append(loss)
        self._norms.append(gradient_norm)
        self._transformed.append(transformed_norm)
        self._clipped.append(clipped)
        self._skipped.append(skipped)

    def row(
        self,
        *,
        step: int,
        learning_rate: float,
        update_to_weight_ratio: float,
        validation_loss: float,
        validation_metric: float,
    ) -> None:
        self._rows.append(
            {
                "step": step,
                "learning_rate": learning_rate,
                "training_loss": _mean(self._losses),
                # np.max carries a NaN on; Python's max() depends on where it stands.
                "training_loss_max": float(np.max(self._losses)),
                "gradient_norm": self._norms[-1],
                "gradient_norm_max": float(np.max(self._norms)),
                "transformed_gradient_norm": self._transformed[-1],
                "transformed_gradient_norm_max": float(np.max(self._transformed)),
                "clip_fraction": _mean(self._clipped),
                "skip_fraction": _mean(self._skipped),
                "update_to_weight_ratio": update_to_weight_ratio,
                "validation_loss": validation_loss,
                "validation_metric": validation_metric,
            }
        )
        for gathered in (
            self._losses,
            self._norms,
            self._transformed,
            self._clipped,
            self._skipped,
        ):
            gathered.clear()

    def probe(self, step: int, norms: np.ndarray) -> None:
        """|dL/dh| [positions] at update `step`."""
        positions = np.arange(len(norms))
        self._flow.append(np.stack([np.full(len(norms), step), positions, norms], axis=1))

    @property
    def curves(self) -> dict[str, np.ndarray]:
        return {name: np.array([row[name] for row in self._rows]) for name in CURVE_COLUMNS}

    @property
    def flow(self) -> dict[str, np.ndarray]:
        table = np.concatenate(self._flow) if self._flow else np.zeros((0, len(FLOW_COLUMNS)))
        return {name: table[:, index].copy() for index, name in enumerate(FLOW_COLUMNS)}


def _mean(values: list[float] | list[bool]) -> float:
    """Summed one by one, so that the result does not depend on the instruction set."""
    return sum(values) / len(values)
