"""What a container runs: the words of its command, and the simple commands in lines of a shell.

A shell is not played: of a line with quotes that do not end nothing is known, and what it would put in is told.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_SHELLS: Final = frozenset({"ash", "bash", "dash", "ksh", "sh", "zsh"})
_LONGEST: Final = 1 << 14
"""Characters of a text that variables are put in, or of a line of a shell; more of them are not looked at."""
_PUNCTUATION: Final = frozenset("();<>|&")
_INSERTION: Final = re.compile(r"`[^`]*`?|\$\{[^}]*\}?|\$\w+|\$.?")
_VARIABLE: Final = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_REFERENCE: Final = re.compile(r"\$\$|\$\(([-._A-Za-z0-9]+)\)")
_TALK: Final = frozenset(
    {
        *("#", ":", "[", "cat", "cd", "chmod", "echo", "export", "false", "grep", "kill", "ls", "mkdir", "pgrep"),
        *("pkill", "printf", "ps", "sleep", "test", "true"),
    }
)
"""Programs that start nothing, whatever they are told."""


@dataclass(frozen=True, slots=True)
class Command:
    """What a container runs: its image, words and variables.

    `others` are commands that probes and hooks start beside it. `unknown` tells what the manifest does not show, and
    `hidden` names variables of which it shows no value.
    """

    image: str | None
    words: Sequence[str]
    variables: Mapping[str, str]
    framework: str | None = None
    unknown: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    others: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One program with its words, and what a shell would put in them."""

    words: tuple[str, ...]
    insertions: tuple[str, ...] = ()


def runs_of(words: Sequence[str], variables: Mapping[str, str]) -> tuple[list[Run], bool]:
    """The programs that words start as far as they show them, and whether a shell starts them."""
    shells = [number for number, word in enumerate(words) if word.rpartition("/")[2] in _SHELLS]
    lines = words[shells[0] + 1 :] if shells else ()
    runs = [run for line in lines for run in _runs(line, variables)] if shells else [Run(tuple(words))]
    return [run for run in runs if run.words and run.words[0] not in _TALK], bool(shells)


def expanded(text: str, variables: Mapping[str, str]) -> str | None:
    """A text of Kubernetes, where `$(NAME)` is the value of a variable and `$$` a dollar; `None` if it is too long."""
    if "$" not in text:
        return text
    if len(text) + sum(len(variables.get(name, "")) for name in _REFERENCE.findall(text)) > _LONGEST:
        return None
    return _REFERENCE.sub(lambda found: "$" if found[1] is None else variables.get(found[1], found[0]), text)


def _runs(line: str, variables: Mapping[str, str]) -> list[Run]:
    if len(line) + sum(len(variables.get(a or b, "")) for a, b in _VARIABLE.findall(line)) > _LONGEST:
        return []
    text = _VARIABLE.sub(lambda found: variables.get(found[1] or found[2], found[0]), line).replace("\\\n", " ")
    found: list[Run] = []
    for part in text.split("\n"):
        try:
            lexer = shlex.shlex(part, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words = list(lexer)
        except ValueError:
            return []
        insertions = tuple(dict.fromkeys(_INSERTION.findall(part)))
        program: list[str] = []
        for word in [*words, ";"]:
            if not set(word) <= _PUNCTUATION:
                program.append(word)
            elif program:
                found.append(
                    Run(tuple(program), insertions if any("$" in item or "`" in item for item in program) else ())
                )
                program = []
    return found
