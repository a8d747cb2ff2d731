"""Whether a stored run still says what the present code would say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from bench import datasets, discovery, records
from bench.planning.at_hand import data_set
from bench.records import MemberSpec, Outcome, RunSpec
from bench.results.encoding import members_digest


class Status(StrEnum):
    """A run that is not current is run again."""

    CURRENT = "current"
    STALE = "stale"  # a result of another engine or of other member files
    FAILED = "failed"  # no result


DATA = "dataset/"


def member_key(kind: str, member: MemberSpec) -> str:
    return f"{kind}/{member.name}"


class Currency:
    """Compares what runs were made with to what is there now.

    The member files are looked at once: make a new one to see later edits.
    """

    def __init__(self) -> None:
        self._digests: dict[tuple[str, ...], str | None] = {}

    def status(
        self,
        *,
        spec: RunSpec,
        outcome: Outcome,
        semantics_version: int,
        digest: str,
        stored: Mapping[str, str | None] | None = None,
    ) -> Status:
        """`digest` is the members_digest that was stored with the run, `stored` what it is of: a
        data set that is not at hand to compare is then taken for the one that it was."""
        if not outcome.is_result:
            return Status.FAILED
        same = digest == self.members(spec) or self._only_data_is_missing(spec, stored or {})
        is_current = same and semantics_version == records.SEMANTICS_VERSION
        return Status.CURRENT if is_current else Status.STALE

    def members(self, spec: RunSpec) -> str | None:
        """The members_digest of a run of `spec` made now; None where a member's file, or a data
        set, is gone."""
        keys = (*(member_key(kind, member) for kind, member in spec.members), data_set(spec.task))
        if keys not in self._digests:
            digests = digests_of(spec.members)
            gone = None in digests.values()
            self._digests[keys] = None if gone else members_digest(digests)
        return self._digests[keys]

    def _only_data_is_missing(self, spec: RunSpec, stored: Mapping[str, str | None]) -> bool:
        if not data_set(spec.task) or self.members(spec) is not None:
            return False
        now = digests_of(spec.members)
        return all(
            value == stored.get(key) if value else key.startswith(DATA)
            for key, value in now.items()
        )


def digests_of(members: Iterable[tuple[str, MemberSpec]]) -> dict[str, str | None]:
    """ "kind/name" -> SHA-256 of the member's file, "dataset/name" -> that of a task's data set;
    None where there is no such."""
    found = {}
    for kind, member in members:
        known = discovery.members(kind).get(member.name)
        found[member_key(kind, member)] = known.digest if known else None
        if kind == "task" and (data := data_set(member)):
            found[f"{DATA}{data}"] = None if datasets.problem(data) else datasets.digest(data)
    return found
