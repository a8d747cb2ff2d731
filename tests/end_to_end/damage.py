"""What may stand in a store that was never put there."""

from __future__ import annotations

import random
import zlib
from typing import Any

import numpy as np

from bench.results.encoding import table_to_blob


def values(run: str) -> list[Any]:
    """What may stand in a column that was never put there."""
    packed = zlib.compress(b"junk"), zlib.compress(b"PK\x03\x04junk"), zlib.compress(b"")
    tables = (
        table_to_blob({"step": np.array([np.nan]), "training_loss": np.array([-np.inf])}),
        table_to_blob({"unheard_of": np.arange(3.0)}),
        table_to_blob({"step": np.zeros(0)}),
    )
    texts = ("", "x", "{}", "[]", "5", '"x"', "null", "{" * 5000, '{"a":' * 2000, "NaN", run)
    return [7, -1, 2**62, 0.5, b"", b"\xff\xfe", *packed, *tables, *texts]


def changed(value: Any, draw: random.Random) -> Any:
    """One entry somewhere inside `value` is gone or another."""
    if isinstance(value, dict) and value and draw.random() < 0.9:
        name = draw.choice(sorted(value))
        rest = {key: entry for key, entry in value.items() if key != name}
        return rest if draw.random() < 0.4 else rest | {name: changed(value[name], draw)}
    return draw.choice([None, [], {}, {"a": 1}, "x", -1, 10**30, 1e308, True])
