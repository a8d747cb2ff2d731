"""A whole offline file is told from one that was cut short."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from bench.results import mirroring
from bench.results.offline_file import BLOCK, records
from bench.results.wandb_sender import is_whole

RECORDS = [
    b"first",
    b"",
    b"x" * (BLOCK - 200),
    b"over the end of a block " * 20,
    b"y" * 3 * BLOCK,
    b"z",
]


def write(file: Path, kept: list[bytes]) -> Path:
    """As LevelDB does."""
    content = b":W&B\xe1\xbe\x00"
    for record in kept:
        rest, kinds = record, [1, 2]  # the only chunk, the first of several
        while True:
            room = BLOCK - len(content) % BLOCK - 7
            if room < 0:
                content += bytes(room + 7)
                continue
            chunk, rest = rest[:room], rest[room:]
            kind = bytes([kinds[bool(rest)]])
            content += struct.pack("<IH", zlib.crc32(kind + chunk), len(chunk)) + kind + chunk
            kinds = [4, 3]  # the last chunk, one in the middle
            if not rest:
                break
    file.write_bytes(content)
    return file


def test_records_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert list(records(write(tmp_path / "file", RECORDS))) == RECORDS


def test_a_block_that_ends_with_no_room_for_a_chunk(tmp_path: Path) -> None:
    for left in range(10):
        kept = [b"x" * (BLOCK - 14 - left), b"next"]
        assert list(records(write(tmp_path / "file", kept))) == kept


def test_wherever_it_is_cut_only_whole_records_count(tmp_path: Path) -> None:
    kept = [b"one", b"two" * 5, b"three"]
    whole = write(tmp_path / "whole", kept).read_bytes()
    ends = {7: 0, 17: 1, 39: 2, len(whole): 3}  # byte -> records up to there
    for length in range(7, len(whole) + 1):
        (tmp_path / "cut").write_bytes(whole[:length])
        if length in ends:
            assert list(records(tmp_path / "cut")) == kept[: ends[length]]
        else:
            with pytest.raises(ValueError, match=r"cut short|damaged"):
                list(records(tmp_path / "cut"))


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    whole = bytearray(write(tmp_path / "file", [b"one", b"two"]).read_bytes())
    whole[-2] ^= 1
    (tmp_path / "file").write_bytes(whole)
    with pytest.raises(ValueError, match="damaged"):
        list(records(tmp_path / "file"))


@pytest.mark.usefixtures("nobodys_environment")
def test_a_file_of_wandbs_is_whole_with_its_last_record_alone(folder: Path) -> None:
    mirroring.sync(folder, "offline")
    files = list((folder / "wandb").glob("offline-run-*/*.wandb"))
    assert len(files) == 3
    for file in files:
        assert is_whole(file)
        *_, last = records(file)
        file.write_bytes(file.read_bytes()[: -len(last) - 7])
        assert not is_whole(file)
        file.write_bytes(b"")
        assert not is_whole(file)
