"""The file of a packed store: the bytes of a SQLite file, compressed by xz, whole or not at all."""

from __future__ import annotations

import lzma
import os
from pathlib import Path

from bench.plain_text import one_line
from bench.records import BadInput

LIMIT = 2**30
"""Bytes, packed or unpacked: it is held in memory. A run with its curves takes 6 KB."""
_DECODER_MEMORY = 2**27  # bytes; the largest that xz itself chooses takes half of it
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 2**22}]
"""Rows that resemble each other stand together: the dictionary of preset 9 alone, sixteen times as
large, takes 700 MB to write and saves half a percent."""


def write_packed(content: bytes, file: Path) -> int:
    """Compresses `content` into `file`, and returns how many bytes that takes.

    The same content gives the same bytes. A reader finds the old file or the new one, never a part
    of either. Raises BadInput where it is too large, or cannot be written.
    """
    if len(content) > LIMIT:
        raise BadInput(f"{file}: a packed store holds up to {LIMIT} bytes; pack fewer runs")
    packed = lzma.compress(content, filters=_FILTERS)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as stream:
            stream.write(packed)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(file)
    except OSError as error:
        raise BadInput(f"{file}: cannot be written: {error.strerror or error}") from error
    finally:
        _forget(unfinished)
    return len(packed)


def read_packed(file: Path) -> bytearray:
    """What was packed. Raises BadInput where the file is damaged, or unpacks to too much."""
    decoder = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_DECODER_MEMORY)
    try:
        too_large = file.stat().st_size > LIMIT
        content = b"" if too_large else decoder.decompress(file.read_bytes(), LIMIT + 1)
    except OSError as error:
        raise BadInput(f"{file}: cannot be read: {error.strerror}") from error
    except lzma.LZMAError as error:
        raise _damaged(file, one_line(str(error))) from error
    if too_large or len(content) > LIMIT:
        raise BadInput(f"{file}: unpacks to more than {LIMIT} bytes, which no store of ours does")
    if not decoder.eof:
        raise _damaged(file, "it ends too early")
    if decoder.unused_data:
        raise _damaged(file, "something follows its end")
    return bytearray(content)


def _damaged(file: Path, why: str) -> BadInput:
    return BadInput(f"{file}: is damaged ({why}); restore it from a copy")


def _forget(unfinished: Path) -> None:
    try:
        unfinished.unlink(missing_ok=True)
    except OSError:  # its folder was never made
        return
