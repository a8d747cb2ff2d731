"""The members that a grid combines, and which of them cannot work together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

from bench import discovery
from bench.discovery import KINDS, Member
from bench.plain_text import one_line
from bench.planning.plain_data import shown
from bench.records import BadInput

ALL = "all"
"""In place of a name: every member of the kind."""


class LeftOut(NamedTuple):
    """What was selected but cannot be run."""

    what: str
    reason: str


@dataclass(frozen=True)
class Combination:
    """One of each kind, but of mitigations any number that act together, in this order."""

    task: Member
    architecture: Member
    mitigation: tuple[Member, ...]
    optimizer: Member

    @property
    def members(self) -> tuple[Member, ...]:
        return (self.task, self.architecture, *self.mitigation, self.optimizer)


@dataclass(frozen=True)
class Selection:
    """What is selected of each kind, in the order given and without repeats."""

    task: tuple[Member, ...]
    architecture: tuple[Member, ...]
    mitigation: tuple[tuple[Member, ...], ...]
    optimizer: tuple[Member, ...]

    @property
    def members(self) -> dict[str, list[Member]]:
        """Kind -> its members, each once."""
        parts = [member for combination in self.mitigation for member in combination]
        return {
            "task": list(self.task),
            "architecture": list(self.architecture),
            "mitigation": list({member.name: member for member in parts}.values()),
            "optimizer": list(self.optimizer),
        }

    @property
    def names(self) -> dict[str, list[str]]:
        """As it would stand under `grid`."""
        return {
            "task": [member.name for member in self.task],
            "architecture": [member.name for member in self.architecture],
            "mitigation": [joined(combination) for combination in self.mitigation],
            "optimizer": [member.name for member in self.optimizer],
        }

    def combinations(self) -> tuple[list[Combination], list[LeftOut]]:
        """Those that can work, and the pairs that cannot; BadInput where nothing can."""
        fitting = []
        left_out: dict[LeftOut, None] = {}
        for parts in product(self.task, self.architecture, self.mitigation, self.optimizer):
            combination = Combination(*parts)
            problem = _problem(combination)
            if problem is None:
                fitting.append(combination)
            else:
                left_out[problem] = None
        if not fitting:
            first = next(iter(left_out))
            raise BadInput(f"{first.what}: {first.reason}; nothing is left to run")
        return fitting, list(left_out)


def select(grid: Mapping[str, Any], where: Mapping[str, str]) -> Selection:
    """From kind -> names (`a+b` for mitigations that act together); `where` tells of each kind what
    a message begins with.

    Raises BadInput for an unknown name, an empty kind, and mitigations that exclude one another.
    """
    chosen: dict[str, list[Any]] = {}
    for kind in KINDS:
        names = _names(grid.get(kind), where[kind])
        if not names:
            raise BadInput(
                f"{where[kind]}=[]: nothing is selected; name at least one, {kind}=NAME (see: "
                f"bench list {KINDS[kind]}), or a whole grid, experiment=NAME"
            )
        if ALL in names:
            names = list(dict.fromkeys(n for m in names for n in _meant(kind, m)))
        find = _act_together if kind == "mitigation" else discovery.member
        try:
            chosen[kind] = [find(kind, name) for name in names]
        except BadInput as error:
            raise BadInput(f"{where[kind].removesuffix(kind)}{error}") from error
    return Selection(**{kind: tuple(members) for kind, members in chosen.items()})


def _meant(kind: str, name: str) -> list[str]:
    """The names that an entry stands for: `all` for every member there is, also for one whose file
    cannot be read, which is then refused and not passed over in silence."""
    if name != ALL:
        return [name]
    return sorted([*discovery.members(kind), *discovery.unreadable(kind)])


def joined(mitigations: Sequence[Member]) -> str:
    return "+".join(member.name for member in mitigations)


def _names(value: Any, where: str) -> list[str]:
    entries = value if isinstance(value, list) else [] if value is None else [value]
    for entry in entries:
        if not isinstance(entry, str):
            raise BadInput(f"{where}={shown(value)}: {shown(entry)} is no name")
    return list(dict.fromkeys("+".join(map(one_line, entry.split("+"))) for entry in entries))


def _act_together(kind: str, name: str) -> tuple[Member, ...]:
    if "" in name.split("+"):
        raise BadInput(f"{kind}={name}: a name is missing beside +")
    parts = tuple(discovery.member(kind, part) for part in name.split("+"))
    repeated = [member for member, count in Counter(p.name for p in parts).items() if count > 1]
    if repeated:
        raise BadInput(f"{kind}={name}: {repeated[0]} stands there twice")
    for claim, count in Counter(c for p in parts for c in p.facts.get("claims", ())).items():
        if claim == "alone" and len(parts) > 1:
            alone = next(p.name for p in parts if claim in p.facts.get("claims", ()))
            raise BadInput(f"{kind}={name}: {alone} stands alone; leave it out, or the others")
        if count > 1:
            rivals = [p.name for p in parts if claim in p.facts.get("claims", ())]
            raise BadInput(
                f"{kind}={name}: {' and '.join(rivals)} both set the {_words(claim)}; keep one"
            )
    _check_order(f"{kind}={name}", parts)
    return parts


def _check_order(where: str, parts: Sequence[Member]) -> None:
    """Raises BadInput where weights would be drawn into what a reparametrisation starts from."""
    computed = None
    for part in parts:
        claims = part.facts.get("claims", ())
        if computed is not None and "initial_weights" in claims:
            raise BadInput(
                f"{where}: {computed.name} takes the initial weights as it finds them; name "
                f"{part.name} before it"
            )
        if "parametrisation" in claims:
            computed = part


def _problem(combination: Combination) -> LeftOut | None:
    task, architecture = combination.task, combination.architecture
    given, taken = task.facts.get("inputs"), architecture.facts.get("inputs")
    if given != taken:
        fitting = [
            other.name
            for other in discovery.members("architecture").values()
            if other.facts.get("inputs") == given
        ]
        return LeftOut(
            f"task={task.name} architecture={architecture.name}",
            f"{task.name} is a {given}, {architecture.name} takes a {taken} "
            f"(for {task.name}: {', '.join(fitting) or 'none'})",
        )
    for mitigation in combination.mitigation:
        lacking = set(mitigation.facts.get("needs", ())) - provided(task, architecture)
        if lacking:
            what = min(lacking)
            by_task = what in _provided_by("task")
            rival = task if by_task else architecture
            return LeftOut(
                f"{rival.kind}={rival.name} mitigation={joined(combination.mitigation)}",
                f"{mitigation.name} acts on the {_words(what)}, which {rival.name} does not have",
            )
    return None


def provided(*members: Member) -> set[str]:
    """What a mitigation can act on, of a task and an architecture together."""
    return {what for member in members for what in member.facts.get("provides", ())}


def _provided_by(kind: str) -> set[str]:
    return provided(*discovery.members(kind).values())


def _words(fact: str) -> str:
    return fact.replace("_", " ")
