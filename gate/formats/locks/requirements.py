"""Requirement files of pip with hashes, as pip-compile, uv and pip freeze write them.

Each line pins one version by `==` and gives `--hash`. What reads other files, an editable install or an environment
variable is a problem or an open package: pip would install what the file does not say. Source: pip, "Requirements
File Format" and "Secure installs".
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import unquote

from gate.formats.locks.common import (
    LockError,
    Packages,
    hashed,
    hexadecimal,
    is_repository,
    lines,
    prefixed,
    python_name,
)
from gate.model.dependencies import Dependency

_COMMENT: Final = re.compile(r"(^\s*+|(?<=\s))#.*$")
_NAMED: Final = re.compile(
    r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[A-Za-z0-9._,\s-]*\])?\s*(.*)", re.DOTALL
)
_EXACT: Final = re.compile(r"={2,3}\s*([^\s,;*=<>!~()]+)")
_FRAGMENT: Final = re.compile(r"[#&]([A-Za-z0-9_]+)=([^#&]*)")
_WHEEL: Final = re.compile(r"([^-/]+)(-[^-/]+){4,5}\.whl")
_FILES: Final = (".whl", ".zip", ".tar.gz")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|git@")
# They choose where from and in which form, and a hash holds for all of that.
_FLAGS: Final = frozenset({"--no-index", "--pre", "--prefer-binary", "--require-hashes"})
_VALUED: Final = frozenset(
    {
        *(f"--{word}" for word in ("extra-index-url", "find-links", "index-url", "no-binary", "only-binary")),
        "--trusted-host",
        "-f",
        "-i",
    }
)
_CODING: Final = re.compile(rb"coding[:=]\s*([-\w.]+)")


def read(data: bytes) -> Packages:
    """The packages of a requirements file; raises `LockError`."""
    _check_coding(data)
    logical = list(_logical(lines(data)))
    # Without a hash of its own on some line, pip asks for none of what these packages need in turn.
    is_asked = any(line.startswith("--require-hashes") or " --hash" in line for line in logical)
    packages = Packages()
    for line in logical:
        if "${" in line:
            raise LockError(f"{line[:200]!r} depends on the environment")
        if line.startswith("-"):
            _option(line, packages)
        else:
            packages.add(_requirement(line, is_asked=is_asked))
    return packages


def _check_coding(data: bytes) -> None:
    """A file is read by pip in the encoding that it declares (PEP 263), else in that of the machine."""
    said = [found[1].decode("ascii", "replace") for line in data.split(b"\n")[:2] for found in _CODING.finditer(line)]
    for word in said:
        if word.lower().replace("_", "-") not in {"utf-8", "utf8"}:
            raise LockError(f"it declares the encoding {word[:80]!r}; UTF-8 is read")
    if not said and b"\x85" in data:
        raise LockError("a character in it ends a line in another encoding; declare UTF-8 in its first line")


def _logical(content: Iterable[str]) -> Iterator[str]:
    """Lines without comments and blanks, joined where one ends in a backslash; a comment ends such a line too."""
    parts: list[str] = []
    for line in content:
        if line.startswith("\\") or line.endswith("\\\\") or (line.endswith("\\") and _COMMENT.search(line)):
            raise LockError(f"{line[:200]!r} goes on in one tool, and ends in another")
        if line.endswith("\\"):
            parts.append(line[:-1])
            continue
        parts.append(f" {line}" if _COMMENT.match(line) else line)
        joined = _COMMENT.sub("", "".join(parts)).strip()
        parts = []
        if joined:
            yield joined
    rest = "".join(parts).strip()
    if rest:
        yield rest


def _option(line: str, packages: Packages) -> None:
    """An option, as pip's own parser takes it: by its whole name, with one plain word."""
    long, equals, value = line.partition("=") if line.startswith("--") else (line, "", "")
    words = [long, value] if equals else line.split()
    is_plain = not any(word.startswith("-") or re.search(r"""[\s"'\\]""", word) for word in words[1:])
    if words[0] in {"-e", "--editable"} and is_plain and len(words) == 2:
        packages.add(_place(words[1], is_editable=True))
    elif not is_plain or (words[0], len(words)) not in {(word, 1) for word in _FLAGS} | {(word, 2) for word in _VALUED}:
        raise LockError(f"{line[:200]!r} reads what is not in this file; name the whole lock in one file")


def _requirement(line: str, *, is_asked: bool) -> Dependency:
    words = line.split()
    count = next((number for number, word in enumerate(words) if word.startswith("-")), len(words))
    hashes = _hashes(words[count:], line)
    wanted = " ".join(words[:count])
    plain = wanted.split(";")[0].strip()
    named = _NAMED.fullmatch(plain)
    if named is not None and named[2].startswith("@"):
        found = _place(named[2][1:].strip(), python_name(named[1]))
    elif named is None or _is_place(plain):
        found = _place(plain, _file_name(plain))
    else:
        exact = _EXACT.fullmatch(named[2])
        version = exact[1] if exact else None
        return hashed(Dependency(python_name(named[1]), version, is_complete=version is not None), hashes)
    # Beside `--hash`, pip is content with the one in the address, and with a weak one.
    fragments = [
        hexadecimal(algorithm, digest) if is_asked else None
        for algorithm, digest in _FRAGMENT.findall(plain)
        if algorithm not in {"egg", "subdirectory"}
    ]
    return hashed(found, [*hashes, *fragments])


def _hashes(words: list[str], line: str) -> list[str | None]:
    found: list[str | None] = []
    for word in " ".join(words).replace("--hash ", "--hash=").split():
        option, _, value = word.partition("=")
        if option != "--hash":
            raise LockError(f"{line[:200]!r} has the option {word[:80]!r}, which is not read")
        found.append(prefixed(value))
    return found


def _file_name(place: str) -> str | None:
    """The name of the package in a file: a wheel's is that of its file, to which its installer holds it."""
    if is_repository(place) or not (_URL.match(place) or place.endswith(_FILES)):
        return None
    wheel = _WHEEL.fullmatch(unquote(posixpath.basename(re.split("[?#]", place)[0])))
    if wheel is None:
        raise LockError(f"{place[:200]!r} does not say which package it is; write `<name> @ <place>`")
    return python_name(wheel[1])


def _is_place(plain: str) -> bool:
    is_path = plain.startswith((".", "/")) or plain.endswith(_FILES)
    return is_path or _URL.match(plain) is not None


def _place(place: str, name: str | None = None, *, is_editable: bool = False) -> Dependency:
    """A package from a URL, a repository or a path."""
    if is_editable or is_repository(place):
        is_path = _URL.match(place) is None
        return Dependency(
            name or place, None, source=place, folder=place if is_path else None, is_local=is_path, is_mutable=True
        )
    if _URL.match(place) or place.endswith(_FILES):
        return Dependency(name or place, None, source=place)
    return Dependency(name or place, None, source=place, folder=place, is_local=True)
