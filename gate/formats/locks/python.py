"""Lock files of Python's tools: uv, Poetry, PDM, Pipenv, and the common one (PEP 751).

They list the files of each version with their hashes. A package is locked when each file that may be installed has a
secure one: an installer takes the file that fits the machine. What says two places of a package says neither, and a
member that is not known is a problem: the tool could take what the gate does not see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from gate.formats.locks.common import (
    LockError,
    Packages,
    entries,
    hashed,
    is_repository,
    is_version,
    json_object,
    name_of,
    only,
    prefixed,
    python_name,
    table,
    text,
    toml,
)
from gate.model.dependencies import Dependency

_TOOLS: Final = frozenset({"distribute", "pip", "setuptools", "wheel"})
_FOLDERS: Final = ("directory", "editable", "virtual")
_REPOSITORIES: Final = ("git", "hg", "svn", "bzr")
_PLACES: Final = (*_REPOSITORIES, "path", "url", "file")
_UV_KINDS: Final = frozenset({"registry", "git", "url", "path", *_FOLDERS})
_UV: Final = frozenset(
    {
        "dependencies",
        "dependency-groups",
        "dev-dependencies",
        "metadata",
        "name",
        "optional-dependencies",
        "resolution-markers",
        "sdist",
        "source",
        "version",
        "wheels",
    }
)
_UV_TOP: Final = frozenset(
    {
        "conflicts",
        "manifest",
        "options",
        "package",
        "required-markers",
        "requires-python",
        "resolution-markers",
        "revision",
        "supported-markers",
        "version",
    }
)
_POETRY: Final = frozenset(
    {
        "category",
        "dependencies",
        "description",
        "develop",
        "extras",
        "files",
        "groups",
        "marker",
        "markers",
        "name",
        "optional",
        "python-versions",
        "source",
        "version",
    }
)
_POETRY_SOURCE: Final = frozenset({"reference", "resolved_reference", "subdirectory", "type", "url"})
_PDM: Final = frozenset(
    {
        "bzr",
        "dependencies",
        "editable",
        "extras",
        "files",
        "git",
        "groups",
        "hg",
        "marker",
        "name",
        "path",
        "ref",
        "requires_python",
        "revision",
        "sections",
        "subdirectory",
        "summary",
        "svn",
        "targets",
        "url",
        "version",
    }
)
_PIPENV: Final = frozenset(
    {
        "bzr",
        "editable",
        "extras",
        "file",
        "git",
        "hashes",
        "hg",
        "index",
        "markers",
        "name",
        "os_name",
        "path",
        "platform_machine",
        "platform_system",
        "python_full_version",
        "python_version",
        "ref",
        "subdirectory",
        "svn",
        "sys_platform",
        "url",
        "version",
    }
)
_PYLOCK: Final = frozenset(
    {
        "archive",
        "attestation-identities",
        "dependencies",
        "directory",
        "index",
        "marker",
        "name",
        "requires-python",
        "sdist",
        "tool",
        "vcs",
        "version",
        "wheels",
    }
)
_PYLOCK_KINDS: Final = frozenset({"archive", "directory", "sdist", "vcs", "wheels"})
_PIPENV_VERSION: Final = re.compile(r"==([A-Za-z0-9.!+_-]+)")
_INJECTED: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\\#]|\s-")


def read_uv(data: bytes) -> Packages:
    """`uv.lock`, version 1; raises `LockError`."""
    value = toml(data)
    if not is_version(value.get("version"), 1):
        raise LockError(f"it is of version {str(value.get('version'))[:40]}, version 1 is read")
    only(value, _UV_TOP, "it")
    packages = Packages()
    needed: set[str] = set()
    for entry in entries(value.get("package"), "package"):
        files = [table(entry["sdist"], "sdist")] if "sdist" in entry else []
        files += entries(entry.get("wheels"), "wheels")
        item = _uv_place(entry, table(entry.get("source"), "source"))
        if item.is_local and files:
            raise LockError(f"{item.name[:200]!r} is a folder and has files")
        packages.add(hashed(item, _each(files)))
        groups = [entry.get("dependencies")]
        for kind in ("optional-dependencies", "dev-dependencies"):
            groups += table(entry.get(kind), kind).values()
        needed.update(name_of(need.get("name"), "a need") for needs in groups for need in entries(needs, "a need"))
    _check_needed(needed, packages)
    return packages


def _uv_place(entry: Mapping[str, Any], source: Mapping[str, Any]) -> Dependency:
    name, version = python_name(name_of(entry.get("name"), "a package")), text(entry.get("version"))
    only(entry, _UV, name)
    kinds = sorted(source.keys() & _UV_KINDS)
    place = text(source.get(kinds[0])) if len(kinds) == 1 else None
    if place is None:
        raise LockError(f"the source of {name[:200]!r} is none that is known, or more than one")
    (kind,) = kinds
    only(source, frozenset({kind, "subdirectory"} if kind == "url" else {kind}), f"the source of {name}")
    if kind in _FOLDERS:
        return Dependency(name, version, source=place, folder=place, is_local=True)
    is_mutable = kind == "git" or is_repository(place)
    return Dependency(
        name,
        version,
        source=f"git+{place}" if kind == "git" else place,
        is_mutable=is_mutable,
        is_complete=version is not None or kind in {"url", "path"},
    )


def read_poetry(data: bytes) -> Packages:
    """`poetry.lock`, versions 1 and 2; raises `LockError`."""
    value = toml(data)
    metadata = table(value.get("metadata"), "metadata")
    _check_version(metadata.get("lock-version"), ("1.", "2."))
    only(metadata, frozenset({"content-hash", "files", "lock-version", "python-versions"}), "metadata")
    older = table(metadata.get("files"), "metadata.files")
    packages = Packages()
    needed: set[str] = set()
    for entry in entries(value.get("package"), "package"):
        name = name_of(entry.get("name"), "a package")
        only(entry, _POETRY, name)
        if "files" in entry and name in older:
            raise LockError(f"it lists the files of {name[:200]!r} twice")
        files = entries(entry.get("files", older.get(name)), "files")
        packages.add(hashed(_poetry_place(python_name(name), entry), _each(files)))
        needed.update(_poetry_needs(entry))
    # Version 1 locks none of the tools that install.
    _check_needed(needed - (_TOOLS if str(metadata["lock-version"]).startswith("1.") else set()), packages)
    return packages


def _poetry_needs(entry: Mapping[str, Any]) -> Iterator[str]:
    """What is needed wherever the package is installed: a marker or an extra may leave it out of the lock."""
    for name, said in table(entry.get("dependencies"), "dependencies").items():
        ways = said if isinstance(said, list) else [said]
        if any(isinstance(way, str) or not {"markers", "optional", "python"} & table(way, name).keys() for way in ways):
            yield name


def _check_needed(names: Iterable[str], packages: Packages) -> None:
    missing = {python_name(name) for name in names} - {item.name for item in packages.found.values()}
    if missing:
        raise LockError(f"{min(missing)[:200]!r} is needed, and not in it")


def _poetry_place(name: str, entry: Mapping[str, Any]) -> Dependency:
    source, version = table(entry.get("source"), "source"), text(entry.get("version"))
    only(source, _POETRY_SOURCE, f"the source of {name}")
    kind, url = text(source.get("type")) or "legacy", text(source.get("url"))
    if source and (url is None or "type" not in source):
        raise LockError(f"the source of {name[:200]!r} does not say what and where")
    if kind == "directory":
        _check_whole(name, source)
    return Dependency(
        name,
        version,
        source=f"git+{url}" if kind == "git" else url,
        folder=url if kind == "directory" else None,
        is_local=kind == "directory",
        is_mutable=kind not in {"legacy", "url", "file"} or is_repository(url),
        is_complete=version is not None,
    )


def read_pdm(data: bytes) -> Packages:
    """`pdm.lock`, version 4; raises `LockError`."""
    value = toml(data)
    metadata = table(value.get("metadata"), "metadata")
    _check_version(metadata.get("lock_version"), ("4.",))
    if "files" in metadata:
        raise LockError("it lists the files of all packages in one place, which is not read; lock again with PDM 2.8")
    packages = Packages()
    for entry in entries(value.get("package"), "package"):
        files = entries(entry.get("files"), "files")
        name = python_name(name_of(entry.get("name"), "a package"))
        only(entry, _PDM, name)
        packages.add(hashed(_placed(name, entry, text(entry.get("version")), has_files=bool(files)), _each(files)))
    return packages


def read_pipenv(data: bytes) -> Packages:
    """`Pipfile.lock`, specification 6; raises `LockError`.

    Pipenv makes lines for pip of what it says: a text that would bring an option or a line of its own is a problem.
    """
    value = json_object(data)
    if not is_version(table(value.get("_meta"), "_meta").get("pipfile-spec"), 6):
        raise LockError("it is not of Pipfile specification 6")
    packages = Packages()
    for category in sorted(value.keys() - {"_meta"}):
        for name, found in sorted(table(value[category], category).items()):
            entry = table(found, name)
            only(entry, _PIPENV, name)
            for member in entry.values():
                _check_texts(name, member)
            exact = _PIPENV_VERSION.fullmatch(text(entry.get("version")) or "")
            hashes = entry.get("hashes", [])
            if not isinstance(hashes, list):
                raise LockError(f"the hashes of {name[:200]!r} are no list")
            item = _placed(python_name(name), entry, exact[1] if exact else None, has_files=bool(hashes))
            packages.add(hashed(item, [prefixed(word) for word in hashes]))
    return packages


def _check_texts(name: str, value: Any) -> None:
    if isinstance(value, Mapping) or (isinstance(value, list) and not all(isinstance(item, str) for item in value)):
        raise LockError(f"{name[:200]!r} has something else where texts belong")
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str) and _INJECTED.search(item):
            raise LockError(f"{item[:200]!r} of {name[:200]!r} would be more than one word to pip")


def read_pylock(data: bytes) -> Packages:
    """`pylock.toml`, version 1 (PEP 751); raises `LockError`."""
    value = toml(data)
    _check_version(value.get("lock-version"), ("1.",))
    packages = Packages()
    for entry in entries(value.get("packages"), "packages"):
        name, version = python_name(name_of(entry.get("name"), "a package")), text(entry.get("version"))
        only(entry, _PYLOCK, name)
        kinds = {"files" if kind in {"sdist", "wheels"} else kind for kind in entry.keys() & _PYLOCK_KINDS}
        if len(kinds) > 1:
            raise LockError(f"{name[:200]!r} has more than one source")
        files = [table(entry[kind], kind) for kind in ("archive", "sdist") if kind in entry]
        files += entries(entry.get("wheels"), "wheels")
        directory = table(entry.get("directory"), "directory")
        _check_whole(name, directory)
        folder = text(directory.get("path"))
        place = text(table(entry.get("vcs"), "vcs").get("url"))
        item = Dependency(name, version, (), place or folder, folder, "directory" in entry, "vcs" in entry)
        packages.add(hashed(item, [digest for file in files for digest in _every(table(file.get("hashes"), "hashes"))]))
    return packages


def _every(hashes: Mapping[str, Any]) -> list[str | None]:
    """Each hash of a file: a tool may be content with any of them."""
    return [prefixed(f"{algorithm}:{value}") for algorithm, value in hashes.items()] or [None]


def _placed(name: str, entry: Mapping[str, Any], version: str | None, *, has_files: bool) -> Dependency:
    """A package of PDM or Pipenv: of the index, or where its own members say."""
    places = {kind: text(entry[kind]) for kind in _PLACES if kind in entry}
    is_editable = entry.get("editable", False)
    if len(places) > 1 or None in places.values() or not isinstance(is_editable, bool):
        raise LockError(f"the source of {name[:200]!r} is none that is known, or more than one")
    kind, place = next(iter(places.items()), (None, None))
    if kind in _REPOSITORIES or is_repository(place):
        return Dependency(name, version, source=place if is_repository(place) else f"{kind}+{place}", is_mutable=True)
    if kind == "path" or is_editable:
        is_folder = not has_files or is_editable
        _check_whole(name, entry)
        return Dependency(name, version, source=place, folder=place if is_folder else None, is_local=is_folder)
    return Dependency(name, version, source=place, is_complete=version is not None or place is not None)


def _check_whole(name: str, place: Mapping[str, Any]) -> None:
    if "subdirectory" in place:
        raise LockError(f"{name[:200]!r} is in a folder of a folder, which is not read; name the inner one")


def _each(files: Iterable[Mapping[str, Any]]) -> list[str | None]:
    return [prefixed(file.get("hash")) for file in files]


def _check_version(value: Any, known: tuple[str, ...]) -> None:
    if not isinstance(value, str) or not value.startswith(known):
        raise LockError(f"it is of version {str(value)[:40]!r}, {' and '.join(f'{one}x' for one in known)} are read")
