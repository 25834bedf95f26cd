"""Paths as text: no two paths share one, and names out of evidence stay below their root."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gate.model.path import MAX_TAILS, is_plain_relative, path_bytes, path_tails, path_text


@given(st.binary(max_size=60) | st.text(alphabet="\\x0af\u00e9/", max_size=30).map(str.encode))
@example(b"\\x41")
@example(b"\\\\x41")
@example(b"\xff\\xff\\")
@example(b"\\\\")
@example(b"\xed\xa0\x80")
@example(b"a\xc3")
def test_the_text_of_a_path_can_be_turned_back_into_its_bytes(raw: bytes) -> None:
    text = path_text(raw)
    assert path_bytes(text) == raw
    text.encode("utf-8")


@given(st.binary(max_size=8), st.binary(max_size=8))
def test_no_two_paths_share_a_text(one: bytes, other: bytes) -> None:
    assert (path_text(one) == path_text(other)) == (one == other)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"a/b.txt", "a/b.txt"),
        ("\u00e9".encode(), "\u00e9"),
        (b"a\\b", "a\\\\b"),
        (b"\xff", "\\xff"),
        (b"\\xff", "\\\\xff"),
    ],
)
def test_undecodable_bytes_and_backslashes_are_escaped(raw: bytes, text: str) -> None:
    assert path_text(raw) == text


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a/b",
        "a.b/c-d_e",
        "...",
        "..a",
        "a..",
        ".a/.b",
        "a b",
        "\u00e9/\u4e16",
        "ab:c",
        "1:2",
        "a/c:",
        "~",
        "-rf",
        "a*",
        "\u202e",
    ],
)
def test_plain_relative_names_are_accepted(text: str) -> None:
    assert is_plain_relative(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "/",
        "/a",
        "//",
        "a/",
        "a//b",
        "./a",
        "../a",
        "a/.",
        "a/..",
        "a/./b",
        "a/../b",
        "\\",
        "a\\b",
        "\\\\host",
        "c:",
        "C:/a",
        "z:a",
        "a\x00",
        "\x1f",
        "a\nb",
        "\x7f",
        "a/\t",
    ],
    ids=ascii,
)
def test_s12_names_that_may_leave_their_root_are_refused(text: str) -> None:
    assert not is_plain_relative(text)


def test_tails_of_a_name_are_the_paths_that_it_ends_in() -> None:
    assert list(path_tails("./a/b/c")) == ["a/b/c", "b/c", "c"]
    assert list(path_tails("c")) == ["c"]


def test_a_long_name_has_a_bounded_number_of_tails() -> None:
    tails = list(path_tails("x/" * 100_000 + "prompts/a.txt"))
    assert len(tails) == MAX_TAILS
    assert tails[-2:] == ["prompts/a.txt", "a.txt"]
