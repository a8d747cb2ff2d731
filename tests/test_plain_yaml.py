"""YAML as plain data: what is let through means the same to us, to Hydra and to Python."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from bench import plain_yaml
from bench.records import BadInput


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.yaml"


WORDS = st.one_of(
    st.from_regex(r"[-+]?[0-9_]{1,4}(\.[0-9_]{0,3})?([eE][-+]?[0-9]{1,2})?", fullmatch=True),
    st.from_regex(r"[-+]?(0[xob])?[0-9a-f:.]{1,5}", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True),
    st.sampled_from(
        ["y", "yes", "No", "on", "OFF", "true", "False", "null", "inf", ".inf", "-.INF", ".nan"]
    ),
    st.sampled_from(["~", "=", "<<", "???", "''"]),
)


@settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=400,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(WORDS)
def test_a_word_that_is_not_refused_is_what_hydra_reads(file: Path, word: str) -> None:
    file.write_text(f"key: {word}\n")
    try:
        found = plain_yaml.values(file)["key"]
    except BadInput:
        return
    hydras = OmegaConf.to_container(OmegaConf.load(file))["key"]
    assert type(found) is type(hydras)
    assert found == hydras or (math.isnan(found) and math.isnan(hydras))
    if type(found) in (int, float) and math.isfinite(found):
        assert found == float(word.replace("_", ""))  # in base 10, as anybody would read it


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("# a comment\n", {}),
        ("a: 1\nb: [0.5, 1e-3, .inf]\n", {"a": 1, "b": [0.5, 0.001, math.inf]}),
        (
            "a: {b: true, c: null, d: 'yes', e: \"010\"}",
            {"a": {"b": True, "c": None, "d": "yes", "e": "010"}},
        ),
        ("a: &x {b: 1}\nc: {<<: *x, d: 2}\n", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
    ],
)
def test_plain_data_is_read(file: Path, text: str, values: dict[str, object]) -> None:
    file.write_text(text)
    assert plain_yaml.values(file) == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: a stands there twice"),
        ("a: {b: 1, b: 2}\n", "line 1: b stands there twice"),
        ("a: 1\nb: [\n", "line 3: "),
        ("a: 1\n---\nb: 1\n", "line 2: "),
        ("- a\n", "line 1: must hold KEY: VALUE lines"),
    ],
)
def test_what_is_refused_is_told_with_its_line(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(BadInput) as refusal:
        plain_yaml.values(file)
    assert f"file.yaml, {message}" in str(refusal.value)
    assert str(refusal.value).isprintable()


def test_the_limits_are_far_from_what_a_config_needs(file: Path) -> None:
    file.write_text(f"seeds: [{', '.join(map(str, range(9_000)))}]\n")
    assert plain_yaml.values(file) == {"seeds": list(range(9_000))}
