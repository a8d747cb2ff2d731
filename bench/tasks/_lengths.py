"""The random length of the sequences of H&S 1997 and of Pascanu et al. 2013."""

from __future__ import annotations

from bench.seeding import Stream


def random_length(stream: Stream, length: int) -> int:
    """A whole number in [T, 1.1 T), each as likely."""
    end = -(-11 * length // 10)  # 1.1 T rounded up, which a float may miss
    return int(stream.integers(length, end, (1,))[0])
