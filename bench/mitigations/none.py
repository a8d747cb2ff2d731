"""No mitigation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.mitigations import Mitigation


@dataclass(frozen=True, kw_only=True)
class NoMitigation(Mitigation):
    """No mitigation: the control that every other is compared with.

    A gradient that is not finite propagates.

    Reference: none.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ("alone",)
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
