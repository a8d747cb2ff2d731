"""All that is generated for the paper, as the content of files below paper/generated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.records import BadInput
from bench.reporting.files import publish
from bench.reporting.paper.figures import figure_files
from bench.reporting.paper.macro import Macro
from bench.reporting.paper.macros import all_macros, macros_file
from bench.reporting.paper.manuscript import Manuscript, read
from bench.reporting.paper.material import Material
from bench.reporting.paper.tables import table_files

TEXT, GENERATED, MACROS = "paper.tex", "generated", "macros.tex"


def manuscript(paper: Path) -> Manuscript:
    """Raises BadInput where the folder `paper` has no text that can be read."""
    try:
        return read((paper / TEXT).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput(f"{paper / TEXT}: there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{paper / TEXT}: cannot be read as UTF-8 text ({error})") from error


def generated(
    materials: Sequence[Material],
    found: Mapping[str, Macro],
    text: Manuscript,
    processes: int = 1,
) -> Iterator[tuple[str, bytes]]:
    """(path below the folder, content): the numbers, tables and figures that the text uses, so that
    what changes in one of these files changes in the paper. `found`: all numbers of `materials`.

    The same runs give the same bytes.
    """
    used = {one.name for one in text.results}
    yield MACROS, macros_file({name: found[name] for name in found if name in used}).encode()
    included = {path.removeprefix(f"{GENERATED}/") for one in text.inclusions for path in one.paths}
    for material in materials:
        yield from (file for file in table_files(material) if file[0] in included)
        yield from figure_files(material, included, processes)


def write(materials: Sequence[Material], paper: Path, processes: int = 1) -> list[Path]:
    """Writes the folder `paper`/generated, all or nothing; what is no more generated is removed.

    Raises BadInput where the text cannot be read or the folder cannot be written.
    """
    files = generated(materials, all_macros(materials), manuscript(paper), processes)
    return publish(paper / GENERATED, files)
