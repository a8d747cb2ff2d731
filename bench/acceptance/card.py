"""All that is found of a member, as `bench check` prints it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch

from bench import discovery
from bench.acceptance import architectures, costs, files, mitigations, optimizers, tasks
from bench.acceptance.findings import Check, Finding, judged
from bench.acceptance.portability import same_bits
from bench.acceptance.small import fitting, missing_data, spec
from bench.discovery import Member
from bench.records import BadInput, RunSpec

BATTERIES = {
    "mitigation": mitigations.checks,
    "architecture": architectures.checks,
    "task": tasks.checks,
    "optimizer": optimizers.checks,
}
WORDS = {True: "ok", False: "FAILED", None: ""}


def examine(kind: str, name: str, *, costs_too: bool = True) -> Iterator[Finding]:
    """Everything, one finding after another as they are made.

    Raises BadInput where there is no such member, or not the data that a task needs.
    """
    member = discovery.member(kind, name)
    if kind == "task" and (problem := missing_data(member)):
        raise BadInput(f"task={name}: {problem}")
    torch.set_num_threads(1)  # as in a run
    yield from judged(files.checks(member))
    yield from judged(BATTERIES[kind](member))
    runs = list(_few(member))
    yield from judged([("portable", partial(same_bits, runs, member.facts["portable"]))])
    if costs_too and kind != "task" and runs:
        for finding in judged([("cost", _cost(member, runs[0]))]):
            yield Finding(finding.what, finding.holds and None, finding.told, finding.where)


def in_words(finding: Finding) -> str:
    line = f"{WORDS[finding.holds]:<6}  {finding.what:<13}  {finding.told}".rstrip()
    return "\n".join([line, *(f"          {each}" for each in finding.where.splitlines())])


def _few(member: Member) -> Iterator[RunSpec]:
    """At most three small runs of a member."""
    if member.kind == "optimizer":
        yield spec("adding", "rnn_tanh", optimizer=member.name)
        return
    specs = list(fitting(**{member.kind: member.name}))
    portable = [each for each in specs if _is_portable(each, member)]
    yield from (portable or specs)[:3]


def _is_portable(run: RunSpec, member: Member) -> bool:
    """Whether all but `member` are."""
    others = (discovery.member(kind, each.name) for kind, each in run.members)
    return all(other.facts["portable"] for other in others if other is not member)


def _cost(member: Member, run: RunSpec) -> Check:
    def measured() -> str:
        task, architecture = run.task.name, run.architecture.name
        if member.kind == "mitigation":
            cost, than = costs.of_mitigation(member.name, task, architecture), "none"
            where = f" ({architecture} on {task})"
        elif member.kind == "architecture":
            than = "mlp" if member.facts["inputs"] == "vector" else "rnn_tanh"
            cost, where = costs.of_architecture(member.name, task, than), f" (on {task})"
        else:
            cost, than, where = costs.of_optimizer(member.name), "sgd", ""
        multiples = f"{cost.time:.2f} x the time of {than}, {cost.memory:.2f} x its memory"
        return f"an update takes {multiples}{where}"

    return measured
