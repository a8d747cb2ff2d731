"""What of a store is not current any more, and why, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bench import records
from bench.results.currency import digests_of
from bench.results.store import Status, Store, StoredRun


def not_current(store: Store) -> str | None:
    """ "4 of 60 runs are stale: mitigation clip_norm has changed; 1 of 60 failed"

    None where every run is current. Raises BadInput where the store is damaged.
    """
    counts: Counter[Status] = Counter()
    changed: set[str] = set()
    for run, count in store.made_alike():
        status = run.status
        counts[status] += count
        if status is Status.STALE:
            changed |= set(_changed(run))
    found = []
    if num_stale := counts[Status.STALE]:
        has = "has" if len(changed) == 1 else "have"
        what = f"{num_stale} of {counts.total()} runs are stale"
        found.append(f"{what}: {', '.join(sorted(changed))} {has} changed")
    if num_failed := counts[Status.FAILED]:
        found.append(f"{num_failed} of {counts.total()} failed")
    return "; ".join(found) or None


def _changed(run: StoredRun) -> Iterator[str]:
    """What the run was made with that is not the same now; what is gone has changed too."""
    if run.semantics_version != records.SEMANTICS_VERSION:
        yield "the engine"
    then, now = run.provenance["member_digests"], digests_of(run.record.spec.members)
    for key in sorted(then.keys() | now.keys()):
        if then.get(key) != now.get(key):
            yield key.replace("/", " ")
