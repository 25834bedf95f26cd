"""What the readers of lock files share: hashes in their forms, and a list of packages that loses none."""

from __future__ import annotations

import base64
import binascii
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.dependencies import Dependency

MAX_TEXT: Final = 4096
_LENGTH: Final = {"sha256": 64, "sha384": 96, "sha512": 128}
_HEX: Final = re.compile(r"[0-9a-f]+")
_REPOSITORY: Final = re.compile(r"(git|hg|svn|bzr)(\+|:|@)|(github|gitlab|bitbucket|gist):|.*\.git(#.*)?", re.DOTALL)
_SEPARATORS: Final = re.compile(r"[-_.]+")
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_ODD: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff]|\r(?!\n)")
_WEAK: Final = frozenset({"md5", "sha1", "sha224"})


class LockError(ValueError):
    """The bytes are not the lock file that their name says. The text says why."""


class Packages:
    """The packages of one file. Equal entries are one; different ones of one name and version are kept apart."""

    def __init__(self) -> None:
        self.found: dict[str, Dependency] = {}

    def add(self, item: Dependency) -> None:
        """Adds a package; texts are cut."""
        source = item.source[:MAX_TEXT] if item.source is not None else None
        version = item.version[:MAX_TEXT] if item.version is not None else None
        item = replace(item, name=item.name[:MAX_TEXT], version=version, source=source)
        first = key = f"{item.name}@{item.version or item.source or ''}"
        number = 1
        while self.found.get(key, item) != item:
            number += 1
            key = f"{first}#{number}"
        self.found[key] = item


def toml(data: bytes) -> Mapping[str, Any]:
    """A TOML document; raises `LockError`."""
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise LockError(f"it is not TOML: {error}") from None


def json_object(data: bytes) -> Mapping[str, Any]:
    """A JSON object; raises `LockError`."""
    try:
        return loads_object(data, limit=len(data))
    except StrictJsonError as error:
        raise LockError(f"it is not strict JSON: {error}") from None


def entries(value: Any, what: str) -> list[Mapping[str, Any]]:
    """A list of tables, absent for none; raises `LockError`."""
    found = [] if value is None else value
    if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
        raise LockError(f"{what} is not a list of tables")
    return found


def table(value: Any, what: str) -> Mapping[str, Any]:
    """A table, absent for an empty one; raises `LockError`."""
    found = {} if value is None else value
    if not isinstance(found, Mapping):
        raise LockError(f"{what} is not a table")
    return found


def name_of(value: Any, what: str) -> str:
    """A text that must be there; raises `LockError`."""
    if not isinstance(value, str) or not value:
        raise LockError(f"{what} has no name")
    return value


def text(value: Any) -> str | None:
    """A text, absent for one that says nothing; raises `LockError`."""
    if value is not None and not isinstance(value, str):
        raise LockError(f"{str(value)[:80]!r} is where a text belongs")
    return value or None


def only(entry: Mapping[str, Any], known: frozenset[str], what: str) -> None:
    """A member that is not known may say to a tool what the gate does not see; raises `LockError`."""
    odd = sorted(entry.keys() - known)
    if odd:
        raise LockError(f"{what[:200]} has the member {odd[0][:80]!r}, which is not read")


def is_version(value: Any, *known: int) -> bool:
    """Whether a number is one of these: `true` and `1.0` are not 1."""
    return type(value) is int and value in known


def lines(data: bytes) -> list[str]:
    """The lines of a text that every tool ends at the same places; raises `LockError`."""
    try:
        content = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LockError(f"it is not UTF-8: {error.reason}") from None
    odd = _ODD.search(content)
    if odd is not None:
        raise LockError(f"it has the character {odd[0]!r}, which tools read differently")
    return [line.removesuffix("\r") for line in content.split("\n")]


def python_name(name: str) -> str:
    """The normal form of the name of a Python distribution (PEP 503); raises `LockError` if it is none (PEP 508)."""
    if not _NAME.fullmatch(name):
        raise LockError(f"{name[:200]!r} is no name of a package")
    return _SEPARATORS.sub("-", name).lower()


def hexadecimal(algorithm: str, value: Any) -> str | None:
    """`<algorithm>:<hex>` where the algorithm is secure and the value has its form."""
    length = _LENGTH.get(algorithm)
    lower = value.lower() if isinstance(value, str) else ""
    return f"{algorithm}:{lower}" if len(lower) == length and _HEX.fullmatch(lower) else None


def prefixed(value: Any) -> str | None:
    """A hash of the form `sha256:<hex>`, as tools for Python write it."""
    algorithm, _, rest = value.partition(":") if isinstance(value, str) else ("", "", "")
    return hexadecimal(algorithm, rest)


def integrity(value: Any) -> tuple[str, ...]:
    """The hashes of the strongest algorithm in subresource integrity (W3C SRI), which alone is compared.

    None at all where a word is of another form: a tool may know an algorithm that is stronger. Raises `LockError`.
    """
    found: dict[str, list[str]] = {}
    for word in (text(value) or "").split():
        algorithm, _, rest = word.partition("-")
        if algorithm in _WEAK:
            continue
        try:
            digest = hexadecimal(algorithm, base64.b64decode(rest.partition("?")[0], validate=True).hex())
        except (binascii.Error, ValueError):
            digest = None
        if digest is None:
            return ()
        found.setdefault(algorithm, []).append(digest)
    return tuple(sorted(found[max(found, key=lambda name: _LENGTH[name])])) if found else ()


def hashed(item: Dependency, hashes: Iterable[str | None]) -> Dependency:
    """The package with these hashes; one that is not secure leaves it incomplete."""
    every = list(hashes)
    digests = tuple(sorted({digest for digest in every if digest is not None}))
    return replace(item, digests=digests, is_complete=item.is_complete and None not in every)


def is_repository(source: str | None) -> bool:
    """Whether a source is a version control system's, whose names move and whose bytes no hash is about."""
    return source is not None and _REPOSITORY.match(source) is not None
