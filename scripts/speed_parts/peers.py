"""JAX as a peer: in a process and an environment of its own, so that it bends nothing here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENT = HERE.parents[1] / ".venv-peers" / "bin" / "python"
"""Made by `make peers`."""


class Peer:
    """The process of jax_peer.py, which does one thing at a time when it is told to."""

    seeds = 8  # trained together by vmap

    def __init__(self, python: Path) -> None:
        one_thread = {
            "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
            "JAX_PLATFORMS": "cpu",
            "OMP_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [str(python), str(HERE / "jax_peer.py"), str(self.seeds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | one_thread,
            preexec_fn=_on_one_core,
        )
        self.version = self._answer()

    def ready(
        self, cell: str, steps: int, hidden: int, batch: int, inputs: int
    ) -> Callable[[], object]:
        """A function that runs one training step of all seeds, and returns when it is done."""
        self._ask(f"make {cell} {steps} {hidden} {batch} {inputs}")
        return lambda: self._ask("run")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise RuntimeError(
                "the JAX peer has ended; run scripts/speed_parts/jax_peer.py by hand"
            )
        return line


def find_peer() -> Peer | None:
    """The peer where there is an environment for it; else None, and a word on how to make one."""
    if not ENVIRONMENT.is_file():
        print("JAX is skipped: no .venv-peers; make it with: make peers", file=sys.stderr)
        return None
    return Peer(ENVIRONMENT)


def _on_one_core() -> None:
    """XLA's own pool heeds no thread count on some versions; a process on one core must."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
