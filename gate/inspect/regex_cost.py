"""What a regular expression could cost an engine that backtracks, by its shape. It is never compiled or matched.

Tokenizers hand the expressions in their settings to such an engine, with every text that somebody sends. Those that
public tokenizers use repeat single characters and classes; what repeats a part that can itself match in several ways is
not among them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_MAX_CHARS: Final = 8192
_DEPTH: Final = 50
_SIZE: Final = 10_000
_LOOPS: Final = 4
_COUNT: Final = re.compile(r"\{(?=,?[0-9])([0-9]{0,9})(,?)([0-9]{0,9})\}")
_OPTIONS: Final = re.compile(r"\?[imsuxy-]{0,8}[:)]|\?(?:=|!|<=|<!|>|:|<[A-Za-z_]\w*>|P<[A-Za-z_]\w*>)")
_REFERENCE: Final = re.compile(r"[1-9gkXK]")
_CLASS: Final = re.compile(r"[pPx]\{[^{}]*\}")


@dataclass(slots=True)
class _Group:
    """A group that has not ended."""

    loops: int = 0
    """Endless repetitions in the present alternative."""
    worst: int = 0
    size: int = 0
    """Characters that it matches, counted without endless repetitions."""
    varies: bool = False
    """Whether it matches in more than one way: something in it may be repeated, left out, or replaced."""

    def next_alternative(self) -> None:
        """What a bar begins."""
        self.worst, self.loops, self.varies = max(self.worst, self.loops), 0, True


def regex_problem(pattern: str) -> str | None:
    """Why an expression could take very long, or is not one of which that is known; `None` if neither."""
    if len(pattern) > _MAX_CHARS:
        return "is longer than any that a tokenizer needs"
    return _Reader(pattern).problem()


class _Reader:
    """One expression, read once from front to back."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._open = [_Group()]

    def problem(self) -> str | None:
        """See `regex_problem`."""
        while self._at < len(self._text):
            wrong = self._step()
            if wrong is not None:
                return wrong
        return "does not close its groups" if len(self._open) > 1 else self._check(self._open[0])

    def _step(self) -> str | None:
        char = self._text[self._at]
        self._at += 1
        if char == "(":
            return self._begin()
        if char == ")":
            if len(self._open) == 1:
                return "closes a group that it did not open"
            group = self._open.pop()
            return self._check(group) or self._repeat(group)
        if char == "|":
            self._open[-1].next_alternative()
            return None
        if char in "*+?":
            return "repeats what is repeated already"
        if char == "[":
            return "does not close a class" if not self._skip_class() else self._repeat(None)
        if char == "\\":
            if _REFERENCE.match(self._text, self._at):
                return "refers back to what it matched"
            named = _CLASS.match(self._text, self._at)
            self._at = named.end() if named else self._at + 1
        return self._repeat(None)

    def _begin(self) -> str | None:
        if len(self._open) >= _DEPTH:
            return "nests its groups deeper than any that a tokenizer needs"
        if self._text[self._at : self._at + 1] == "?":
            options = _OPTIONS.match(self._text, self._at)
            if options is None:
                return "has a group of a kind that is not known"
            self._at = options.end()
            if options[0].endswith(")"):
                return None
        self._open.append(_Group())
        return None

    def _repeat(self, group: _Group | None) -> str | None:
        """Takes the repetition behind a part, if there is one, and adds the part to the group around it."""
        around = self._open[-1]
        loops = max(group.loops, group.worst) if group else 0
        most, least = self._count()
        if most != least:
            around.varies = True
        loops += most is None
        around.size += (group.size if group else 1) * (most or 1)
        if around.size > _SIZE:
            return f"repeats parts to more than {_SIZE} characters"
        if _COUNT.match(self._text, self._at):
            return "repeats what is repeated already"
        if group is not None and group.varies and (most is None or most > 1):
            return "repeats a part that matches in several ways"
        around.loops += loops
        around.varies = around.varies or bool(group and group.varies)
        return None

    def _count(self) -> tuple[int | None, int]:
        """How often a part may and must match; `None` for endlessly. Lazy and possessive marks change neither."""
        text, most, least = self._text, 1, 1
        char = text[self._at : self._at + 1]
        endless = char in {"*", "+"}
        if endless or char == "?":
            self._at += 1
            least = int(char == "+")
        elif counted := _COUNT.match(text, self._at):
            low, comma, high = counted.groups()
            self._at = counted.end()
            least = int(low or 0)
            endless = bool(comma) and not high
            most = int(high or 0) if comma else least
        else:
            return 1, 1
        if text[self._at : self._at + 1] in {"?", "+"}:
            self._at += 1
        return (None, least) if endless else (most, least)

    def _skip_class(self) -> bool:
        """Passes over a class, which may hold others; says whether it ends."""
        depth, first = 1, True
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char == "\\":
                self._at += 1
            elif char == "[":
                depth += 1
                first = True
                continue
            elif char == "^" and first:
                continue
            elif char == "]" and not first:
                depth -= 1
                if depth == 0:
                    return True
            first = False
        return False

    @staticmethod
    def _check(group: _Group) -> str | None:
        if max(group.loops, group.worst) > _LOOPS:
            return f"has more than {_LOOPS} endless repetitions one after the other"
        return None
