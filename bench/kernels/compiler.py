"""From the C source to a loaded library: compiled on first use, kept in the user's cache.

One library holds the kernels for one type of number and one width of vectors. It is named by all
that decides its content (source, compiler, flags, processor), so an old one is never taken for a
new one, and it appears in the cache as a whole, also where many processes want it at once.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parent / "source"
FLAGS = (
    *("-O3", "-shared", "-fPIC", "-std=gnu11"),
    "-fvisibility=protected",  # the kernels call one another, never what another library calls so
    "-fwrapv",  # the bits of a NaN, taken for an integer, overflow; and the gates are faster so
    "-ffp-contract=off",  # a b + c is fused where the source says so, and nowhere else
    "-fno-math-errno",  # these two change no value, but let the compiler use vectors
    "-fno-trapping-math",
)
LEVELS = {
    # bytes of a vector (0: one number), rows and vectors of a product's tile, other flags
    "avx512": (64, 6, 4, ("-march=native",)),
    "avx2": (32, 6, 2, ("-march=native", "-mno-avx512f")),
    "scalar": (0, 4, 4, ("-march=native",)),
}
_UNFINISHED = ".unfinished-"  # how the name of a file begins that is being written
_DIGEST = hashlib.sha256().digest_size


class CannotCompile(Exception):  # noqa: N818
    """There is no C compiler, or it refuses. The message is one line."""


def processor_levels() -> list[str]:
    """The levels that this processor can run, fastest first."""
    flags = set(_processor_flags().split())
    levels = []
    if {"avx512f", "avx512dq", "avx512vl", "avx512bw"} <= flags:
        levels.append("avx512")
    if {"avx2", "fma"} <= flags:
        levels.append("avx2")
    return [*levels, "scalar"]


def compiler() -> str | None:
    """The C compiler: $CC, or the first of cc, gcc, clang that there is."""
    names = (os.environ.get("CC", ""), "cc", "gcc", "clang")
    return next((found for name in names if name and (found := shutil.which(name))), None)


def load(level: str, bits: int) -> ctypes.CDLL:
    """The library for float32 (`bits` = 32) or float64 (64). Raises CannotCompile."""
    command = command_for(level, bits)
    key = hashlib.sha256()
    for part in (*command, compiler_version(), platform.machine(), _processor_flags()):
        key.update(part.encode() + b"\0")
    for path in sorted(SOURCE.glob("*.[ch]")):
        key.update(path.name.encode() + b"\0" + path.read_bytes())
    name = f"kernels-{level}-float{bits}-{key.hexdigest()[:16]}.so"
    reason = ""
    for folder in _folders():
        try:
            return _loaded(command, folder / name)
        except OSError as error:  # not writable, full, or mounted without the right to execute
            reason = str(error)
    raise CannotCompile(f"no folder to keep compiled kernels in ({reason}): set XDG_CACHE_HOME")


@cache
def compiler_version() -> str:
    """The first line of `cc --version`, or "none"."""
    found = compiler()
    if found is None:
        return "none"
    try:
        answer = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return answer.stdout.partition("\n")[0].strip()


def command_for(level: str, bits: int) -> list[str]:
    """All but where to write it. Raises CannotCompile."""
    found = compiler()
    if found is None:
        raise CannotCompile("no C compiler (cc, gcc or clang): install one, or set CC to it")
    width, rows, vectors, flags = LEVELS[level]
    return [
        found,
        *FLAGS,
        *flags,
        f"-DREAL_BITS={bits}",
        f"-DVECTOR_BYTES={width or bits // 8}",
        f"-DROWS={rows}",
        f"-DVECTORS={vectors}",
        str(SOURCE / "kernels.c"),
    ]


def _loaded(command: list[str], path: Path) -> ctypes.CDLL:
    """The library at `path`, compiled if it is missing or damaged. Raises OSError."""
    if not _is_whole(path):
        with _locked(path.parent):
            if not _is_whole(path):  # another process may have compiled it meanwhile
                _compile(command, path)
    return ctypes.CDLL(str(path))


def _is_whole(path: Path) -> bool:
    """Whether the digest at the end of the file is its content's: a cut one kills who loads it."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return hashlib.sha256(content[:-_DIGEST]).digest() == content[-_DIGEST:]


def _compile(command: list[str], target: Path) -> None:
    for left in target.parent.glob(f"{_UNFINISHED}*"):  # by a process that was killed
        left.unlink(missing_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=_UNFINISHED, delete=False) as file:
        temporary = Path(file.name)
    try:
        try:
            answer = subprocess.run(  # noqa: S603
                [*command, "-o", str(temporary), "-lm"], capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise CannotCompile(f"{command[0]} cannot be run: {error.strerror}") from None
        if answer.returncode:
            lines = [line for line in answer.stderr.splitlines() if "error" in line]
            reason = (lines or answer.stderr.splitlines() or ["no message"])[0].strip()
            raise CannotCompile(f"{command[0]} cannot compile the kernels: {reason}")
        with temporary.open("ab") as file:  # what follows its last section is no part of a library
            file.write(hashlib.sha256(temporary.read_bytes()).digest())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process compiles; the others wait for it. The kernel lets go of a dead one's lock."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _folders() -> Iterator[Path]:
    """Where a library may be kept: the user's cache, else a folder of this process's own."""
    name = "exploding-gradient-benchmark"
    base = os.environ.get("XDG_CACHE_HOME", "")
    with suppress(RuntimeError):  # no home
        yield (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / name
    yield _own_folder()


@cache
def _own_folder() -> Path:
    import atexit

    folder = Path(tempfile.mkdtemp(prefix="kernels-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _processor_flags() -> str:
    """The instruction sets, as the system names them; empty where it does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("flags")), "")
