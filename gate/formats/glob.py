"""Path patterns of our own (SECURITY 20): small, strict, and never slow.

    *    any characters within one segment, none included
    ?    exactly one character of a segment
    **   whole segments, at any depth; stands alone between slashes. In front or in the middle it may stand for
         none, at the end for at least one: `a/**` matches what lies below `a`, not `a`

Everything else stands for itself. There are no character classes, alternatives, negations or escapes: a pattern
that looks as if it used one is refused rather than matched literally, since a trigger that never matches is a
gate that never closes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from gate.model.path import fold, path_characters

MAX_PATTERN_CHARACTERS: Final = 4096
_DEEP: Final = "**"
# NFC makes these three of other characters, as it does of most that are not ASCII: other spellings match too.
_NOT_LITERAL: Final = frozenset("*?;K`")
_FORBIDDEN: Final = {
    "[": "character classes are not supported",
    "]": "character classes are not supported",
    "{": "alternatives are not supported; write several patterns",
    "}": "alternatives are not supported; write several patterns",
    "\\": "a backslash is not a separator and escapes nothing; segments are separated by '/'",
}


@dataclass(frozen=True, slots=True)
class Glob:
    """A checked pattern. `pattern` is as written, `segments` its NFC form split at slashes, `folded` its `fold`."""

    pattern: str
    segments: tuple[str, ...]
    folded: tuple[str, ...] = field(repr=False)

    def matches(self, path: str) -> bool:
        """Whether a path, in the spelling of `gate.model.path.path_text`, matches as it is or in its NFC form.

        An escaped byte or backslash counts as one character. Never raises; takes time proportional to the
        length of the path times the length of the pattern at worst.
        """
        plain = path_characters(path)
        if _matches(self.segments, plain.split("/")):
            return True
        normal = unicodedata.normalize("NFC", plain)
        return normal != plain and _matches(self.segments, normal.split("/"))

    def triggers(self, path: str, *, is_plain: bool = True) -> bool:
        """Whether a changed path is under a gate of this pattern: more than `matches`, never less.

        Look-alikes of what matches count, which a file system or a reader may take for it. Where no plain file lies
        (a link, a submodule), so does what may hold a match below.
        """
        if any(_matches(pattern, form) for pattern, form in self._forms(path)):
            return True
        return not is_plain and self.may_match_below(path)

    def may_match_below(self, path: str) -> bool:
        """Whether any path below this one, or below one that looks like it, could match."""
        return any(_may_match_below(pattern, form) for pattern, form in self._forms(path))

    def _forms(self, path: str) -> Iterator[tuple[tuple[str, ...], list[str]]]:
        """The pattern and the path as they are compared to find look-alikes."""
        yield self.folded, fold(path).split("/")
        plain = path_characters(path)
        # The fold of plain ASCII has as many characters: where it does not match, neither does the path.
        if not (plain.isascii() and plain.isprintable()):
            normal = unicodedata.normalize("NFC", plain)
            yield self.segments, plain.split("/")
            yield self.segments, normal.split("/")
            # What folds to several characters is still one for a `?`.
            yield self.folded, "".join(one if len(one := fold(each)) <= 1 else each for each in normal).split("/")

    @property
    def start(self) -> tuple[str, ...]:
        """The leading segments that every match has in exactly these bytes: where a search may begin."""
        found: list[str] = []
        for segment in self.segments:
            if not segment.isascii() or _NOT_LITERAL & set(segment):
                break
            found.append(segment)
        return tuple(found)


def compile_glob(pattern: str) -> Glob:
    """Check a pattern; raises `ValueError` with the reason when it is not one."""
    if not pattern:
        raise ValueError("the pattern is empty")
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        raise ValueError(f"the pattern is longer than {MAX_PATTERN_CHARACTERS} characters")
    if pattern.startswith("/"):
        raise ValueError("the pattern is absolute; patterns are relative to the root")
    if pattern.startswith("!"):
        raise ValueError("negation is not supported")
    for character in pattern:
        if character in _FORBIDDEN:
            raise ValueError(f"{character!r} in the pattern: {_FORBIDDEN[character]}")
        if unicodedata.category(character) in {"Cc", "Cs"}:
            raise ValueError(f"control character {character!r} in the pattern")
    segments = tuple(unicodedata.normalize("NFC", pattern).split("/"))
    for segment in segments:
        if segment == "":
            raise ValueError("the pattern has an empty segment (a slash at the end, or two in a row)")
        if segment in {".", ".."}:
            raise ValueError(f"the pattern has a {segment!r} segment")
        if _DEEP in segment and segment != _DEEP:
            raise ValueError("'**' has to be a segment of its own")
    return Glob(pattern, segments, tuple(fold(pattern).split("/")))


def is_glob(text: str) -> bool:
    """Whether a text uses a wildcard at all."""
    return "*" in text or "?" in text


def _matches(pattern: tuple[str, ...], path: list[str]) -> bool:
    return path != [""] and len(pattern) in _reachable(pattern, path)


def _may_match_below(pattern: tuple[str, ...], path: list[str]) -> bool:
    """Whether a part of the pattern is left after the path: whatever it is, some path matches it."""
    return any(position < len(pattern) for position in _reachable(pattern, path))


def _reachable(pattern: tuple[str, ...], path: list[str]) -> set[int]:
    """The set of pattern positions that are reachable after all segments of the path."""
    last = len(pattern) - 1
    reachable = _with_skips({0}, pattern)
    for segment in path:
        following: set[int] = set()
        for position in reachable:
            if position > last:
                continue
            if pattern[position] == _DEEP:
                following.add(position)
                if position == last:
                    following.add(position + 1)
            elif _segment_matches(pattern[position], segment):
                following.add(position + 1)
        if not following:
            return following
        reachable = _with_skips(following, pattern)
    return reachable


def _with_skips(positions: set[int], pattern: tuple[str, ...]) -> set[int]:
    """Positions with those that `**` reaches by standing for nothing, which it may not do at the end."""
    found = set(positions)
    for position in positions:
        after = position
        while after < len(pattern) - 1 and pattern[after] == _DEEP:
            after += 1
            found.add(after)
    return found


def _segment_matches(pattern: str, text: str) -> bool:
    """Greedy matching: only the last star can ever need another character, so nothing grows beyond a product."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == text
    star = -1
    at = position = resume = 0
    while position < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, position
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[position]):
            at += 1
            position += 1
        elif star >= 0:
            at = star + 1
            resume += 1
            position = resume
        else:
            return False
    return all(rest == "*" for rest in pattern[at:])
