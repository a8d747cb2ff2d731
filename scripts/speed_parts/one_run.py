"""Train two updates at the length given (0: import alone) and print this process's peak memory."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))


def main(length: int) -> None:
    from bench.machine import peak_memory
    from bench.training.run import run
    from speed_parts.growth import specification

    run(specification(length=length or 10, steps=3))
    print(peak_memory())


if __name__ == "__main__":
    main(int(sys.argv[1]))
