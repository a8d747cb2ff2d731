"""The file that W&B's client leaves of an offline run, read as far as it takes to see it is whole.

A log in LevelDB's format: 7 bytes of its own, then blocks of 32 KiB. A block holds chunks, each
after a header of checksum (4 bytes), length (2) and kind (1); a record is one chunk or several.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

BLOCK = 2**15
_HEADER = struct.Struct("<IHB")
_ENDS = (1, 4)  # the kinds of chunks that end a record: its only one, its last one


def records(file: Path) -> Iterator[bytes]:
    """The records, each a serialised protobuf message.

    Raises ValueError where something else follows than a whole record.
    """
    content = file.read_bytes()
    record, place = b"", _HEADER.size  # as long as what the file itself begins with
    while place < len(content):
        if (left := BLOCK - place % BLOCK) < _HEADER.size:  # no room for a chunk
            place += left
            continue
        chunk, ends = _chunk(content, place)
        record += chunk
        place += _HEADER.size + len(chunk)
        if ends:
            yield record
            record = b""
    if record:
        raise ValueError("the last record is cut short")


def _chunk(content: bytes, place: int) -> tuple[bytes, bool]:
    """What a chunk holds, and whether its record ends with it."""
    body = place + _HEADER.size
    if body > len(content):
        raise ValueError("the last chunk is cut short")
    checksum, length, kind = _HEADER.unpack(content[place:body])
    # The checksum is over kind and data.
    if zlib.crc32(content[body - 1 : body + length]) != checksum:
        raise ValueError("a chunk is damaged")
    return content[body : body + length], kind in _ENDS
