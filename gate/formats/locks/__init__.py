"""Lock files: which names they have, and what they lock. Nothing is run, and nothing is looked up.

A file is known by its name, since its tool looks for that name; in any case, since some file systems know no case. What
is no lock that the gate reads has a problem, and so has one that locks nothing: neither is clean.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Final

from gate.formats.locks import cargo, go, javascript, python, requirements
from gate.formats.locks.common import LockError, Packages
from gate.model.dependencies import Lock

_READERS: Final[Mapping[str, tuple[str, Callable[[bytes], Packages]]]] = {
    "Cargo.lock": ("cargo", cargo.read_cargo),
    "Pipfile.lock": ("pipenv", python.read_pipenv),
    "go.mod": ("go.mod", go.replaced),
    "go.sum": ("go", go.read_go),
    "go.work": ("go.mod", go.replaced),
    "go.work.sum": ("go", go.read_go),
    "npm-shrinkwrap.json": ("npm", javascript.read_npm),
    "package-lock.json": ("npm", javascript.read_npm),
    "pdm.lock": ("pdm", python.read_pdm),
    "pnpm-lock.yaml": ("pnpm", javascript.read_pnpm),
    "poetry.lock": ("poetry", python.read_poetry),
    "uv.lock": ("uv", python.read_uv),
    "yarn.lock": ("yarn", javascript.read_yarn),
}
_NAMES: Final = {name.lower(): name for name in _READERS}
_PYLOCK: Final = re.compile(r"pylock\.([^.]+\.)?toml", re.IGNORECASE)
_REQUIREMENTS: Final = re.compile(r"([^/]*[._-])?requirements([._-][^/]*)?\.(txt|lock)", re.IGNORECASE)
_IN_REQUIREMENTS: Final = re.compile(r"(.*/)?requirements/[^/]+\.(txt|lock)", re.IGNORECASE)
_OTHERS: Final = re.compile(
    r".*\.(lock|lockb|lockfile)|conda-lock\.ya?ml|gradle\.lockfile|packages\.lock\.json|Package\.resolved",
    re.IGNORECASE,
)
_PYTHON: Final = (r"(uv|poetry|pdm)\.lock", _PYLOCK.pattern, _REQUIREMENTS.pattern, r"requirements/[^/]+\.(txt|lock)")
_OF_PYTHON: Final = re.compile("|".join(f"({text})" for text in (*_PYTHON, r"Pipfile\.lock")))
_OF_CONDA: Final = re.compile(r"conda-lock\.ya?ml|conda-[^/]*\.lock")
# What asks for packages, and the locks of which one must lie beside it or above, with the names that tools look for.
_MANIFESTS: Final[Mapping[str, re.Pattern[str]]] = {
    "cargo.toml": re.compile(r"Cargo\.lock"),
    "environment.yaml": _OF_CONDA,
    "environment.yml": _OF_CONDA,
    "gemfile": re.compile(r"Gemfile\.lock"),
    "go.mod": re.compile(r"go\.sum"),
    "package.json": re.compile(r"package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml"),
    "pipfile": re.compile(r"Pipfile\.lock"),
    "pyproject.toml": re.compile("|".join(f"({text})" for text in _PYTHON)),
    "setup.cfg": _OF_PYTHON,
    "setup.py": _OF_PYTHON,
}


def is_lock(path: str) -> bool:
    """Whether a file has the name of a lock file, also of one that is not read."""
    name = posixpath.basename(path)
    return name.lower() in _NAMES or any(
        found is not None
        for found in (
            _PYLOCK.fullmatch(name),
            _REQUIREMENTS.fullmatch(name),
            _IN_REQUIREMENTS.fullmatch(path),
            _OTHERS.fullmatch(name),
        )
    )


def unlocked(path: str, files: Mapping[str, object]) -> bool:
    """Whether a file asks for packages, and none of `files` beside or above it locks them."""
    wanted = _MANIFESTS.get(posixpath.basename(path).lower())
    folder = posixpath.dirname(path)
    while wanted is not None:
        prefix = f"{folder}/" if folder else ""
        if any(file.startswith(prefix) and wanted.fullmatch(file.removeprefix(prefix)) for file in files):
            return False
        if not folder:
            return True
        folder = posixpath.dirname(folder)
    return False


def read_lock(path: str, data: bytes) -> Lock:
    """What the file at a path locks; never raises."""
    word, reader = _reader(path)
    if reader is None:
        return Lock(None, {}, ("it is in no format that the gate reads",))
    try:
        return Lock(word, reader(data).found)
    except LockError as error:
        return Lock(word, {}, (str(error),))


def _reader(path: str) -> tuple[str | None, Callable[[bytes], Packages] | None]:
    name = posixpath.basename(path)
    if name.lower() in _NAMES:
        return _READERS[_NAMES[name.lower()]]
    if _PYLOCK.fullmatch(name):
        return "pylock", python.read_pylock
    if _REQUIREMENTS.fullmatch(name) or _IN_REQUIREMENTS.fullmatch(path):
        return "requirements", requirements.read
    return None, None
