"""Where the files are that are not Python."""

from pathlib import Path

PACKAGE = Path(__file__).parent
# A checkout holds conf/ beside the package; a wheel carries it inside.
CONF = PACKAGE.parent / "conf" if (PACKAGE.parent / "conf").is_dir() else PACKAGE / "conf"
