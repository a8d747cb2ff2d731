"""Folders and files that are no store are refused in one line, and left as they are."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.records import BadInput
from bench.results.checking import check
from bench.results.store import Store, check_folder


def too_long(place: Path) -> Path:
    return place / ("x" * 300)


def dangling_link(place: Path) -> Path:
    (place / "link").symlink_to("nowhere")
    return place / "link"


def below_a_dangling_link(place: Path) -> Path:
    return dangling_link(place) / "below"


def circle_of_links(place: Path) -> Path:
    (place / "one").symlink_to("two")
    (place / "two").symlink_to("one")
    return place / "one"


def pipe(place: Path) -> Path:
    os.mkfifo(place / "results.sqlite")
    return place


def folder_of_that_name(place: Path) -> Path:
    (place / "results.sqlite").mkdir()
    return place


def file_is_a_dangling_link(place: Path) -> Path:
    (place / "results.sqlite").symlink_to(place / "nowhere")
    return place


def file_is_a_circle(place: Path) -> Path:
    (place / "results.sqlite").symlink_to("results.sqlite")
    return place


@pytest.mark.timeout(20)  # whoever opens a pipe waits for ever
@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (too_long, "File name too long"),
        (dangling_link, "link is a link that leads nowhere"),
        (below_a_dangling_link, "link is a link that leads nowhere"),
        (circle_of_links, "Too many levels of symbolic links"),
        (pipe, r"results\.sqlite in it is no file"),
        (folder_of_that_name, r"results\.sqlite in it is no file"),
        (file_is_a_dangling_link, r"results\.sqlite is a link that leads nowhere"),
        (file_is_a_circle, "Too many levels of symbolic links"),
    ],
)
def test_what_is_no_folder_or_no_file(
    tmp_path: Path, make: Callable[[Path], Path], complaint: str
) -> None:
    folder = make(tmp_path)
    before = sorted(tmp_path.iterdir())
    for call in (check_folder, Store.open, Store, check):
        # A reader is not interested in why there is nothing below a link.
        expected = "holds no" if make is below_a_dangling_link and call in (Store, check) else ""
        with pytest.raises(BadInput, match=expected or complaint) as caught:
            call(folder)
        assert "\n" not in str(caught.value)
        assert str(folder) in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_a_link_to_a_store_is_a_store(tmp_path: Path) -> None:
    Store.open(tmp_path / "real").close()
    (tmp_path / "link").symlink_to("real")
    Store.open(tmp_path / "link").close()
    assert check(tmp_path / "link").findings == ()


def test_a_file_where_a_folder_is_wanted_is_told_with_the_folder(tmp_path: Path) -> None:
    Store.open(tmp_path / "store").close()
    file = tmp_path / "store" / "results.sqlite"
    expected = f"{file}: is a file; give the folder that holds results.sqlite, {file.parent}"
    with pytest.raises(BadInput) as caught:
        Store(file)
    assert str(caught.value) == expected
    (tmp_path / "afile").write_text("x")
    with pytest.raises(BadInput, match=r"afile: is a file; give the folder that holds [^,]*$"):
        Store(tmp_path / "afile")
