"""A few draws of every sort; run as a script, it prints their digests."""

from __future__ import annotations

import hashlib

import numpy as np

from bench.initial_weights import draw
from bench.seeding import Stream, on_grid

DIGESTS = {
    "uniform": "4be85ec1067cfa4c",
    "normal": "d7153126df40ddde",
    "gaussian": "7cf7e2061824576d",
    "orthogonal": "fbae2d53bec0d386",
    "tall": "06fab2cd565b4d93",
    "integers": "3e7811b715ff0633",
    "permutation": "65b469e51bf820ea",
}


def draws() -> dict[str, np.ndarray]:
    def stream() -> Stream:
        return Stream("golden", seed=0)

    return {
        "uniform": stream().uniform((1000,)),
        "normal": on_grid(stream().normal((1000,))),
        "gaussian": draw("gaussian", (50, 20), 1.5, stream()),
        "orthogonal": draw("orthogonal", (50, 50), 1.0, stream()),
        "tall": draw("orthogonal", (50, 20), 0.5, stream()),
        "integers": stream().integers(-3, 7, (1000,)),
        "permutation": stream().permutation(1000),
    }


def digest(array: np.ndarray) -> str:
    sha = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()[:16]


def digests() -> dict[str, str]:
    return {name: digest(array) for name, array in draws().items()}


if __name__ == "__main__":
    print(digests())
