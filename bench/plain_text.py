"""Words for a message or a screen: one line, and nothing that a terminal obeys."""

from __future__ import annotations

from collections.abc import Iterable


def one_line(text: str, length: int = 100) -> str:
    """`text` without line breaks or control characters, cut to `length`."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= length else flat[: length - 3] + "..."


def ranges(numbers: Iterable[int], most: int = 20) -> str:
    """[0, 1, 2, 3, 17] -> "0 to 3, 17", in the order given; past `most` entries it is cut."""
    runs = neighbours(numbers)
    words = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return ", ".join(words[:most] + ["..."] * (len(words) > most))


def neighbours(numbers: Iterable[int]) -> list[list[int]]:
    """[0, 1, 2, 3, 17] -> [[0, 1, 2, 3], [17]], in the order given."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs
