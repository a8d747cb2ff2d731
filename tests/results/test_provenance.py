"""Provenance is complete, and neither it nor a traceback says whose machine it was."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import traceback
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import bench
from bench import paths
from bench.kernels import levels
from bench.results import provenance
from bench.results.schema import PROVENANCE_FIELDS
from bench.results.store import Store
from bench.results.tracebacks import clean_traceback
from tests.results import made_up_runs as made_up

ROOT = Path(__file__).parents[2]

CANARIES = {
    "HOME": "/tmp/canary-home-of-a-person",
    "USER": "canaryuser",
    "LOGNAME": "canarylogname",
    "HOSTNAME": "canary-host-7",
    "MADE_UP_SECRET": "canary/secret+value==",
}

# A worker that collects its provenance and fails with all that it should not tell.
WORKER = """
import os, sys, traceback
sys.path.insert(0, sys.argv[1])
from tests.results import made_up_runs as made_up
from bench.results.provenance import collect
from bench.results.store import Store
spec = made_up.spec()
provenance = collect(spec)
try:
    import json
    json.loads("{" + str(dict(os.environ)))
except ValueError:
    told = traceback.format_exc() + str(dict(os.environ)) + str(os.uname())
    told += f"FileNotFoundError: '{os.environ['HOME']}/data/x.gz' of {os.environ['USER']}"
with Store.open(sys.argv[2]) as store:
    store.put(made_up.record(spec), provenance)
    store.put(made_up.failed(made_up.spec(1), told), provenance)
"""


def test_every_field_is_collected_and_stored(tmp_path: Path, member_files: object) -> None:
    collected = provenance.collect(made_up.spec())
    assert set(collected) == set(PROVENANCE_FIELDS)
    assert [name for name, value in collected.items() if value in ("", "unknown")] == []
    assert collected["kernels"] == levels.in_words()
    assert collected["suite_version"] == bench.__version__
    assert collected["member_digests"] == made_up.provenance()["member_digests"]
    age = datetime.now(UTC) - datetime.fromisoformat(collected["started_at"])
    assert 0 <= age.total_seconds() < 60
    with Store.open(tmp_path) as store:
        store.put(made_up.record(), collected)
        (run,) = store.rows()
        assert run.provenance == collected
        assert run.status == "current"


def test_the_flags_are_those_of_the_process() -> None:
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        torch.use_deterministic_algorithms(True)
        collected = provenance.collect(made_up.spec())
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)
        torch.use_deterministic_algorithms(False)
    flags = ("torch_threads", "flush_denormal", "deterministic_algorithms")
    assert [collected[name] for name in flags] == [1, True, True]
    after = provenance.collect(made_up.spec())
    assert [after[name] for name in flags] == [threads, False, False]


def test_nothing_personal_is_in_the_bytes_of_the_store(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WORKER, str(ROOT), str(tmp_path / "store")]
    subprocess.run(command, env=os.environ | CANARIES, check=True)
    content = b"".join(path.read_bytes() for path in (tmp_path / "store").iterdir())
    assert b"JSONDecodeError" in content
    personal = [*CANARIES.values(), socket.gethostname(), str(Path.home()), sys.prefix]
    assert [word for word in personal if word.encode() in content] == []


def test_a_traceback_keeps_what_failed_and_where() -> None:
    try:
        traceback.extract_tb(None).format(nonsense=1)  # type: ignore[call-arg]
    except TypeError:
        text = traceback.format_exc()
    cleaned = clean_traceback(text)
    assert 'File "tests/results/test_provenance.py", line' in cleaned
    assert "in test_a_traceback_keeps_what_failed_and_where" in cleaned
    assert cleaned.endswith(text.splitlines()[-1] + "\n")
    assert clean_traceback(cleaned) == cleaned


@pytest.mark.parametrize(
    ("told", "cleaned"),
    [
        (
            'File "{packages}/torch/nn/modules/rnn.py"',
            'File "torch/nn/modules/rnn.py"',
        ),
        ('File "{stdlib}/json/decoder.py"', 'File "json/decoder.py"'),
        ('File "{checkout}/bench/training/run.py"', 'File "bench/training/run.py"'),
        ('File "/data/thesis/my_mitigation.py"', 'File "my_mitigation.py"'),
        (
            'File "<frozen importlib._bootstrap>"',
            'File "<frozen importlib._bootstrap>"',
        ),
        ("no such file: '{checkout}/conf/x.yaml'", "no such file: './conf/x.yaml'"),
        ("no such file: '/tmp/canary-home/data'", "no such file: '~/data'"),
        ("no such file: '/tmp/canary-home-2/data'", "no such file: '<HOME>-2/data'"),
        ("no such file: '/tmp/pytest-of-canary/x'", "no such file: '/tmp/pytest-of-<USER>/x'"),
        ("mitigation=canary_mitigation", "mitigation=canary_mitigation"),
        ("key 0123456789abcdef refused", "key <TEST_API_KEY> refused"),
        ("hyphens of key 0123456789abcdefg", "hyphens of key 0123456789abcdefg"),
        ("one thread: 1", "one thread: 1"),
    ],
)
def test_what_is_cleaned(told: str, cleaned: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/tmp/canary-home")
    monkeypatch.setenv("USER", "canary")
    monkeypatch.setenv("TEST_API_KEY", "0123456789abcdef")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    places = {
        "checkout": paths.PACKAGE.parent,
        "stdlib": sysconfig.get_path("stdlib"),
        "packages": "/home/someone/.venv/lib/python3.11/site-packages",
    }
    for name, place in places.items():
        told = told.replace("{" + name + "}", str(place))
    assert clean_traceback(told) == cleaned


def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert clean_traceback("TypeError") == "TypeError"


@pytest.fixture
def fresh_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_git", "_code_digest"):
        monkeypatch.setattr(provenance, name, getattr(provenance, name).__wrapped__)


@pytest.mark.usefixtures("fresh_caches")
def test_the_code_digest_is_that_of_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same in a checkout and in a wheel, whatever else lies about; another for other code."""
    checkout, wheel = tmp_path / "checkout", tmp_path / "wheel"
    for root, conf in ((checkout, checkout / "conf"), (wheel, wheel / "bench" / "conf")):
        (root / "bench" / "tasks").mkdir(parents=True)
        (conf / "task").mkdir(parents=True)
        (root / "bench" / "tasks" / "adding.py").write_text("x = 1\n")
        (conf / "task" / "adding.yaml").write_text("length: 100\n")

    def digest(root: Path, conf: Path) -> str:
        monkeypatch.setattr(provenance, "PACKAGE", root / "bench")
        monkeypatch.setattr(provenance, "CONF", conf)
        return provenance._code_digest()

    def digests() -> tuple[str, str]:
        in_checkout = digest(checkout, checkout / "conf")
        return in_checkout, digest(wheel, wheel / "bench" / "conf")

    before = digests()
    assert before[0] == before[1]
    (checkout / "bench" / "__pycache__").mkdir()
    (checkout / "bench" / "__pycache__" / "adding.cpython-311.pyc").write_bytes(b"x")
    assert digests() == before
    (checkout / "bench" / "tasks" / "adding.py").write_text("x = 2\n")
    (wheel / "bench" / "conf" / "task" / "adding.yaml").write_text("length: 200\n")
    assert len({*digests(), *before}) == 3


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.usefixtures("fresh_caches")
def test_git_is_asked_about_the_checkout_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    identity = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]

    def git(folder: Path, *arguments: str) -> str:
        command = ["git", *who, *arguments]
        environment = os.environ | identity
        return subprocess.check_output(command, cwd=folder, env=environment, text=True).strip()

    unknown = {"git_commit": None, "git_dirty": None}
    with TemporaryDirectory() as name:
        root = Path(name)
        (root / "bench").mkdir()
        (root / "bench" / "a.py").write_text("x = 1\n")
        monkeypatch.setattr(provenance, "PACKAGE", root / "bench")
        assert provenance._git() == unknown
        git(root, "init", "-q")
        git(root, "add", ".")
        git(root, "commit", "-q", "-m", "one")
        commit = git(root, "rev-parse", "HEAD")
        assert provenance._git() == {"git_commit": commit, "git_dirty": False}
        monkeypatch.setenv("GIT_DIR", "/nonsense")
        (root / "bench" / "b.py").write_text("x = 1\n")
        assert provenance._git() == {"git_commit": commit, "git_dirty": True}
        monkeypatch.setattr(provenance, "PACKAGE", root / "site-packages" / "bench")
        assert provenance._git() == unknown
        monkeypatch.setattr(provenance, "PACKAGE", root / "bench")
        monkeypatch.setenv("PATH", "")
        assert provenance._git() == unknown


def test_reading_a_store_reaches_neither_torch_nor_wandb() -> None:
    script = (
        "import sys, bench.results.combining, bench.results.checking, bench.results.mirroring\n"
        "print([name for name in ('torch', 'wandb', 'pandas', 'pyarrow') if name in sys.modules])"
    )
    output = subprocess.check_output([sys.executable, "-c", script], text=True)
    assert output.strip() == "[]"
