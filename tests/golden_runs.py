"""Whole runs whose digests must never change by themselves, on any processor.

`python -m tests.golden_runs golden` prints the digests of the dozen that the repository keeps,
`every` those of every member in both types, `battery` one for each that says it is portable.
"""

from __future__ import annotations

import sys
from itertools import product

from bench import discovery
from bench.planning.selection import provided
from bench.records import RunSpec
from bench.training.run import run
from tests.specs import spec, why_not_here

TASKS = {"adding": 40, "temporal_order": 40, "copy_memory": 20}
RECURRENT = ("rnn_tanh", "rnn_relu", "lstm", "gru")
DTYPES = ("float32", "float64")


PLACES = (
    {"task": "adding", "architecture": "rnn_tanh"},
    {"task": "adding", "architecture": "lstm"},
    {"task": "digits", "architecture": "mlp"},
    {"task": "digits", "architecture": "residual_mlp"},
    {"task": "lorenz", "architecture": "rnn_tanh"},
)
"""Between them they provide whatever a mitigation may need."""


GOLDEN = {
    "tanh explodes": "2bd1c215295da947",
    "tanh clipped": "23b4fe88a493a1c2",
    "relu explodes": "ececa1f97a980f99",
    "lstm float64": "66daafe9f2501d87",
    "gru clipped": "1a74e20ca57a2356",
    "two layers": "324b071febe5322b",
    "normalised": "81163c11f6a008cf",
    "max_norm": "9d96a3f01077de0f",
    "rmsprop float64": "4627db1eda9df23e",
    "deep gelu": "e762d5329f6f00ec",
    "deep selu": "ecc955291bc43c13",
    "deep tanh float64": "d75893aceaa03247",
}
"""Name of a golden run -> the first digits of its digest, at this semantics version."""


def exploding(architecture: str, mitigation: str = "none", dtype: str = "float32") -> RunSpec:
    """Gain 2, T = 100, 300 updates: where one bit in another place would be seen."""
    return spec(
        architecture=architecture,
        mitigation=mitigation,
        steps=300,
        dtype=dtype,
        task_settings={"length": 100},
        architecture_settings={"gain": 2.0, "hidden_size": 32},
        optimizer_settings={"lr": 0.1},
    )


def deep(activation: str, mitigation: str = "none", dtype: str = "float32") -> RunSpec:
    return spec(
        task="digits",
        architecture="mlp",
        mitigation=mitigation,
        dtype=dtype,
        steps=30,
        architecture_settings={
            "activation": activation,
            "depth": 20,
            "gain": 2.0,
            "hidden_size": 24,
        },
    )


def golden() -> dict[str, RunSpec]:
    """A dozen runs that between them use every kernel."""
    return {
        "tanh explodes": exploding("rnn_tanh"),
        "tanh clipped": exploding("rnn_tanh", "clip_norm"),
        "relu explodes": exploding("rnn_relu"),
        "lstm float64": exploding("lstm", "clip_norm", "float64"),
        "gru clipped": exploding("gru", "orthogonal+clip_norm"),
        "two layers": spec(
            task="copy_memory",
            architecture="gru",
            optimizer="adam",
            architecture_settings={"num_layers": 2},
        ),
        "normalised": spec(
            task="temporal_order", architecture="lstm", mitigation="layer_norm+l2", optimizer="adam"
        ),
        "max_norm": spec(
            task="sequential_digits",
            mitigation="autoclip+max_norm",
            optimizer="momentum",
            task_settings={},
        ),
        "rmsprop float64": spec(architecture="gru", optimizer="rmsprop", dtype="float64"),
        "deep gelu": deep("gelu"),
        "deep selu": deep("selu", "weight_decay+clip_value"),
        "deep tanh float64": deep("tanh", "warmup+identity", "float64"),
    }


def fitting(mitigation: str) -> list[dict[str, str]]:
    """The places at which it can act."""
    needs = set(discovery.member("mitigation", mitigation).facts["needs"])
    return [
        place
        for place in PLACES
        if needs <= provided(*(discovery.member(kind, name) for kind, name in place.items()))
    ]


def battery() -> dict[str, RunSpec]:
    """Ten updates of each task, architecture, mitigation and optimiser that says it is portable,
    found on disk as everywhere; what acts later only is for `every`."""
    runs = {}
    for kind in ("task", "architecture", "mitigation", "optimizer"):
        for name, found in discovery.members(kind).items():
            here = kind != "task" or not why_not_here(name)
            if found.facts["portable"] and here:
                flat = found.facts.get("inputs") == "vector"
                chosen = {"task": "digits", "architecture": "mlp"} if flat else {}
                chosen = fitting(name)[0] if kind == "mitigation" else chosen
                runs[f"{kind} {name}"] = spec(**(chosen | {kind: name}), steps=10)
    return runs


def _pairs() -> list[tuple[str, str]]:
    """Each task with the architectures of RECURRENT or the feed-forward ones, each other
    architecture on adding: those that say that they are portable."""
    tasks = [
        task
        for task in discovery.members("task").values()
        if task.facts["portable"] and not why_not_here(task.name)
    ]
    return [
        (task.name, name)
        for task in tasks
        for name, found in discovery.members("architecture").items()
        if found.facts["portable"]
        and found.facts["inputs"] == task.facts["inputs"]
        and (task.name == "adding" or name in RECURRENT or found.facts["inputs"] == "vector")
    ]


def every_member() -> dict[str, RunSpec]:
    """Tasks with architectures, each mitigation, each optimiser; float32 and float64."""
    runs = {}
    for dtype in DTYPES:
        for task, architecture in _pairs():
            settings = {"length": TASKS[task]} if task in TASKS else {}
            runs[f"{task} {architecture} {dtype}"] = spec(
                task=task, architecture=architecture, dtype=dtype, task_settings=settings
            )
        for architecture, mitigation in product(RECURRENT, ("none", "clip_norm")):
            name = f"exploding {architecture} {mitigation} {dtype}"
            runs[name] = exploding(architecture, mitigation, dtype)
        for mitigation in discovery.members("mitigation"):
            places = fitting(mitigation)
            runs[f"{mitigation} {dtype}"] = spec(mitigation=mitigation, dtype=dtype, **places[0])
            if "mlp" in {place["architecture"] for place in places}:
                runs[f"deep {mitigation} {dtype}"] = deep("tanh", mitigation, dtype)
        for optimizer in discovery.members("optimizer"):
            runs[f"{optimizer} {dtype}"] = spec(optimizer=optimizer, dtype=dtype)
        for activation in ("tanh", "relu", "selu", "gelu", "linear"):
            runs[f"deep {activation} {dtype}"] = deep(activation, "none", dtype)
    return runs


SETS = {"golden": golden, "battery": battery, "every": every_member}


def digests(*names: str) -> dict[str, str]:
    """Name of a run -> the first digits of its record's digest, of the sets of these names."""
    runs = {name: wanted for chosen in names for name, wanted in SETS[chosen]().items()}
    return {name: run(wanted).digest[:16] for name, wanted in runs.items()}


if __name__ == "__main__":
    for name, value in digests(*sys.argv[1:]).items():
        print(value, name)
