"""The command line: Hydra's habits, and what is refused of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import discovery
from bench.planning.overrides import read
from bench.records import BadInput

repeatable = settings(derandomize=True, database=None, deadline=None, max_examples=50)

NUMBERS = st.one_of(
    st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False, width=32)
)
WORDS = st.from_regex(r"[a-z_]{1,12}", fullmatch=True).filter(
    lambda word: word not in {"null", "true", "false", "nan", "inf"}
)


@repeatable
@given(st.lists(NUMBERS, min_size=2, max_size=5))
def test_a_list_hydras_comma_and_choice_say_the_same(values):
    written = ",".join(map(repr, values))
    for form in (f"[{written}]", written, f"choice({written})"):
        assert read([f"lr={form}"]).values == {"lr": values}


@repeatable
@given(st.lists(WORDS, min_size=2, max_size=4))
def test_names_may_be_bare_or_quoted(names):
    bare, quoted = ",".join(names), ",".join(map(json.dumps, names))
    for form in (f"[{bare}]", bare, f"[{quoted}]", quoted):
        assert read([f"task={form}"]).grid == {"task": names}


@repeatable
@given(WORDS, WORDS)
def test_a_plus_joins_names_bare_or_quoted(first, second):
    joined = f"{first}+{second}"
    assert read([f"mitigation={joined}"]).grid == {"mitigation": [joined]}
    assert read([f"mitigation='{joined}'"]).grid == {"mitigation": [joined]}
    assert read([f"mitigation=[none,{joined}]"]).grid == {"mitigation": ["none", joined]}


def refusal(line: str) -> str:
    """Empty where there is none."""
    try:
        read([line])
    except BadInput as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("lr=0.1", "lr", 0.1),
        ("+lr=0.1", "lr", 0.1),
        ("++lr=0.1", "lr", 0.1),
        ("lr=null", "lr", None),
        ("stop_on_solved=true", "stop_on_solved", True),
        ("seeds=range(3)", "seeds", [0, 1, 2]),
        ("seeds=range(2,9,3)", "seeds", [2, 5, 8]),
        ("lr=range(0.5,2,0.5)", "lr", [0.5, 1.0, 1.5]),
        ("results='a=b (c)'", "results", "a=b (c)"),
        ("results=~/né (1)/a=b", "results", "~/né (1)/a=b"),
        ("task.adding={length:7}", "task.adding.length", 7),
        ("task={adding:{length:[7,8]}}", "task.adding.length", [7, 8]),
    ],
)
def test_forms_of_a_value(line, key, value):
    assert read([line]).values == {key: value}


def test_glob_chooses_among_the_members_on_disk():
    tasks = list(discovery.members("task"))
    assert read(["task=glob(*)"]).grid == {"task": tasks}
    assert read(["task=glob(*,exclude=adding)"]).grid == {"task": tasks[1:]}
    plain = [name for name in discovery.members("architecture") if name.startswith("rnn_")]
    assert read(["architecture=glob(rnn_*)"]).grid == {"architecture": plain}


def test_of_two_values_the_later_counts_as_in_hydra():
    assert read(["lr=0.1", "steps=3", "lr=0.2"]).values == {"lr": 0.2, "steps": 3}


def test_grid_entries_are_selections():
    assert read(["grid.task=[adding]"]) == read(["task=adding"])
    assert read(["grid={task:[adding],optimizer:[sgd]}"]) == read(["task=adding", "optimizer=sgd"])


@pytest.mark.parametrize(
    ("line", "fragment"),
    [
        ("hydra.run.dir=x", "Hydra's own settings"),
        ("hydra/launcher=joblib", "Hydra's own settings"),
        ("hydra.searchpath=[file:///tmp]", "Hydra's own settings"),
        ("~task", "nothing can be taken out"),
        ("~task.adding.length", "nothing can be taken out"),
        ("task@other=adding", "without @"),
        ("=3", "must be KEY=VALUE"),
        ("dry-run", "dry-run: must be KEY=VALUE"),
        ("lr=1,", "cannot be read"),
        ("results=a(${oc.env:HOME}", "only ${KEY}"),
        ("lr=a(b", "goes in quotes"),
        ("lr=${oc.env:HOME}", "only ${KEY}"),
        ("lr='${oc.env:HOME}'", "only ${KEY}"),
        ("results=a/${oc.env:HOME}", "only ${KEY}"),
        ("lr=[1,'${now:%Y}']", "only ${KEY}"),
        ("task.adding._target_=os.system", "runs no code"),
        ("task.adding={_target_:os.system}", "runs no code"),
        ("lr=interval(0,1)", "use range(START,STOP,STEP)"),
        ("lr=range(0,1,0)", "the range holds no value"),
        ("lr=range(1,0)", "the range holds no value"),
        ("seeds=range(0,1e12)", "more than 1,000,000"),
        (f"seeds=range(0,1{'0' * 400})", "more than 1,000,000"),
        ("lr=[[1],2]", "[1] stands in a list"),
        ("lr=[{a:1}]", "stands in a list"),
        ("lr=glob(*)", "glob() chooses among names"),
        ("experiment=a,b", "takes one name"),
        (f"seeds={'9' * 5000}", "cannot be read"),
        ("lenght=5", "did you mean length?"),
        ("optimiser=adam", "did you mean optimizer?"),
        ("task.adding.lenght=5", "did you mean task.adding.length?"),
        ("task.addin.length=5", "did you mean task.adding.length?"),
        ("optimizer.lr=5", "did you mean optimizer.sgd.lr?"),
        ("logger.mod=offline", "did you mean logger.mode?"),
        ("protocol.windw=5", "did you mean protocol.window?"),
        ("grid.tasks=[adding]", "there is no such key"),
    ],
)
def test_what_is_refused(line, fragment):
    assert fragment in refusal(line)
    assert refusal(line).isprintable()  # so it is one line


def test_a_kind_is_selected_once():
    with pytest.raises(BadInput, match=r"task is selected twice; write one list, task=\[A,B\]"):
        read(["task=adding", "task=digits"])


@repeatable
@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_is_typed_is_read_or_refused_in_one_line(key, value):
    for line in (f"{key}={value}", f"lr={value}", f"task={value}", key):
        assert refusal(line).isprintable()
