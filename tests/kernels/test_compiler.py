"""From source to library in every environment: no compiler, a broken one, many at once, killed."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bench.kernels import compiler, levels
from bench.records import BadInput
from tests.kernels.arithmetic import COMPILED, arithmetic, needs_a_compiler

HERE = Path(__file__).parents[2]
FOLDER = "exploding-gradient-benchmark"  # in the user's cache
CHOOSES = """
from bench.kernels import levels
from bench.records import BadInput
try:
    level = levels.level()
    print(level, levels.why_torch())
    if level != "torch":
        levels.library(level, 64)
except BadInput as error:
    print("BadInput", error)
"""
LOADS = """
import ctypes
from bench.kernels import compiler
for bits, number in ((32, ctypes.c_float), (64, ctypes.c_double)):
    try:
        norm = compiler.load(compiler.processor_levels()[0], bits).norm
    except compiler.CannotCompile as error:
        print(error)
    else:
        norm.restype = ctypes.c_double
        print(norm(ctypes.c_long(2), (number * 2)(3.0, 4.0)))
"""
LOADED = ["5.0", "5.0"]


def environment(cache: Path, **other: str | None) -> dict[str, str]:
    """This one but for BENCH_KERNELS and the cache; None takes a variable away."""
    changed = {levels.VARIABLE: None, "XDG_CACHE_HOME": str(cache), **other}
    everything = {**os.environ, **changed}
    return {name: value for name, value in everything.items() if value is not None}


def prints(program: str, cache: Path, **other: str | None) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=HERE,
        env=environment(cache, **other),
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def executable(path: Path, script: str) -> str:
    path.write_text(script)
    path.chmod(0o755)
    return str(path)


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A compiler that has the libraries in its pocket: here, files and processes are at stake."""
    level = COMPILED[0]
    found = {bits: compiler.load(level, bits)._name for bits in (32, 64)}
    return executable(
        tmp_path_factory.mktemp("compiler") / "ready-cc",
        f"""#!/bin/sh
[ "$1" = --version ] && echo "ready 1.0" && exit
case "$*" in *REAL_BITS=32*) from={found[32]};; *) from={found[64]};; esac
while [ "$1" != -o ]; do shift; done
sleep 0.2
[ -n "$COUNTED" ] && echo "$2" >> $COUNTED
cat $from > "$2"
""",
    )


def libraries(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / FOLDER).glob("*.so"))


def the_two(cache: Path) -> bool:
    """There is one library for each type, and nothing else but the lock."""
    names = sorted(path.name for path in (cache / FOLDER).iterdir())
    stems = [name.rpartition("-")[0] for name in names]
    expected = [f"kernels-{COMPILED[0]}-float{bits}" for bits in (32, 64)]
    return stems == [*expected, ""] and names[2] == "lock"


@pytest.fixture
def filled(ready: str, tmp_path: Path) -> Path:
    assert prints(LOADS, tmp_path, CC=ready) == LOADED
    assert the_two(tmp_path)
    return tmp_path


NO_COMPILER = "no C compiler (cc, gcc or clang): install one, or set CC to it"


def test_without_a_compiler_the_twins_are_chosen_and_say_why(tmp_path: Path) -> None:
    said = prints(CHOOSES, tmp_path, PATH=str(tmp_path), CC=None)
    assert said == [f"torch {NO_COMPILER}"]


def test_without_a_compiler_the_twins_run(tmp_path: Path) -> None:
    program = "import torch; from bench.kernels.norms import norm; print(norm(torch.ones(4)))"
    assert prints(program, tmp_path, PATH=str(tmp_path), CC=None) == ["2.0"]


@pytest.mark.parametrize("wanted", COMPILED)
def test_a_level_that_was_asked_for_does_not_turn_into_another(tmp_path: Path, wanted: str) -> None:
    said = prints(CHOOSES, tmp_path, PATH=str(tmp_path), CC=None, BENCH_KERNELS=wanted)
    way_out = "; mend that, or set BENCH_KERNELS=torch"
    assert said == [f"{wanted} ", f"BadInput {NO_COMPILER}{way_out}"]


def test_whoever_asks_for_torch_is_told_no_reason(tmp_path: Path) -> None:
    assert prints(CHOOSES, tmp_path, BENCH_KERNELS="torch") == ["torch "]
    assert not libraries(tmp_path)


@needs_a_compiler
def test_the_best_level_is_chosen(ready: str, tmp_path: Path) -> None:
    assert prints(CHOOSES, tmp_path, CC=ready) == [f"{COMPILED[0]} "]


def test_a_level_that_does_not_exist_is_bad_input(tmp_path: Path) -> None:
    assert prints(CHOOSES, tmp_path, BENCH_KERNELS="nonsense") == [
        "BadInput BENCH_KERNELS=nonsense: choose one of avx512, avx2, scalar, torch, or unset it"
    ]


def test_a_level_that_the_processor_lacks_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "processor_levels", lambda: ["scalar"])
    monkeypatch.setenv(levels.VARIABLE, "avx512")
    levels._level.cache_clear()
    with pytest.raises(BadInput) as caught:
        levels.level()
    assert str(caught.value) == (
        "BENCH_KERNELS=avx512: this processor has no such instructions; "
        "choose scalar, torch, or unset it"
    )


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx avx2 fma avx512f avx512dq avx512vl avx512bw", ["avx512", "avx2", "scalar"]),
        ("fpu avx avx2 fma avx512f", ["avx2", "scalar"]),
        ("fpu avx avx2", ["scalar"]),
        ("", ["scalar"]),
    ],
)
def test_the_levels_follow_the_processors_flags(
    monkeypatch: pytest.MonkeyPatch, flags: str, expected: list[str]
) -> None:
    monkeypatch.setattr(compiler, "_processor_flags", lambda: flags)
    assert compiler.processor_levels() == expected


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("#!/bin/sh\nexit 1\n", "{cc} cannot compile the kernels: no message"),
        (
            "#!/bin/sh\necho 'In function' >&2; echo 'a.c:1: error: no such thing' >&2; exit 1\n",
            "{cc} cannot compile the kernels: a.c:1: error: no such thing",
        ),
        ("this is no program", "{cc} cannot be run: Exec format error"),
    ],
)
def test_a_compiler_that_fails_is_named(tmp_path: Path, script: str, reason: str) -> None:
    broken = executable(tmp_path / "broken-cc", script)
    assert prints(LOADS, tmp_path, CC=broken) == [reason.format(cc=broken)] * 2
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["lock"]


def test_with_a_compiler_that_fails_the_twins_are_chosen(tmp_path: Path) -> None:
    said = prints(CHOOSES, tmp_path, CC="/bin/false")
    assert said == ["torch /bin/false cannot compile the kernels: no message"]


def test_a_compiler_that_makes_no_library_is_found_out(tmp_path: Path) -> None:
    """It says that all is well, and what it wrote cannot be loaded."""
    script = '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\necho text > "$2"\n'
    said = prints(LOADS, tmp_path, CC=executable(tmp_path / "broken-cc", script))
    assert all("no folder to keep compiled kernels in (" in line for line in said)


@needs_a_compiler
def test_processes_that_start_at_once_make_one_library_for_each_type(
    ready: str, tmp_path: Path
) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", LOADS],
            cwd=HERE,
            env=environment(tmp_path, CC=ready, COUNTED=str(tmp_path / "compilations")),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    for process in processes:
        assert process.communicate()[0].splitlines() == LOADED
        assert process.returncode == 0
    assert the_two(tmp_path)
    assert len((tmp_path / "compilations").read_text().splitlines()) == 2


@needs_a_compiler
def test_a_library_is_compiled_once(ready: str, filled: Path) -> None:
    def times() -> list[int]:
        return [(filled / FOLDER / name).stat().st_mtime_ns for name in libraries(filled)]

    before = times()
    assert prints(LOADS, filled, CC=ready) == LOADED
    assert times() == before


@needs_a_compiler
def test_another_source_compiler_or_level_is_another_library(
    ready: str, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", ready)
    monkeypatch.setenv("XDG_CACHE_HOME", str(filled))
    compiler.load(COMPILED[0], 32)
    counts = [len(libraries(filled))]

    def count() -> None:
        compiler.load(COMPILED[0], 32)
        counts.append(len(libraries(filled)))

    source = filled / "source"
    shutil.copytree(compiler.SOURCE, source)
    monkeypatch.setattr(compiler, "SOURCE", source)
    (source / "losses.h").write_text((source / "losses.h").read_text() + "/* edited */\n")
    count()
    monkeypatch.setattr(compiler, "compiler_version", lambda: "cc 99")
    count()
    monkeypatch.setattr(compiler, "FLAGS", (*compiler.FLAGS, "-g"))
    count()
    monkeypatch.setattr(compiler, "_processor_flags", lambda: "another processor")
    count()
    compiler.load("scalar", 32)
    assert [*counts, len(libraries(filled))] == [counts[0] + more for more in range(6)]


@needs_a_compiler
@pytest.mark.parametrize("damage", ["empty", "text", "cut", "byte", "zeros"])
def test_a_damaged_library_is_compiled_anew(ready: str, filled: Path, damage: str) -> None:
    """A file that is cut short would end the process that loads it, with a bus error."""
    path = next((filled / FOLDER).glob("*float32*.so"))
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(
        {
            "empty": b"",
            "text": b"no library\n",
            "cut": whole[:middle],
            "byte": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
            "zeros": whole[:middle] + bytes(len(whole) - middle),
        }[damage]
    )
    assert prints(LOADS, filled, CC=ready) == LOADED
    assert path.read_bytes() == whole
    assert the_two(filled)


@needs_a_compiler
@pytest.mark.parametrize("whole_group", [True, False], ids=["group", "process alone"])
def test_a_killed_compilation_leaves_nothing_that_is_loaded(
    ready: str, tmp_path: Path, whole_group: bool
) -> None:
    """Killed alone, the process leaves its compiler running: it must not write where we load."""
    started = tmp_path / "started"
    hanging = executable(
        tmp_path / "hanging-cc",
        f"""#!/bin/sh
while [ "$1" != -o ]; do shift; done
printf half > "$2"
touch {started}
sleep 60
""",
    )
    # The name of a library holds its compiler's: one path for both.
    compiler_path = tmp_path / "cc"
    compiler_path.symlink_to(hanging)
    process = subprocess.Popen(
        [sys.executable, "-c", LOADS],
        cwd=HERE,
        env=environment(tmp_path, CC=str(compiler_path)),
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not started.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    running = psutil.Process(process.pid).children(recursive=True)
    assert running
    if whole_group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
    try:
        assert not libraries(tmp_path)
        assert len(list((tmp_path / FOLDER).iterdir())) == 2  # the lock, and the half
        compiler_path.unlink()
        compiler_path.symlink_to(ready)
        assert prints(LOADS, tmp_path, CC=str(compiler_path)) == LOADED
        assert the_two(tmp_path)
    finally:
        for one in running:
            if one.is_running():
                one.kill()


@needs_a_compiler
def test_a_whole_library_is_loaded_without_the_lock(ready: str, filled: Path) -> None:
    """As in a cache that others filled and nobody can write to."""
    (filled / FOLDER / "lock").unlink()
    (filled / FOLDER / "lock").mkdir()  # opening it fails, for root too
    before = libraries(filled)
    assert prints(LOADS, filled, CC=ready, TMPDIR=str(filled / "none")) == LOADED
    assert libraries(filled) == before


@needs_a_compiler
@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_cache_that_is_read_only_is_read(ready: str, filled: Path) -> None:
    (filled / FOLDER).chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert prints(LOADS, filled, CC=ready, TMPDIR=str(filled / "none")) == LOADED


@needs_a_compiler
@pytest.mark.parametrize("cache", ["a file", "relative", "no home"])
def test_without_a_cache_a_process_keeps_its_own_and_cleans_up(
    ready: str, tmp_path: Path, cache: str
) -> None:
    (tmp_path / "file").touch()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    where: dict[str, str | None] = {
        "a file": {"XDG_CACHE_HOME": str(tmp_path / "file")},
        "relative": {"XDG_CACHE_HOME": "relative", "HOME": str(tmp_path / "file")},
        "no home": {"XDG_CACHE_HOME": None, "HOME": "/proc/nobody"},
    }[cache]
    assert prints(LOADS, tmp_path, **where, TMPDIR=str(temporary), CC=ready) == LOADED
    assert not list(temporary.iterdir())
    assert not (HERE / "relative").exists()


def test_a_user_whom_the_system_does_not_know_has_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert list(compiler._folders()) == [compiler._own_folder()]


@needs_a_compiler
def test_a_home_without_a_cache_gets_one(ready: str, tmp_path: Path) -> None:
    assert prints(LOADS, tmp_path, XDG_CACHE_HOME=None, HOME=str(tmp_path), CC=ready) == LOADED
    assert the_two(tmp_path / ".cache")
    assert stat.S_IMODE((tmp_path / ".cache" / FOLDER).stat().st_mode) == 0o700


@needs_a_compiler
@pytest.mark.parametrize("name", ["gcc", "clang"])
@pytest.mark.parametrize("level", compiler.LEVELS)
def test_the_source_has_no_warnings(name: str, level: str) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"no {name} here")
    processor = ["-march=skylake-avx512"] if level not in COMPILED else []
    for bits in (32, 64):
        flags = "-Wall", "-Wextra", "-Werror", "-fsyntax-only"
        command = [name, *compiler.command_for(level, bits)[1:], *processor, *flags]
        ran = subprocess.run(command, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr[:2000]


RESULTS = """
import torch
from bench.kernels.engine import call
from tests.kernels.catalogue import cases
for case in cases(torch.float32, extreme=False):
    if case.kernel in ("norm", "layer_norm", "stack_forward", "stack_backward", "lstm_backward"):
        arguments, written = case.fresh()
        result = call(case.kernel, case.dtype, *arguments)
        print(case, result, [tensor.double().sum().item() for tensor in written])
"""


@needs_a_compiler
def test_functions_of_the_same_names_in_other_libraries_are_not_called(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names as short as these may be in any library that was loaded for all to see."""
    source, other = tmp_path / "other.c", tmp_path / "other.so"
    names = ("norm", "sum", "sum_of_squares", "largest", "linear", "elementwise", "all_finite")
    source.write_text("".join(f"double {name}(void) {{ return 42; }}\n" for name in names))
    shared = [str(compiler.compiler()), "-shared", "-fPIC", "-w", "-o", str(other), str(source)]
    subprocess.run(shared, check=True)
    with arithmetic(COMPILED[0]):
        exec(RESULTS)
    user = Path(compiler.load(COMPILED[0], 32)._name).parents[1]  # no compilation for this
    assert prints(RESULTS, user, LD_PRELOAD=str(other)) == capsys.readouterr().out.splitlines()
