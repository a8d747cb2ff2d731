from __future__ import annotations

from collections.abc import Callable

import made_up_runs
import pytest

from bench import discovery


@pytest.fixture
def member_files(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The member files of the made-up runs; call it to have some `edited` or `gone`."""

    def now(**changes: tuple[str, ...]) -> None:
        monkeypatch.setattr(
            discovery, "members", lambda kind: made_up_runs.members(kind, **changes)
        )

    now()
    return now
