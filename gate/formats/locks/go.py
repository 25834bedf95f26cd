"""Lock files of Go.

`go.sum` lists the hash of each module's files (`h1`, the `dirHash` of in-toto) and of each `go.mod`; what is replaced
by a folder or another module stands in `go.mod` and `go.work` alone, as do the folders of a workspace.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from gate.formats.locks.common import LockError, Packages, hashed, hexadecimal, lines
from gate.model.dependencies import Dependency

_GO_MOD: Final = "/go.mod"
_VERBS: Final = frozenset(
    {"exclude", "go", "godebug", "ignore", "module", "replace", "require", "retract", "tool", "toolchain", "use"}
)
# As Go's own reader cuts a line: texts in quotes, the arrow, brackets, and words that end at blanks or a comment.
_TOKEN: Final = re.compile(r"\"([^\"\\`]*)\"|`([^`]*)`|(=>|[()\[\],])|((?:(?!//|/\*)[^\s()\[\]{},\"`])+)|\s+")


def read_go(data: bytes) -> Packages:
    """`go.sum` and `go.work.sum`; raises `LockError`."""
    found: dict[tuple[str, str], str | None] = {}
    for line in lines(data):
        words = line.split()
        if not words:
            continue
        if len(words) != 3:
            raise LockError(f"the line {line[:200]!r} is not `<module> <version> <hash>`")
        place = words[0], words[1]
        digest = _h1(words[2])
        if found.get(place, digest) != digest:
            raise LockError(f"it has two hashes of {words[0][:200]} {words[1][:80]}")
        found[place] = digest
    packages = Packages()
    for (module, version), digest in found.items():
        if not version.endswith(_GO_MOD):
            packages.add(hashed(Dependency(module, version), [digest]))
    return packages


def replaced(data: bytes) -> Packages:
    """What a `go.mod` or `go.work` replaces or uses: folders, and modules by their source; raises `LockError`."""
    packages = Packages()
    block: str | None = None
    for line in lines(data):
        words = _words(line)
        if block is None and words[1:] == ["("] and words[0] in _VERBS:
            block = words[0]
        elif block is not None and words == [")"]:
            block = None
        elif words:
            verb, *rest = words if block is None else [block, *words]
            _statement(verb, rest, line, packages)
    if block is not None:
        raise LockError(f"its block {block!r} does not end")
    return packages


def _words(line: str) -> list[str]:
    words, place = [], 0
    while place < len(line) and not line.startswith("//", place):
        found = _TOKEN.match(line, place)
        if found is None:
            raise LockError(f"the line {line[:200]!r} is not of this format")
        words += [word for word in found.groups() if word is not None]
        place = found.end()
    return words


def _statement(verb: str, words: list[str], line: str, packages: Packages) -> None:
    if verb == "use" and len(words) == 1:
        packages.add(Dependency(words[0], None, source=words[0], folder=words[0], is_local=True))
        return
    if verb == "replace" and "=>" in words:
        arrow = words.index("=>")
        old, new = words[:arrow], words[arrow + 1 :]
        if len(old) in {1, 2} and len(new) == 1:
            packages.add(Dependency(old[0], None, source=new[0], folder=new[0], is_local=True))
            return
        if len(old) in {1, 2} and len(new) == 2 and "=>" not in new:
            packages.add(Dependency(old[0], new[1], source=new[0], is_complete=False))
            return
    if verb not in _VERBS - {"replace", "use"} or any("=>" in word for word in words):
        raise LockError(f"the line {line[:200]!r} is not of this format")


def _h1(word: str) -> str | None:
    try:
        return hexadecimal("sha256", base64.b64decode(word.removeprefix("h1:"), validate=True).hex())
    except (binascii.Error, ValueError):
        return None
