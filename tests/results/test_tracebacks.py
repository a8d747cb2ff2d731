"""Passwords are in no text that is shown."""

from __future__ import annotations

import os
import pwd
import socket

import pytest

from bench.results.tracebacks import clean_traceback, without_credentials


@pytest.mark.parametrize("clean", [without_credentials, clean_traceback])
@pytest.mark.parametrize(
    ("told", "cleaned"),
    [
        ("GET https://user:hunter2@host:8080/x?y failed", "GET https://host:8080/x?y failed"),
        ("'https://user:hunter2@host'", "'https://host'"),
        ("https://token@host and ftp://a:b@c", "https://host and ftp://c"),
        ("https://user:p@ss@host/a@b", "https://host/a@b"),
        ("https://host/a, write to me@host", "https://host/a, write to me@host"),
        ("auth=('robot', 'of/canary')", "auth=('robot', '<PROXY>')"),
        ("auth=('robot', 'of%2Fcanary')", "auth=('robot', '<PROXY>')"),
        ("login with tiny5 refused", "login with <MADE_UP_PASSWORD> refused"),
        ("tiny55 is another word", "tiny55 is another word"),
        ("a switch that is on", "a switch that is on"),
    ],
)
def test_what_is_secret_goes(
    clean: object, told: str, cleaned: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(clean)
    monkeypatch.setenv("PROXY", "http://robot:of%2Fcanary@127.0.0.1")
    monkeypatch.setenv("MADE_UP_PASSWORD", "tiny5")
    monkeypatch.setenv("MADE_UP_TOKENIZER", "on")
    assert clean(told) == cleaned
    assert clean(cleaned) == cleaned


def test_paths_that_one_needs_stay_in_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/tmp/canary-home")
    assert without_credentials("/tmp/canary-home/store") == "/tmp/canary-home/store"
    assert clean_traceback("/tmp/canary-home/store") == "~/store"


def test_a_user_without_a_home_and_a_machine_without_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nameless(uid: int) -> None:
        raise KeyError("uid not found")

    monkeypatch.setattr(pwd, "getpwuid", nameless)
    monkeypatch.setattr(socket, "gethostname", lambda: "")
    for name in ("HOME", "USER", "LOGNAME", "USERNAME", "LNAME"):
        monkeypatch.delenv(name, raising=False)
    assert clean_traceback("TypeError: ~ / x") == "TypeError: ~ / x"


def test_a_variable_may_have_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, r"A\1", "0123456789")
    assert clean_traceback("it is 0123456789") == r"it is <A\1>"
