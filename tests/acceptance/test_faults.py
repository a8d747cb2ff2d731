"""Each check of the batteries finds the fault that it is there for, and none in a sound member."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from bench.acceptance import architectures, files, mitigations, optimizers, tasks
from bench.acceptance.card import BATTERIES, examine, in_words
from bench.acceptance.findings import Check, Finding, judged
from bench.acceptance.portability import same_bits
from bench.acceptance.small import fitting, spec
from bench.discovery import KINDS, Member, member
from bench.records import BadInput
from bench.training.run import run

Make = Callable[..., Member]
Edit = tuple[str, str]


def one(checks: Iterator[tuple[str, Check]], what: str) -> Finding:
    (finding,) = judged((name, check) for name, check in checks if name == what)
    return finding


@pytest.mark.parametrize("kind", KINDS)
def test_what_new_writes_passes(make: Make, kind: str) -> None:
    make(kind)
    findings = list(examine(kind, "mine", costs_too=kind == "optimizer"))
    assert not [in_words(finding) for finding in findings if finding.holds is False]
    assert len(findings) >= len(list(BATTERIES[kind](make_known(kind)))) + 4


def make_known(kind: str) -> Member:
    from bench import discovery

    return discovery.member(kind, "mine")


BODY = "        norm = update.gradient_norm\n"
START = "    def transform("
OF_MITIGATIONS: dict[str, tuple[str, str, tuple[Edit, ...]]] = {
    "it raises": ("runs", "ZeroDivisionError", ((BODY, "        1 / 0\n"),)),
    "it does nothing": ("acts", "changes no run", (("threshold: 1.0", "threshold: .inf"),)),
    "it moves the start": (
        "pairs",
        "other weights than none",
        (
            (
                START,
                "    def prepare(self, network, seed, inputs):\n"
                "        for p in network.parameters():\n            p.data *= 0.5\n\n" + START,
            ),
        ),
    ),
    "it counts in a global": (
        "repeats",
        "two runs on",
        (
            ("\n\n@dataclass", "\n\nCALLS = []\n\n\n@dataclass"),
            (BODY, BODY + "        CALLS.append(1)\n        norm += len(CALLS)\n"),
        ),
    ),
    "its memory cannot be saved": (
        "state",
        "pickle",
        (
            (
                START,
                "    def start(self, network, seed):\n        return lambda: 1\n\n" + START,
            ),
        ),
    ),
    "it says that it skips": ("gradient nan", "skip is False", (('"propagates"', '"skips"'),)),
    "it hides NaN": (
        "gradient nan",
        "became 0.0",
        (
            (
                BODY,
                "        for p in network.parameters():\n            p.grad.nan_to_num_()\n" + BODY,
            ),
        ),
    ),
    "it says that it repairs": (
        "gradient inf",
        "says that it repairs, and does not",
        (('"propagates"', '"repairs"'),),
    ),
    "its norm overflows": (
        "gradient 1e+20",
        "becomes zero",
        (
            (
                BODY,
                BODY + "        import torch\n"
                "        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)\n",
            ),
        ),
    ),
    "it divides by a norm of zero": (
        "gradient 0",
        "becomes NaN",
        (
            (
                BODY,
                BODY + "        for p in network.parameters():\n"
                "            p.grad.div_(p.grad.norm())\n",
            ),
        ),
    ),
    "it needs what there is not": (
        "fits",
        "no architecture",
        (
            (
                "needs: ClassVar[tuple[str, ...]] = ()",
                'needs: ClassVar[tuple[str, ...]] = ("wings",)',
            ),
        ),
    ),
}


@pytest.mark.parametrize("fault", OF_MITIGATIONS)
def test_a_fault_of_a_mitigation(make: Make, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On three architectures: each fault shows on any."""
    monkeypatch.setattr(mitigations, "fitting", lambda **given: islice(fitting(**given), 3))
    what, message, edits = OF_MITIGATIONS[fault]
    finding = one(mitigations.checks(make("mitigation", *edits)), what)
    assert finding.holds is False
    assert message in finding.told


def test_the_line_that_raised_is_shown(make: Make) -> None:
    member = make("mitigation", (BODY, "        1 / 0\n"))
    finding = one(mitigations.checks(member), "runs")
    assert "mine.py" in finding.where
    assert "1 / 0" in in_words(finding)


def test_a_run_without_taps_says_so(make: Make) -> None:
    trace = (
        "    def forward(self, inputs):\n        outputs = super().forward(inputs)\n"
        "        self.trace = []\n        return outputs\n\n    def step("
    )
    make("architecture", ("    def step(", trace))
    with pytest.raises(BadInput, match=r"^architecture=mine: its pass leaves no Tap"):
        run(spec("adding", "mine"))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("clip_norm", r"(\d+) of \1"),
        ("orthogonal", r"same initial weights in 1 of 3"),
        ("layer_norm", r"(\d+) of \1, but for parameters of its own"),
        (
            "weight_norm",
            r"(\d+) of \1, but for parameters of its own and those that it computes from others",
        ),
    ],
)
def test_initial_weights_are_compared_where_both_have_them(
    monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    few = [spec("adding", each, name) for each in ("rnn_tanh", "lstm")]
    few.append(spec("digits", "mlp", name))
    monkeypatch.setattr(mitigations, "fitting", lambda **_: few)
    finding = one(mitigations.checks(member("mitigation", name)), "pairs")
    assert re.search(told + "$", finding.told), finding.told


def test_a_mitigation_that_is_not_as_portable_as_it_says(make: Make) -> None:
    """torch's product of matrices is another one on another processor."""
    lie = (
        "        for p, _ in network.with_role('recurrent', 'hidden'):\n"
        "            p.grad.copy_(p.grad + p @ p.t() @ p)\n"
    )
    member = make("mitigation", (BODY, BODY + lie))
    runs = list(fitting(mitigation="mine"))[:2]
    (finding,) = judged([("portable", lambda: same_bits(runs, portable=True))])
    assert finding.holds is False
    assert "says it is portable; differs" in finding.told
    assert "not portable" in same_bits(runs, portable=False)
    assert member.facts["portable"]


OF_OTHERS: dict[str, tuple[str, str, str, tuple[Edit, ...]]] = {
    "the batch depends on the last one": (
        "task",
        "batches",
        "two batches",
        (
            ("\n\n@dataclass", "\n\nCALLS = []\n\n\n@dataclass"),
            (
                "        return Batch(",
                "        CALLS.append(1)\n        inputs[0] += len(CALLS)\n        return Batch(",
            ),
        ),
    ),
    "chance is solved": ("task", "chance", "chance counts", (("score > 0.99", "score > 0.4"),)),
    "NaN has a score": (
        "task",
        "score",
        "NaN gets a score",
        (
            (
                "return accuracy(",
                "outputs = outputs.nan_to_num()\n        return accuracy(",
            ),
        ),
    ),
    "one start for all seeds": (
        "architecture",
        "seeds",
        "two seeds give one start",
        (
            (
                "    def step(",
                "    def initialise(self, seed):\n        super().initialise(0)\n\n    def step(",
            ),
        ),
    ),
    "a weight that nothing reaches": (
        "architecture",
        "gradients",
        "no gradient reaches recurrent_0",
        (("weights[0])", "0 * weights[0])"),),
    ),
    "it leaves no taps": (
        "architecture",
        "trace",
        "a pass leaves no bench.kernels.tap.Tap",
        (
            (
                "    def step(",
                "    def forward(self, inputs):\n        outputs = super().forward(inputs)\n"
                "        self.trace = []\n        return outputs\n\n    def step(",
            ),
        ),
    ),
    "NaN is hidden": (
        "architecture",
        "NaN",
        "hides NaN",
        (
            (
                "        (before,) = state\n",
                "        (before,) = state\n        inputs = inputs.nan_to_num()\n",
            ),
        ),
    ),
    "it ascends": (
        "optimizer",
        "descends",
        "does not move against",
        (("parameters.sub_(", "parameters.add_("),),
    ),
    "it spreads NaN": (
        "optimizer",
        "gradient NaN",
        "spreads NaN",
        (("average * learning_rate", "average * learning_rate * average.mean() / average.mean()"),),
    ),
    "it replaces the parameters": (
        "optimizer",
        "in place",
        "changes the gradient",
        (("        average.mul_(", "        gradients.mul_(2)\n        average.mul_("),),
    ),
}
CHECKS = {
    "task": tasks.checks,
    "architecture": architectures.checks,
    "optimizer": optimizers.checks,
}


@pytest.mark.parametrize("fault", OF_OTHERS)
def test_a_fault_of_another_member(make: Make, fault: str) -> None:
    kind, what, message, edits = OF_OTHERS[fault]
    finding = one(CHECKS[kind](make(kind, *edits)), what)
    assert finding.holds is False
    assert message in finding.told


@pytest.mark.parametrize(
    ("what", "message", "edits"),
    [
        ("file", "must be frozen", (("frozen=True, kw_only=True", "kw_only=True"),)),
        ("file", "must be keyword-only", (("frozen=True, kw_only=True", "frozen=True"),)),
        ("file", "must be propagates, repairs, skips", (('"propagates"', '"ignores"'),)),
        ("defaults", "must hold", (("threshold: 1.0", "threshold: 1.0\nother: 2"),)),
        ("docstring", "no line that begins with Reference", (("Reference:", "See"),)),
        (
            "docstring",
            "holds no equation",
            (("g <- g /", "g by g over"), ("threshold = inf", "an infinite one")),
        ),
        ("docstring", "inf and NaN", (("not finite", "strange"),)),
        (
            "requires",
            "requires something of task.batch, which no task has",
            (
                (
                    "    threshold: Threshold",
                    "    requires: ClassVar[dict[str, str]] = {'task.batch > 1': 'why'}\n\n"
                    "    threshold: Threshold",
                ),
            ),
        ),
    ],
)
def test_a_fault_of_a_file(make: Make, what: str, message: str, edits: tuple[Edit, ...]) -> None:
    finding = one(files.checks(make("mitigation", *edits)), what)
    assert finding.holds is False
    assert message in finding.told
