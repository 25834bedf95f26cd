"""Lock files of Python's tools: uv, Poetry, PDM, Pipenv, and the common one (PEP 751).

They list the files of each version with their hashes. A package is locked when each file that may be installed has a
secure one: an installer takes the file that fits the machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from gate.formats.locks.common import (
    LockError,
    Packages,
    entries,
    hashed,
    json_object,
    name_of,
    prefixed,
    python_name,
    table,
    text,
    toml,
)
from gate.model.dependencies import Dependency

_FOLDERS: Final = ("directory", "editable", "virtual")
_REPOSITORIES: Final = ("git", "hg", "svn", "bzr")


def read_uv(data: bytes) -> Packages:
    """`uv.lock`, version 1; raises `LockError`."""
    value = toml(data)
    if value.get("version") != 1:
        raise LockError(f"it is of version {str(value.get('version'))[:40]}, version 1 is read")
    packages = Packages()
    for entry in entries(value.get("package"), "package"):
        source = table(entry.get("source"), "source")
        files = [table(entry["sdist"], "sdist")] if "sdist" in entry else []
        files += entries(entry.get("wheels"), "wheels")
        packages.add(hashed(_uv_place(entry, source), [prefixed(file.get("hash")) for file in files]))
    return packages


def _uv_place(entry: Mapping[str, Any], source: Mapping[str, Any]) -> Dependency:
    name, version = python_name(name_of(entry.get("name"), "a package")), text(entry.get("version"))
    for kind, value in source.items():
        if not isinstance(value, str):
            continue
        if kind in _FOLDERS:
            return Dependency(name, version, source=value, folder=value, is_local=True)
        if kind in {"registry", "url", "path"}:
            return Dependency(name, version, source=value, is_complete=version is not None or kind != "registry")
        if kind == "git":
            return Dependency(name, version, source=f"git+{value}", is_mutable=True)
    raise LockError(f"the source of {name[:200]!r} is none that is known")


def read_poetry(data: bytes) -> Packages:
    """`poetry.lock`, versions 1 and 2; raises `LockError`."""
    value = toml(data)
    metadata = table(value.get("metadata"), "metadata")
    _check_version(metadata.get("lock-version"), ("1.", "2."))
    older = table(metadata.get("files"), "metadata.files")
    packages = Packages()
    for entry in entries(value.get("package"), "package"):
        name = name_of(entry.get("name"), "a package")
        files = entries(entry.get("files", older.get(name)), "files")
        source = table(entry.get("source"), "source")
        kind, url = source.get("type", "legacy"), text(source.get("url"))
        packages.add(
            hashed(
                Dependency(
                    python_name(name),
                    version := text(entry.get("version")),
                    source=f"git+{url}" if kind == "git" else url,
                    folder=url if kind == "directory" else None,
                    is_local=kind == "directory",
                    is_mutable=kind not in {"legacy", "url", "file"},
                    is_complete=version is not None,
                ),
                _each(files),
            )
        )
    return packages


def read_pdm(data: bytes) -> Packages:
    """`pdm.lock`, version 4; raises `LockError`."""
    value = toml(data)
    _check_version(table(value.get("metadata"), "metadata").get("lock_version"), ("4.",))
    packages = Packages()
    for entry in entries(value.get("package"), "package"):
        files = entries(entry.get("files"), "files")
        packages.add(hashed(_placed(entry, text(entry.get("version")), has_files=bool(files)), _each(files)))
    return packages


def read_pipenv(data: bytes) -> Packages:
    """`Pipfile.lock`, specification 6; raises `LockError`."""
    value = json_object(data)
    if table(value.get("_meta"), "_meta").get("pipfile-spec") != 6:
        raise LockError("it is not of Pipfile specification 6")
    packages = Packages()
    for category in sorted(value.keys() - {"_meta"}):
        for name, found in sorted(table(value[category], category).items()):
            entry = table(found, name)
            said = text(entry.get("version")) or ""
            version = said.removeprefix("==") if said.startswith("==") and "*" not in said else None
            hashes = entry.get("hashes", [])
            if not isinstance(hashes, list):
                raise LockError(f"the hashes of {name[:200]!r} are no list")
            item = _placed({**entry, "name": name}, version, has_files=bool(hashes))
            packages.add(hashed(item, [prefixed(text) for text in hashes]))
    return packages


def read_pylock(data: bytes) -> Packages:
    """`pylock.toml`, version 1 (PEP 751); raises `LockError`."""
    value = toml(data)
    _check_version(value.get("lock-version"), ("1.",))
    packages = Packages()
    for entry in entries(value.get("packages"), "packages"):
        name, version = python_name(name_of(entry.get("name"), "a package")), text(entry.get("version"))
        files = [table(entry[kind], kind) for kind in ("archive", "sdist") if kind in entry]
        files += entries(entry.get("wheels"), "wheels")
        folder = text(table(entry.get("directory"), "directory").get("path"))
        is_local = "directory" in entry
        place = text(table(entry.get("vcs"), "vcs").get("url"))
        item = Dependency(name, version, (), place or folder, folder, is_local, is_mutable="vcs" in entry)
        packages.add(hashed(item, [_strong(table(file.get("hashes"), "hashes")) for file in files]))
    return packages


def _strong(hashes: Mapping[str, Any]) -> str | None:
    found = (prefixed(f"{algorithm}:{hashes.get(algorithm)}") for algorithm in ("sha256", "sha384", "sha512"))
    return next((digest for digest in found if digest is not None), None)


def _placed(entry: Mapping[str, Any], version: str | None, *, has_files: bool) -> Dependency:
    """A package of PDM or Pipenv: of the index, or where its own members say."""
    name = python_name(name_of(entry.get("name"), "a package"))
    for kind in _REPOSITORIES:
        if kind in entry:
            return Dependency(name, version, source=f"{kind}+{entry[kind]}", is_mutable=True)
    path = text(entry.get("path"))
    if path is not None or entry.get("editable", False) is not False:
        is_folder = not has_files or "editable" in entry
        return Dependency(name, version, source=path, folder=path if is_folder else None, is_local=is_folder)
    url = text(entry.get("url")) or text(entry.get("file"))
    return Dependency(name, version, source=url, is_complete=version is not None or url is not None)


def _each(files: Iterable[Mapping[str, Any]]) -> list[str | None]:
    return [prefixed(file.get("hash")) for file in files]


def _check_version(value: Any, known: tuple[str, ...]) -> None:
    if not isinstance(value, str) or not value.startswith(known):
        raise LockError(f"it is of version {str(value)[:40]!r}, {' and '.join(f'{one}x' for one in known)} are read")
