"""RunSpec -> RunRecord, a pure function: the same specification gives the same bits.

No clock, file or global random state enters, whichever process runs it and whatever ran there
before; only the data set of a task that reads one, whose digest is in the record. Only the costs at
the end of the record differ between two calls.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import parametrize

from bench import datasets, discovery
from bench.kernels import levels
from bench.kernels.tap import Watch
from bench.machine import forget_peak_memory, peak_memory
from bench.planning.at_hand import data_set
from bench.records import BadInput, Outcome, RunRecord, RunSpec, Setting
from bench.tasks import Batch, Part
from bench.training.assembly import DTYPES, assemble, tensors
from bench.training.curves import CurveRecorder, early_steps, probe_steps, regular_steps
from bench.training.events import EventLog, in_loss
from bench.training.outcome import OutcomeJudge, SolvedJudge, negligible_change
from bench.training.step import StepReport


def run(spec: RunSpec) -> RunRecord:
    """Train one network as `spec` says, on one thread, and tell what came of it."""
    wall, cpu = time.perf_counter(), time.process_time()
    forget_peak_memory()
    with _one_thread():
        record = _Run(spec).to_the_end()
    return replace(
        record,
        seconds=time.perf_counter() - wall,
        cpu_seconds=time.process_time() - cpu,
        peak_memory=peak_memory(),
    )


class _Run:
    def __init__(self, spec: RunSpec) -> None:
        self.spec = spec
        self.trainer = assemble(spec)
        self.task, self.network = self.trainer.task, self.trainer.network
        self.initial_digest = _digest(self.trainer.flat.values.double().numpy())
        self.curves, self.events = CurveRecorder(), EventLog()
        self.solved = SolvedJudge(spec.solved_checks)
        self.judge = OutcomeJudge(
            window=spec.window,
            steps=spec.steps,
            explosion_bound=self.task.explosion_bound,
            negligible=negligible_change(
                self.trainer.flat.scale, torch.finfo(DTYPES[spec.dtype]).eps, spec.steps
            ),
        )
        self._validation = self._tensors(self.task.evaluation_batch("validation", spec.seed))

    def to_the_end(self) -> RunRecord:
        spec = self.spec
        initial = self._evaluate("validation")
        regular = set(regular_steps(spec.steps, spec.evaluations))
        evaluated = regular | set(early_steps(min(regular)))
        probed = set(probe_steps(spec.steps))
        outcome, step = None, 0
        while outcome is None:
            step += 1
            report = self._update(step, probe=step in probed)
            outcome = self._judge(report)
            if outcome is not None or step in evaluated:
                loss, score = self._evaluate("validation")
                self.curves.row(
                    step=step,
                    learning_rate=report.learning_rate,
                    update_to_weight_ratio=self.trainer.update_to_weight_ratio(),
                    validation_loss=loss,
                    validation_metric=score,
                )
                if step in regular:
                    self.solved.after_evaluation(step, self.task.is_solved(loss, score))
            if step == spec.steps:  # a regular evaluation
                outcome = outcome or self._judge_the_last(step, loss)
            elif spec.stop_on_solved and self.solved.solved_step is not None:
                outcome = outcome or Outcome.COMPLETED
        return self._record(outcome, step, initial, (loss, score))

    def _update(self, step: int, *, probe: bool) -> StepReport:
        inputs, targets = self._batch(step)
        report = self.trainer.take(step, inputs, targets, probe=probe)
        self._note(step, report, probe=probe)
        return report

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        return self._tensors(self.task.training_batch(step, self.spec.seed))

    def _note(self, step: int, report: StepReport, *, probe: bool) -> None:
        for event in report.events:
            self.events.add(event)
        self.curves.update(
            loss=report.loss,
            gradient_norm=report.gradient_norm,
            transformed_norm=report.transformed_norm,
            clipped=report.clipped,
            skipped=report.skipped,
        )
        if probe and not self.network.trace:
            raise BadInput(
                f"architecture={self.spec.architecture.name}: its pass leaves no Tap in "
                "network.trace, so that dL/dh cannot be told; see bench/kernels/tap.py"
            )
        if probe:
            self.curves.probe(step, self.network.trace[-1].derivative_norms().numpy())

    def _judge(self, report: StepReport) -> Outcome | None:
        return self.judge.after_update(
            loss=report.loss,
            gradient_norm=report.gradient_norm,
            learning_rate=report.learning_rate,
            parameters_are_finite=report.parameters_are_finite,
            change_norm=report.change_norm,
            state_lost=report.state_lost,
        )

    def _judge_the_last(self, step: int, loss: float) -> Outcome:
        """An update that spoils the network shows in the next one's loss; the last has no next."""
        for event in in_loss(loss, step, "validation loss"):
            self.events.add(event)
        return self.judge.after_the_last(loss)

    def _evaluate(self, part: Part) -> tuple[float, float]:
        """(loss, metric) on the validation or the test part."""
        self.network.watch = Watch.NOTHING
        self.network.eval()
        inputs, targets = (
            self._validation
            if part == "validation"
            else self._tensors(self.task.evaluation_batch(part, self.spec.seed))
        )
        with torch.no_grad(), parametrize.cached():
            outputs = self.network(inputs)
            return float(self.task.loss(outputs, targets)), self.task.score(outputs, targets)

    def _tensors(self, batch: Batch) -> tuple[Tensor, Tensor]:
        return tensors(batch, self.spec.dtype)

    def _record(
        self,
        outcome: Outcome,
        step: int,
        initial: tuple[float, float],
        final: tuple[float, float],
    ) -> RunRecord:
        test_loss, test_metric = self._evaluate("test")
        return RunRecord(
            spec=self.spec,
            outcome=outcome,
            steps_done=step,
            solved_step=self.solved.solved_step,
            first_event=self.events.first,
            event_counts=dict(self.events.counts),
            scores={
                "initial_validation_loss": initial[0],
                "initial_validation_metric": initial[1],
                "final_validation_loss": final[0],
                "final_validation_metric": final[1],
                "test_loss": test_loss,
                "test_metric": test_metric,
            },
            facts=self._facts(),
            curves=self.curves.curves,
            flow=self.curves.flow,
        )

    def _facts(self) -> dict[str, Setting]:
        task = self.task
        first = task.training_batch(1, self.spec.seed)
        members = [discovery.member(kind, member.name) for kind, member in self.spec.members]
        return {
            "metric": task.metric_name,
            "higher_is_better": task.higher_is_better,
            "chance_loss": task.chance_loss,
            "chance_metric": task.chance_metric,
            "explosion_bound": task.explosion_bound,
            "num_parameters": self.trainer.flat.values.numel(),
            "portable": levels.level() != levels.TORCH
            and all(member.facts["portable"] for member in members),
            "initial_digest": self.initial_digest,
            "data_digest": _digest(first.inputs, first.targets),
            **self._data_set(),
        }

    def _data_set(self) -> dict[str, Setting]:
        name = data_set(self.spec.task)
        return {"dataset_digest": datasets.digest(name)} if name else {}


def _digest(*arrays: np.ndarray) -> str:
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()[:16]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Two threads on one run gain nothing here, and reductions would get other bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
