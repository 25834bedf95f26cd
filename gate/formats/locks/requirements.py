"""Requirement files of pip with hashes, as pip-compile, uv and pip freeze write them.

Each line pins one version by `==` and gives `--hash`. What reads other files, an editable install or an environment
variable is a problem or an open package: pip would install what the file does not say. Source: pip, "Requirements
File Format" and "Secure installs".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gate.formats.locks.common import LockError, Packages, hashed, hexadecimal, is_repository, prefixed, python_name
from gate.model.dependencies import Dependency

_COMMENT: Final = re.compile(r"(^|\s+)#.*$")
_NAMED: Final = re.compile(
    r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[A-Za-z0-9._,\s-]*\])?\s*(.*)", re.DOTALL
)
_EXACT: Final = re.compile(r"={2,3}\s*([^\s,;*=<>!~()]+)")
_FRAGMENT: Final = re.compile(r"[#&](sha256|sha384|sha512)=([0-9A-Fa-f]+)")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|git@")
# They choose where from and in which form, and a hash holds for all of that.
_HARMLESS: Final = frozenset(
    {
        "extra-index-url",
        "f",
        "find-links",
        "i",
        "index-url",
        "no-binary",
        "no-index",
        "only-binary",
        "pre",
        "prefer-binary",
        "require-hashes",
        "trusted-host",
    }
)


def read(data: bytes) -> Packages:
    """The packages of a requirements file; raises `LockError`."""
    try:
        content = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LockError(f"it is not UTF-8: {error.reason}") from None
    packages = Packages()
    for line in _logical(content):
        if "${" in line:
            raise LockError(f"{line[:200]!r} depends on the environment")
        if line.startswith("-"):
            _option(line, packages)
        else:
            packages.add(_requirement(line))
    return packages


def _logical(content: str) -> Iterator[str]:
    """Lines without comments and blanks, joined where one ends in a backslash; a comment ends such a line too."""
    parts: list[str] = []
    for line in content.splitlines():
        if line.endswith("\\") and not _COMMENT.match(line):
            parts.append(line[:-1])
            continue
        parts.append(f" {line}" if _COMMENT.match(line) else line)
        joined = _COMMENT.sub("", "".join(parts)).strip()
        parts = []
        if joined:
            yield joined
    rest = _COMMENT.sub("", "".join(parts)).strip()
    if rest:
        yield rest


def _option(line: str, packages: Packages) -> None:
    word, _, rest = line.replace("=", " ", 1).partition(" ")
    if word in {"-e", "--editable"}:
        packages.add(_place(rest.strip(), is_editable=True))
    elif word.removeprefix("-").removeprefix("-") not in _HARMLESS or " -" in f" {' '.join(rest.split())}":
        raise LockError(f"{line[:200]!r} reads what is not in this file; name the whole lock in one file")


def _requirement(line: str) -> Dependency:
    words = line.split()
    count = next((number for number, word in enumerate(words) if word.startswith("--")), len(words))
    hashes = _hashes(words[count:], line)
    wanted = " ".join(words[:count])
    plain = wanted.split(";")[0].strip()
    named = _NAMED.fullmatch(plain)
    if named is None or _is_place(plain):
        found = _place(plain)
    elif named[2].startswith("@"):
        found = _place(named[2][1:].strip(), python_name(named[1]))
    else:
        exact = _EXACT.fullmatch(named[2])
        version = exact[1] if exact else None
        return hashed(Dependency(python_name(named[1]), version, is_complete=version is not None), hashes)
    fragments = [hexadecimal(algorithm, digest) for algorithm, digest in _FRAGMENT.findall(plain)]
    return hashed(found, hashes or fragments)


def _hashes(words: list[str], line: str) -> list[str | None]:
    found: list[str | None] = []
    for word in " ".join(words).replace("--hash ", "--hash=").split():
        option, _, value = word.partition("=")
        if option != "--hash":
            raise LockError(f"{line[:200]!r} has the option {word[:80]!r}, which is not read")
        found.append(prefixed(value))
    return found


def _is_place(plain: str) -> bool:
    is_path = plain.startswith((".", "/")) or plain.endswith((".whl", ".zip", ".tar.gz"))
    return is_path or _URL.match(plain) is not None


def _place(place: str, name: str | None = None, *, is_editable: bool = False) -> Dependency:
    """A package from a URL, a repository or a path."""
    if is_editable or is_repository(place):
        is_path = _URL.match(place) is None
        return Dependency(
            name or place, None, source=place, folder=place if is_path else None, is_local=is_path, is_mutable=True
        )
    if _URL.match(place) or place.endswith((".whl", ".zip", ".tar.gz")):
        return Dependency(name or place, None, source=place)
    return Dependency(name or place, None, source=place, folder=place, is_local=True)
