"""Files of others: found where they should be, refused in one line where they are damaged."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench import datasets
from bench.records import BadInput
from tests.idx_files import IMAGES, LABELS, TRAINING, pixels_and_labels, write_idx

PLACES = ("BENCH_DATA", "home", "debian")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """The three places in their order, all in a folder of the test's own, none of them there."""
    found = {place: tmp_path / place for place in PLACES}
    monkeypatch.setenv("BENCH_DATA", str(found["BENCH_DATA"]))
    monkeypatch.setattr(datasets, "OURS", found["home"])
    monkeypatch.setattr(datasets, "DEBIAN", found["debian"])
    return found


@pytest.fixture
def folder(places: dict[str, Path]) -> Path:
    return places["BENCH_DATA"] / "mnist"


@pytest.mark.parametrize("compressed", [False, True])
def test_what_is_written_as_idx_is_read_again(folder: Path, compressed: bool) -> None:
    write_idx(folder, compressed=compressed)
    for part in ("training", "test"):
        pixels, labels = getattr(datasets.images("mnist"), part)
        expected = pixels_and_labels(part)
        assert np.array_equal(pixels, expected[0])
        assert np.array_equal(labels, expected[1])
        assert pixels.dtype == np.uint8
        assert not pixels.flags.writeable


def test_the_digest_is_that_of_the_contents_however_they_are_stored(
    places: dict[str, Path],
) -> None:
    write_idx(places["BENCH_DATA"] / "mnist", compressed=False)
    write_idx(places["BENCH_DATA"] / "fashion-mnist", compressed=True)
    assert datasets.digest("mnist") == datasets.digest("fashion-mnist")
    other = places["home"] / "mnist"
    write_idx(other, compressed=False)
    image = other / IMAGES
    image.write_bytes(image.read_bytes()[:-1] + b"\x07")
    (places["BENCH_DATA"] / "mnist").rename(places["BENCH_DATA"] / "away")
    assert datasets.digest("mnist") != datasets.digest("fashion-mnist")


def test_the_first_place_that_holds_it_counts(places: dict[str, Path]) -> None:
    for first in range(3):
        for place in PLACES[first:]:
            write_idx(places[place] / "mnist", compressed=False)
        assert datasets._folder("mnist") == places[PLACES[first]] / "mnist"
        for file in (places[PLACES[first]] / "mnist").iterdir():
            file.unlink()
    assert "not found" in datasets.problem("mnist")


def test_nothing_is_looked_for_in_the_current_folder(
    places: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_idx(tmp_path / "mnist", compressed=False)
    monkeypatch.chdir(tmp_path)
    assert "not found" in datasets.problem("mnist")
    for relative in (".", "here"):
        monkeypatch.setenv("BENCH_DATA", relative)
        assert "must be a whole path" in datasets.problem("mnist")
    monkeypatch.setenv("BENCH_DATA", "")
    assert "$BENCH_DATA is not set" in datasets.problem("mnist")


def test_what_is_missing_comes_with_the_way_to_get_it(places: dict[str, Path]) -> None:
    fashion, mnist = datasets.problem("fashion-mnist"), datasets.problem("mnist")
    assert fashion.endswith("apt-get install dataset-fashion-mnist")
    assert "train-images-idx3-ubyte" in mnist
    assert str(places["home"] / "mnist") in mnist
    for place in places.values():
        assert str(place / "mnist") in mnist
    with pytest.raises(BadInput, match="there is none such; one of fashion-mnist, mnist"):
        datasets.images("cifar")


def cut(data: bytes) -> bytes:
    return data[:-1]


def header(count: int, rows: int, columns: int) -> Callable[[bytes], bytes]:
    return lambda data: struct.pack(">IIII", 0x0803, count, rows, columns) + data[16:]


DAMAGES: list[tuple[str, Callable[[bytes], bytes], str]] = [
    (IMAGES, lambda _: b"", "begins with nothing"),
    (IMAGES, lambda data: b"\x00\x00\x0d\x03" + data[4:], "begins with 00000d03 and not with 0000"),
    (IMAGES, lambda data: b"<html>" + data, "no IDX file of bytes in 3 dimensions"),
    (IMAGES, lambda data: data[:9], "ends within its header"),
    (IMAGES, cut, "bytes of data where its header tells of"),
    (IMAGES, lambda data: data + b"\x00", "bytes of data where its header tells of"),
    (IMAGES, header(TRAINING, 14, 56), "images of 14 x 56 pixels, not 28 x 28"),
    (IMAGES, header(2**31, 28, 28), "where its header tells of 1683627180032"),
    (IMAGES, header(5, 28, 28), "holds 5 entries, fewer than 6"),
    (LABELS, lambda data: struct.pack(">II", 0x0801, 7) + data[8:15], "7 labels for"),
    (LABELS, lambda data: data[:-1] + b"\x0a", "label 10 at position"),
    (LABELS, lambda data: b"\x00\x00\x08\x03" + data[4:], "in 1 dimensions"),
]


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(("name", "damage", "fragment"), DAMAGES)
def test_a_damaged_file_is_refused_in_one_line(
    folder: Path,
    compressed: bool,
    name: str,
    damage: Callable[[bytes], bytes],
    fragment: str,
) -> None:
    write_idx(folder, compressed=compressed)
    file = folder / (f"{name}.gz" if compressed else name)
    data = gzip.decompress(file.read_bytes()) if compressed else file.read_bytes()
    file.write_bytes(gzip.compress(damage(data)) if compressed else damage(data))
    said = datasets.problem("mnist")
    assert fragment in said
    assert str(file) in said
    assert said.isprintable()
    assert "put the published file there again" in said


@pytest.mark.parametrize(
    ("damage", "fragment"),
    [
        (lambda data: data[: len(data) // 2], "end-of-stream"),
        (lambda data: b"no gzip", "Not a gzipped file"),
        (lambda data: data[:40] + bytes([data[40] ^ 0xFF]) + data[41:], "cannot be read"),
    ],
)
def test_a_damaged_gz_is_refused(
    folder: Path, damage: Callable[[bytes], bytes], fragment: str
) -> None:
    write_idx(folder, compressed=True)
    file = folder / f"{IMAGES}.gz"
    file.write_bytes(damage(file.read_bytes()))
    said = datasets.problem("mnist")
    assert fragment in said
    assert str(file) in said
    assert said.isprintable()


def test_a_missing_file_of_four_is_no_reason_to_look_elsewhere(places: dict[str, Path]) -> None:
    for place in PLACES[:2]:
        write_idx(places[place] / "mnist", compressed=False)
    file = places["BENCH_DATA"] / "mnist" / LABELS
    file.unlink()
    assert f"{file}: missing" in datasets.problem("mnist")


def test_debians_own_files_are_mended_by_its_package(places: dict[str, Path]) -> None:
    write_idx(places["debian"] / "fashion-mnist", compressed=True)
    (places["debian"] / "fashion-mnist" / f"{LABELS}.gz").unlink()
    assert datasets.problem("fashion-mnist").endswith(
        "apt-get install --reinstall dataset-fashion-mnist"
    )


def test_more_than_is_read_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_idx(folder, compressed=True)
    monkeypatch.setattr(datasets, "MOST_BYTES", 1000)
    assert "more than 1,000 bytes" in datasets.problem("mnist")


LINES = "A line of a text.\n" * 1000


@pytest.mark.parametrize("ending", [".txt", ".txt.gz"])
def test_a_text_is_its_lines_and_its_digest(places: dict[str, Path], ending: str) -> None:
    file = places["home"] / "text" / f"mine{ending}"
    file.parent.mkdir(parents=True)
    data = LINES.replace("\n", "\r\n").encode()
    file.write_bytes(gzip.compress(data) if ending.endswith("gz") else data)
    assert datasets.text("mine") == LINES
    assert datasets.digest("text/mine") == hashlib.sha256(LINES.encode()).hexdigest()


@pytest.mark.parametrize(
    ("data", "fragment"),
    [
        (LINES.encode() + "é".encode(), "line 1001: holds the byte 0xc3"),
        (LINES.encode() + b"a\tb", r"line 1001: holds the character '\t'"),
        (LINES.encode()[:9_999], "9999 characters, fewer than 10000"),
    ],
)
def test_a_text_of_anything_but_ascii_or_too_short_is_refused(
    places: dict[str, Path], data: bytes, fragment: str
) -> None:
    file = places["BENCH_DATA"] / "text" / "mine.txt"
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    said = datasets.problem("text/mine")
    assert said.startswith(str(file))
    assert fragment in said
    assert said.isprintable()


@pytest.mark.parametrize("title", ["", "../mnist/x", "a/b", ".hidden", "a\nb", "/etc/passwd"])
def test_a_text_is_no_path(places: dict[str, Path], title: str) -> None:
    assert "letters, digits" in datasets.problem(f"text/{title}")


def test_a_missing_text_names_the_places_and_those_there_are(places: dict[str, Path]) -> None:
    said = datasets.problem("text/nowhere")
    assert str(places["BENCH_DATA"] / "text") in said
    assert "persuasion" in said


def test_the_embedded_text_is_the_same_whatever_stands_elsewhere(places: dict[str, Path]) -> None:
    before = datasets.digest("text/persuasion")
    file = places["BENCH_DATA"] / "text" / "persuasion.txt"
    file.parent.mkdir(parents=True)
    file.write_text(LINES)
    assert datasets.digest("text/persuasion") == before
    assert before.startswith("53746fe0394dc1d1")


def test_it_needs_no_torch() -> None:
    code = "import sys, bench.datasets; sys.exit('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_the_name_of_a_data_set_may_depend_on_a_setting() -> None:
    assert datasets.named("text/{text}", {"text": "mine", "length": 7}) == "text/mine"
    assert datasets.named("mnist", {"length": 7}) == "mnist"
