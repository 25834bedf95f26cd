"""Which package the name of a subject stands for: a package URL, or the file name of a distribution.

A digest says which bytes a statement is about; what it calls them must not be another package than the lock says.
Sources: PEP 440, 503, 625 and 427 for PyPI, the package URL specification, and how npm and Cargo name their archives.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

PYPI: Final = "pypi"
NPM: Final = "npm"
_INDEXES: Final = {
    **dict.fromkeys(("pdm", "pipenv", "poetry", "pylock", "requirements", "uv"), PYPI),
    **dict.fromkeys(("npm", "pnpm", "yarn"), NPM),
    "cargo": "cargo",
    "go": "golang",
    "go.mod": "golang",
}
_PURL: Final = re.compile(r"pkg:/*([A-Za-z0-9.+-]+)/+([^?#]+)", re.IGNORECASE)
_WHEEL: Final = re.compile(r"([^-]+)-([^-]+)(-\d[^-]*)?-[^-]+-[^-]+-[^-]+\.whl", re.IGNORECASE)
_ARCHIVE: Final = re.compile(r"(.+)\.(tar\.gz|tgz|tar\.bz2|tar\.xz|zip|crate)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"v?\d")
_NUMBERED: Final = re.compile(r"[^-]-v?\d")
_SEPARATORS: Final = re.compile(r"[-_.]+")
_VERSION: Final = re.compile(
    r"v?(?:(\d+)!)?(\d+(?:\.\d+)*)"
    r"(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?(\d*))?"
    r"(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?"
    r"(?:[-_.]?(dev)[-_.]?(\d*))?"
    r"(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?",
    re.ASCII,
)
_BEFORE: Final = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}


def index_of(lock_format: str | None) -> str | None:
    """The index whose packages a lock file of a format names, as package URLs call it."""
    return _INDEXES.get(lock_format or "")


def is_of(index: str, name: str, version: str | None, called: str) -> bool | None:
    """Whether what a statement calls `called` is this package; `None` where that says no package at all.

    Versions are compared where both are known.
    """
    if called.lower().startswith("pkg:"):
        return _is_purl(index, name, version, called)
    file = re.split(r"[/\\]", called)[-1]
    wheel, archive = _WHEEL.fullmatch(file), _ARCHIVE.fullmatch(file)
    if wheel is not None:
        return index == PYPI and _is_same(index, name, version, wheel[1], wheel[2])
    if archive is None:
        return None
    return _is_archive(index, name, version, archive[1])


def _is_purl(index: str, name: str, version: str | None, called: str) -> bool:
    found = _PURL.fullmatch(re.split("[?#]", called)[0])
    if found is None or found[1].lower() != index:
        return False
    path = found[2]
    place = path.rfind("@")
    cut = place if place > path.rfind("/") + 1 else len(path)
    return _is_same(index, name, version, unquote(path[:cut]), unquote(path[cut + 1 :]) or None)


def _is_archive(index: str, name: str, version: str | None, stem: str) -> bool | None:
    if index == PYPI:
        said, _, number = stem.rpartition("-")
        return _is_same(index, name, version, said, number) if said and _VERSION.fullmatch(number.lower()) else None
    # An archive of npm has no place for a scope: `@acme/tool` is `acme-tool` or `tool`.
    for head in (name.removeprefix("@").replace("/", "-"), name.rpartition("/")[2]):
        number = stem.removeprefix(f"{head}-")
        if number != stem and _NUMBER.match(number) and _is_same_version(index, version, number):
            return True
    return False if _NUMBERED.search(stem) else None


def _is_same(index: str, name: str, version: str | None, said: str, number: str | None) -> bool:
    return _plain(index, name) == _plain(index, said) and _is_same_version(index, version, number)


def _plain(index: str, name: str) -> str:
    return _SEPARATORS.sub("-", name).lower() if index == PYPI else name


def _is_same_version(index: str, version: str | None, number: str | None) -> bool:
    if version is None or number is None:
        return True
    if index != PYPI:
        return version.removeprefix("v") == number.removeprefix("v")
    wanted, found = _normal(version), _normal(number)
    # `==1.0` asks for `1.0+cpu` too.
    return wanted == found or (wanted[-1] == "" and wanted[:-1] == found[:-1])


def _normal(version: str) -> tuple[str, ...]:
    """A version of Python in normal form, the local part last; of what is none, the text."""
    found = _VERSION.fullmatch(version.strip().lower())
    if found is None:
        return (version,)
    epoch, release, word, number, implicit, post, after, dev, at, local = found.groups("")
    numbers = [_number(part) for part in release.split(".")]
    while len(numbers) > 1 and numbers[-1] == "0":
        numbers.pop()
    ends = (
        f"{_BEFORE.get(word, word)}{_number(number)}" if word else "",
        f"post{_number(implicit or after)}" if implicit or post else "",
        f"dev{_number(at)}" if dev else "",
    )
    return (_number(epoch), ".".join(numbers), *ends, _SEPARATORS.sub(".", local))


def _number(digits: str) -> str:
    return digits.lstrip("0") or "0"
