"""What the readers of every section of the configuration share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from gate.formats.glob import compile_glob
from gate.formats.predicates import known_claims, problem_of_type
from gate.formats.strict_yaml import Node, YamlError, suggestion
from gate.model.claim import CLAIMS, is_claim_pattern, is_predicate_type
from gate.model.path import is_plain_relative

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::[1-9][0-9]{0,4})?")
"""A host, maybe with a port: no scheme, no path."""
MAX_TIMEOUT_S: Final = 600
_SIZE: Final = re.compile(r"([0-9]{1,9})(B|KiB|MiB|GiB)?")
_SIZE_UNIT: Final = {None: 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


class Source(Protocol):
    """Where the configuration and what it names are read from."""

    @property
    def name(self) -> str:
        """For people and the decision: `worktree`, or the commit id of the merge base."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file below the root; `None` when there is none."""

    def folder(self, path: str, wanted: Callable[[str], bool]) -> Mapping[str, bytes] | None:
        """The files below a folder whose path below it is wanted; `None` when there is no such folder.

        What is wanted and no regular file raises an error.
        """


def read(source: Source, node: Node, what: str) -> bytes:
    """The bytes of a file that the configuration names."""
    found = source.read(relative_path(node))
    if found is None:
        raise node.error(f"{what}: there is no file {node.text()!r} in {source.name}")
    return found


def named(node: Node | None) -> Mapping[str, Node]:
    """The members of a mapping from plain names; empty when the key is absent."""
    members = node.members() if node is not None else {}
    for name in members:
        if node is not None and not NAME.fullmatch(name):
            line, column = node.keys[name]
            raise YamlError(f"{name[:80]!r} is not a name: letters, digits, '.', '_' and '-'", line, column)
    return members


def relative_path(node: Node) -> str:
    """A path below the root, without a trailing slash."""
    text = node.text().rstrip("/") or "/"
    if not is_plain_relative(text):
        raise node.error(f"{node.text()[:120]!r} is not a relative path below the root ('/' between plain names)")
    return text


def glob(node: Node) -> None:
    """Checks a glob."""
    try:
        compile_glob(node.text())
    except ValueError as error:
        raise node.error(f"not a glob: {error}") from None


def claim(node: Node, *, pattern: bool = False) -> None:
    """Checks a claim, a pattern of claims, or a predicate type of others, which is a claim of its own."""
    problem = claim_problem(node.text(), pattern=pattern)
    if problem is not None:
        raise node.error(problem)


def claim_problem(text: str, *, pattern: bool = False) -> str | None:
    """Why a text names no claim; `None` if it does."""
    if is_predicate_type(text):
        problem = problem_of_type(text)
        return None if problem is None else f"{text[:200]!r} {problem}"
    known = known_claims(text)
    if text in known or (pattern and is_claim_pattern(text, known)):
        return None
    return not_a_claim(text)


def not_a_claim(text: str) -> str:
    """What is wrong with a claim that is none."""
    if text.startswith("x."):
        installed = ", ".join(sorted(known_claims(text) - CLAIMS)) or "none"
        return f"{text[:120]!r} is not a claim of an installed plugin; installed: {installed}"
    return f"{text!r} is not a claim{suggestion(text, sorted(CLAIMS))}"


def flag(node: Node | None) -> bool:
    """True or false; false when the key is absent."""
    if node is None:
        return False
    if not isinstance(node.value, bool):
        raise node.error("expected true or false")
    return node.value


def host(node: Node) -> str:
    """A host in lower case, maybe with a port."""
    if not HOST.fullmatch(node.text()):
        raise node.error("expected a host, such as auth.example or auth.example:5001")
    return node.text().lower()


def seconds(node: Node) -> int:
    """A time limit for what is asked of a server."""
    if not isinstance(node.value, int) or isinstance(node.value, bool) or not 1 <= node.value <= MAX_TIMEOUT_S:
        raise node.error(f"expected a whole number from 1 to {MAX_TIMEOUT_S}")
    return node.value


def size(node: Node) -> int:
    """A number of bytes, or of other things, as a number or with a unit."""
    match = _SIZE.fullmatch(str(node.value)) if isinstance(node.value, str | int) else None
    found = int(match[1]) * _SIZE_UNIT[match[2]] if match else 0
    if isinstance(node.value, bool) or not 1 <= found < 1 << 40:
        raise node.error("expected a positive number, or a size such as 64KiB or 1MiB")
    return found
