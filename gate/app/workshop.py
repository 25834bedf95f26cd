"""What the commands for authors of controls work on: a policy, its tests, and where each file lies on disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from gate.collect.directory import file_exists, read_regular
from gate.collect.files import read_folder
from gate.config.policy import is_policy_file
from gate.errors import ConfigError
from gate.evaluate.bundle import PolicyBundle, is_module, make_bundle, packaged_bundle, with_own_controls
from gate.evaluate.catalogue import control_id
from gate.formats.strict_yaml import YamlError, loads

_FILES: Final = 10_000
_BYTES: Final = 8 << 20
_LIBRARY: Final = "gate/main/main.rego"
_DEFAULT: Final = "policy"


class NoPolicyError(ConfigError):
    """No policy directory was named, and there is none where one is looked for."""


@dataclass(frozen=True, slots=True)
class Sources:
    """A policy with its tests. Paths are those of the policy: `gate/controls/<family>/<name>/<name>.rego`.

    `own` are the modules that the author works on: those of the named directories. `tests` are the test modules and
    their helpers, by path. `places` says where a file lies on disk, for messages.
    """

    bundle: PolicyBundle
    own: Mapping[str, str]
    tests: Mapping[str, str]
    places: Mapping[str, str]

    def place(self, path: str) -> str:
        """Where a module lies on disk; the library's own keep their path."""
        return self.places.get(path, path)

    @property
    def modules(self) -> Mapping[str, str]:
        """The whole policy with all tests, ready to be compiled."""
        return {**self.bundle.modules, **self.tests}


def load_sources(
    start: Path, directories: Sequence[str] = (), tests: Sequence[str] = (), replaces: Iterable[str] = ()
) -> Sources:
    """Reads policy directories and test directories below `start`.

    Without `directories` those of `gate.yaml` in `start` count, else `policy`. A directory that holds the whole
    library is taken for it; otherwise the packaged library is beside the own controls. In `directories` modules
    named `*_test.rego` are tests; in `tests` everything is. Raises `ConfigError` and `PolicyError`.
    """
    named = bool(directories)
    directories, taken = policy_directories(start, tuple(directories))
    policy = {directory: _read(start, directory) for directory in directories}
    places = {path: f"{directory}/{path}" for directory, files in policy.items() for path in files}
    texts = {path: data for files in policy.values() for path, data in files.items()}
    if _LIBRARY in texts:
        bundle = make_bundle(texts)
    else:
        # Of directories that somebody named, gate.yaml may replace more than they hold.
        there = {control_id(path) for path in texts if is_module(path)} if named else taken
        bundle = with_own_controls(packaged_bundle(), policy.values(), {*replaces, *(taken & there)})
    found = {path: _text(places[path], data) for path, data in texts.items() if path.endswith("_test.rego")}
    for directory in tests:
        folder = directory.rstrip("/")
        for path, data in _read(start, folder).items():
            if path.endswith(".rego"):
                places[path] = f"{folder}/{path}"
                found[path] = _text(places[path], data)
    own = {path: text for path, text in bundle.modules.items() if path in texts and is_module(path)}
    return Sources(bundle, MappingProxyType(own), MappingProxyType(found), MappingProxyType(places))


def policy_directories(start: Path, directories: tuple[str, ...] = ()) -> tuple[tuple[str, ...], frozenset[str]]:
    """The policy directories to work on: as given, by `gate.yaml`, or `policy`; and what `gate.yaml` replaces."""
    listed, replaces = _configured(start) if file_exists(start, "gate.yaml") else ((), frozenset())
    if directories or listed:
        return tuple(text.rstrip("/") for text in directories or listed), replaces
    if not (start / _DEFAULT).is_dir():
        raise NoPolicyError(
            "there is no policy directory here: gate.yaml names none, and there is no folder 'policy'",
            hint="`gate policy new <family>.<name>` starts one; or name a directory",
        )
    return (_DEFAULT,), replaces


def _configured(start: Path) -> tuple[tuple[str, ...], frozenset[str]]:
    """What `gate.yaml` lists. Only its section `policy` counts: one that is wrong elsewhere must not stop the work."""
    try:
        members = loads(read_regular(start, "gate.yaml", _BYTES)).members()
        section = members["policy"].members() if "policy" in members else {}
        listed = section["directories"].texts() if "directories" in section else ()
        replaces = section["replaces"].texts() if "replaces" in section else ()
    except YamlError as error:
        raise ConfigError(f"gate.yaml:{error.line}:{error.column}: {error}") from None
    return tuple(listed), frozenset(replaces)


def _read(start: Path, directory: str) -> Mapping[str, bytes]:
    if not (start / directory).is_dir():
        raise ConfigError(f"there is no directory {directory!r}", hint="directories are named from this folder")
    return read_folder(start, directory, is_policy_file, _FILES, _BYTES)


def _text(place: str, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{place} is not UTF-8: {error.reason}") from None
