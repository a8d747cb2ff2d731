"""Whether a stored run still says what the present code would say."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from bench import discovery, records
from bench.records import MemberSpec, Outcome, RunSpec
from bench.results.encoding import members_digest


class Status(StrEnum):
    """A run that is not current is run again."""

    CURRENT = "current"
    STALE = "stale"  # a result of another engine or of other member files
    FAILED = "failed"  # no result


def member_key(kind: str, member: MemberSpec) -> str:
    return f"{kind}/{member.name}"


class Currency:
    """Compares what runs were made with to what is there now.

    The member files are looked at once: make a new one to see later edits.
    """

    def __init__(self) -> None:
        self._digests: dict[tuple[str, ...], str | None] = {}

    def status(
        self, *, spec: RunSpec, outcome: Outcome, semantics_version: int, digest: str
    ) -> Status:
        """`digest` is the members_digest that was stored with the run."""
        if not outcome.is_result:
            return Status.FAILED
        same = semantics_version == records.SEMANTICS_VERSION and digest == self.members(spec)
        return Status.CURRENT if same else Status.STALE

    def members(self, spec: RunSpec) -> str | None:
        """The members_digest of a run of `spec` made now; None where a member's file is gone."""
        keys = tuple(member_key(kind, member) for kind, member in spec.members)
        if keys not in self._digests:
            digests = digests_of(spec.members)
            gone = None in digests.values()
            self._digests[keys] = None if gone else members_digest(digests)
        return self._digests[keys]


def digests_of(members: Iterable[tuple[str, MemberSpec]]) -> dict[str, str | None]:
    """ "kind/name" -> SHA-256 of the member's file, None where there is no such file."""
    found = {}
    for kind, member in members:
        known = discovery.members(kind).get(member.name)
        found[member_key(kind, member)] = known.digest if known else None
    return found
