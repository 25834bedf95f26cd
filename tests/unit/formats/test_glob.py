"""Path patterns: what they match, what is refused, and that nothing makes them slow."""

from __future__ import annotations

import sys
import unicodedata
from types import FrameType
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.formats.glob import compile_glob, is_glob
from gate.model.path import fold, path_text

if TYPE_CHECKING:
    from _typeshed import TraceFunction

MATCHES = [
    ("a", "a"),
    ("a/b.txt", "a/b.txt"),
    ("*", "a"),
    ("*", ".hidden"),
    ("*.py", ".py"),
    ("*.py", "x.py"),
    ("a*c", "ac"),
    ("a*b*c", "aXbYbZc"),
    ("?", "é"),
    ("a?c", "abc"),
    ("**", "a"),
    ("**", "a/b/c"),
    ("a/**", "a/b"),
    ("a/**", "a/b/c"),
    ("**/a", "a"),
    ("**/a", "b/c/a"),
    ("a/**/b", "a/b"),
    ("a/**/b", "a/x/y/b"),
    ("a/**/**/b", "a/b"),
    ("**/**", "a"),
    ("**/*.py", "x.py"),
    ("**/*.py", "a/b/x.py"),
    ("a/*/c", "a/b/c"),
    ("**/x/**", "a/x/b"),
    ("a\u0301/*", "á/b"),  # the pattern is normalised
    ("á/*", "a\u0301/b"),  # and so is the path
    ("*", " "),
    ("a**b".replace("**", "*"), "a*b"),
    ("~user", "~user"),
    ("$HOME", "$HOME"),
]
NO_MATCHES = [
    ("a", "b"),
    ("a", "a/b"),
    ("a", "A"),
    ("a/b", "a"),
    ("*", "a/b"),
    ("*", ""),
    ("**", ""),
    ("?", ""),
    ("?", "ab"),
    ("a?c", "a/c"),
    ("a*c", "a/c"),
    ("*.py", "x.pyc"),
    ("a/**", "a"),
    ("a/**", "ab/c"),
    ("**/a", "ba"),
    ("a/**/b", "a/xb"),
    ("**/**", ""),
    ("app/*", "app/a/b"),
    ("a.c", "abc"),
    ("a+", "aa"),
    ("(a|b)", "a"),
    ("$", ""),
]
INVALID = [
    ("", "empty"),
    ("/a", "absolute"),
    ("!a", "negation"),
    ("**a", "of its own"),
    ("a**", "of its own"),
    ("a/**b/c", "of its own"),
    ("***", "of its own"),
    ("[ab]", "classes"),
    ("a]", "classes"),
    ("{a,b}", "alternatives"),
    ("a}", "alternatives"),
    ("a\\b", "backslash"),
    ("\\*", "backslash"),
    ("..", "'..' segment"),
    ("a/../b", "'..' segment"),
    ("./a", "'.' segment"),
    ("a/.", "'.' segment"),
    ("a/", "empty segment"),
    ("a//b", "empty segment"),
    ("a\nb", "control"),
    ("a\0b", "control"),
    ("a\x7f", "control"),
    ("a\x85", "control"),
    ("a\ud800", "control"),
    ("a" * 4097, "longer"),
]


@pytest.mark.parametrize(("pattern", "path"), MATCHES)
def test_s20_a_path_that_matches(pattern: str, path: str) -> None:
    assert compile_glob(pattern).matches(path)


@pytest.mark.parametrize(("pattern", "path"), NO_MATCHES)
def test_s20_a_path_that_does_not_match(pattern: str, path: str) -> None:
    assert not compile_glob(pattern).matches(path)


@pytest.mark.parametrize(("pattern", "reason"), INVALID)
def test_s20_an_invalid_pattern_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        compile_glob(pattern)


@pytest.mark.parametrize("raw", [b"models/\xff.txt", b"models/\\.txt", b"models/x.txt", b"models/\xc3\xa9.txt"])
def test_s20_a_question_mark_is_one_character_whatever_the_bytes(raw: bytes) -> None:
    assert compile_glob("models/?.txt").matches(path_text(raw))
    assert not compile_glob("models/??.txt").matches(path_text(raw))
    assert compile_glob("models/**").matches(path_text(raw))


def test_text_that_is_no_path_is_compared_and_never_raises() -> None:
    assert compile_glob("*").matches("\ud800\\")


def test_a_pattern_keeps_the_spelling_it_was_written_in() -> None:
    assert compile_glob("a\u0301").pattern == "a\u0301"
    assert compile_glob("a\u0301").segments == ("á",)


@pytest.mark.parametrize(
    ("pattern", "start"),
    [
        ("**", ()),
        ("a/b/*.txt", ("a", "b")),
        ("a/b", ("a", "b")),
        ("a/?/b", ("a",)),
        ("é/a", ()),
        ("aK/b", ()),
        ("a/b;/c", ("a",)),
    ],
)
def test_the_start_of_a_pattern_is_where_all_matches_lie(pattern: str, start: tuple[str, ...]) -> None:
    assert compile_glob(pattern).start == start


def test_no_other_ascii_character_has_a_second_spelling() -> None:
    spelled = {
        unicodedata.normalize("NFC", chr(code))
        for code in range(0x80, sys.maxunicode + 1)
        if unicodedata.normalize("NFC", chr(code)).isascii()
    }
    assert spelled == {"K", ";", "`"}


def test_what_uses_a_wildcard() -> None:
    assert is_glob("a/*.x")
    assert is_glob("a?")
    assert not is_glob("a/b.json")


def reference(pattern: list[str], path: list[str]) -> bool:
    """Obviously right, and exponential."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        some = bool(path) and (reference(pattern, path[1:]) or (pattern == ["**"] and len(path) == 1))
        return some or (len(pattern) > 1 and reference(pattern[1:], path))
    return bool(path) and segment(pattern[0], path[0]) and reference(pattern[1:], path[1:])


def segment(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return segment(pattern[1:], text) or (bool(text) and segment(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", text[0]) and segment(pattern[1:], text[1:])


SEGMENTS = st.lists(
    st.one_of(st.just("**"), st.text("ab*?", min_size=1, max_size=6).filter(lambda text: "**" not in text)),
    min_size=1,
    max_size=5,
)
PATHS = st.lists(st.text("ab", min_size=1, max_size=6), min_size=1, max_size=6)


@given(SEGMENTS, PATHS)
def test_s20_agrees_with_a_slow_reference(pattern: list[str], path: list[str]) -> None:
    assert compile_glob("/".join(pattern)).matches("/".join(path)) == reference(pattern, path)


# --- what triggers: look-alikes, and what may hold a match below ---


def reference_below(pattern: list[str], path: list[str]) -> bool:
    """Obviously right, and exponential: something is left of the pattern when the path is used up."""
    if not path:
        return bool(pattern)
    if not pattern:
        return False
    if pattern[0] == "**":
        return reference_below(pattern, path[1:]) or (len(pattern) > 1 and reference_below(pattern[1:], path))
    return segment(pattern[0], path[0]) and reference_below(pattern[1:], path[1:])


@given(SEGMENTS, PATHS)
def test_s20_what_may_match_below_agrees_with_a_slow_reference(pattern: list[str], path: list[str]) -> None:
    assert compile_glob("/".join(pattern)).may_match_below("/".join(path)) == reference_below(pattern, path)


@given(SEGMENTS, PATHS, PATHS)
def test_s20_a_folder_of_a_match_may_match_below(pattern: list[str], path: list[str], more: list[str]) -> None:
    compiled = compile_glob("/".join(pattern))
    if compiled.matches("/".join([*path, *more])):
        assert compiled.may_match_below("/".join(path))
        assert compiled.triggers("/".join(path), is_plain=False)


@pytest.mark.parametrize(
    ("pattern", "path", "below"),
    [
        ("**/system.txt", "app/new", True),
        ("app/*/prompts/**", "app/new", True),
        ("app/*/prompts/**", "app", True),
        ("app/*/prompts/**", "app/new/prompts", True),
        ("app/*/prompts/**", "app/new/prompts/deep", True),
        ("app/*/prompts/**", "App/new", True),
        ("app/*/prompts/**", "app/new/other", False),
        ("app/*/prompts/**", "lib", False),
        ("app/*.txt", "app/a.txt", False),
        ("caf\u00e9/*", "cafe\u0301", True),
        ("a", "a", False),
    ],
)
def test_s20_what_may_match_below_a_path(pattern: str, path: str, below: bool) -> None:
    compiled = compile_glob(pattern)
    assert compiled.may_match_below(path) is below
    assert compiled.triggers(path, is_plain=False) is (below or compiled.matches(path))
    assert compiled.triggers(path) is compiled.matches(path)


LOOK_ALIKES = [
    "Prompts/p.txt",
    "PROMPTS/P.TXT",
    "prom\u200bpts/p.txt",
    "prompts\ufeff/p.txt",
    "prompts/p\ufe0f.txt",
    "prompts/\u202ep.txt",
    "prompts/p.t\u00adxt",
    "prompts/\u3164p.txt",
    "prompts/p\x08.txt",
    "\uff50rompts/p.txt",
    "prompts\uff0fp.txt",
    "prompt\u017f/p.txt",
    "prompts/p\U000e0041.txt",
]


@pytest.mark.parametrize("path", LOOK_ALIKES, ids=ascii)
@pytest.mark.parametrize("pattern", ["prompts/*.txt", "prompts/**", "**/p.txt", "PROMPTS/p.TXT", "prompts/p.txt"])
def test_s20_a_look_alike_triggers_as_well(pattern: str, path: str) -> None:
    compiled = compile_glob(pattern)
    assert compiled.triggers(path)
    assert compiled.triggers(path_text(path.encode()))


@pytest.mark.parametrize("path", ["Prompts/\u00df.txt", "prom\u200bpts/\ufb01.txt", "PROMPTS/e\u0301.txt"], ids=ascii)
def test_s20_a_question_mark_is_one_character_of_a_look_alike(path: str) -> None:
    assert compile_glob("prompts/?.txt").triggers(path)
    assert not compile_glob("prompts/???.txt").triggers(path)


@pytest.mark.parametrize("path", ["prompt/p.txt", "prompts/q.txt", "prompts-/p.txt", "\u0440rompts/p.txt", "prompts"])
def test_s20_what_only_reminds_of_a_match_does_not_trigger(path: str) -> None:
    assert not compile_glob("prompts/p.txt").triggers(path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [*MATCHES, ("a?b", "a\x01b"), ("a?b", "a\u00dfb"), ("a?b", "a\u200bb"), ("a?b", path_text(b"a\xffb"))],
)
def test_s20_whatever_matches_triggers(pattern: str, path: str) -> None:
    assert compile_glob(pattern).triggers(path)


@given(st.text(max_size=12), st.text(max_size=12))
def test_s20_triggering_is_never_looser_than_matching(pattern: str, path: str) -> None:
    try:
        compiled = compile_glob(pattern)
    except ValueError:
        return
    assert compiled.triggers(path) or not compiled.matches(path)
    assert compiled.triggers(path, is_plain=False) or not compiled.triggers(path)


@pytest.mark.parametrize(
    ("path", "folded"), [("A/b.TXT", "a/b.txt"), ("\u212aA", "ka"), ("\u00df", "ss"), ("a\\\\B", "a\\b")]
)
def test_what_a_path_folds_to(path: str, folded: str) -> None:
    assert fold(path) == folded


def test_all_that_is_formatting_alone_is_unseen() -> None:
    # U+0600 to U+0605 and their like enclose digits: they are seen.
    seen = {
        chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf" and fold(chr(code))
    }
    assert {unicodedata.name(character).split()[0] for character in seen} <= {"ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN"}


@given(st.text(max_size=12), st.text(max_size=12))
def test_s20_any_text_is_refused_or_answers(pattern: str, path: str) -> None:
    try:
        compiled = compile_glob(pattern)
    except ValueError:
        return
    if compiled.matches(path):
        start = "/".join(compiled.start)
        assert path == start or not start or path.startswith(start + "/")


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 500 + "b", "a" * 2000),
        ("?*" * 500 + "b", "a" * 2000),
        ("/".join(["**", "a"] * 200), "/".join(["a"] * 400) + "/b"),
        ("/".join(["**", "*a*"] * 100) + "/b", "/".join(["aaaa"] * 400)),
    ],
)
def test_s20_steps_grow_with_the_product_of_the_lengths_at_most(pattern: str, path: str) -> None:
    steps = 0

    def count(_frame: FrameType, event: str, _argument: object) -> TraceFunction:
        nonlocal steps
        steps += event == "line"
        return count

    compiled = compile_glob(pattern)
    before = sys.gettrace()
    sys.settrace(count)
    try:
        assert not compiled.matches(path)
        one = steps
        compiled.may_match_below(path)
    finally:
        sys.settrace(before)
    assert one < 20 * len(pattern) * len(path)
    assert steps < 80 * len(pattern) * len(path)
