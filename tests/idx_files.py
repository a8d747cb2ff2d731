"""Small image sets in the format of MNIST, for tests: random pixels, and labels that recur."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np

from bench.datasets import FILES

TRAINING, TEST = 1200, 150
IMAGES, LABELS = FILES["training images"], FILES["training labels"]


def pixels_and_labels(part: str) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [N, 28, 28] and [N], always the same."""
    count = TRAINING if part == "training" else TEST
    random = np.random.Generator(np.random.Philox(count))
    pixels = random.integers(0, 256, (count, 28, 28)).astype(np.uint8)
    return pixels, (np.arange(count) * 7 % 10).astype(np.uint8)


def write_idx(folder: Path, *, compressed: bool) -> None:
    """The four files of a data set into `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("training", "test"):
        for what, array in zip(("images", "labels"), pixels_and_labels(part), strict=True):
            header = struct.pack(f">I{array.ndim}I", 0x0800 + array.ndim, *array.shape)
            data = header + array.tobytes()
            name = FILES[f"{part} {what}"]
            if compressed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(data, 1))
            else:
                (folder / name).write_bytes(data)
