"""Where the files are that are not Python, and which of a folder's files are meant."""

from pathlib import Path

PACKAGE = Path(__file__).parent
# A checkout holds conf/ beside the package; a wheel carries it inside.
CONF = PACKAGE.parent / "conf" if (PACKAGE.parent / "conf").is_dir() else PACKAGE / "conf"


def visible_files(folder: Path, suffix: str) -> list[Path]:
    """The files whose name ends in `suffix`, sorted: no folders, no dangling links, and none that
    begins with . (what editors and macOS leave) or _ (what is nobody's to select)."""
    return [
        path
        for path in sorted(folder.glob(f"*{suffix}"))
        if path.is_file() and not path.name.startswith((".", "_"))
    ]
