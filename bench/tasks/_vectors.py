"""What the generated tasks for feed-forward networks share: fresh examples for every update."""

from __future__ import annotations

from abc import abstractmethod

from bench.seeding import Stream
from bench.tasks import Batch, Part, Task


class GeneratedVectors(Task):
    """A task whose examples [batch, features] are drawn afresh for every update."""

    @abstractmethod
    def generate(self, stream: Stream, size: int, seed: int) -> Batch:
        """`size` independent examples of the problem that `seed` stands for."""

    def training_batch(self, step: int, seed: int) -> Batch:
        stream = Stream("training data", self.name, step, seed=seed)
        return self.generate(stream, self.batch_size, seed)

    def evaluation_batch(self, part: Part, seed: int) -> Batch:
        stream = Stream(f"{part} data", self.name, seed=seed)
        return self.generate(stream, self.evaluation_size, seed)
