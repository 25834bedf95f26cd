"""The policy: Rego modules, profiles and the catalogue of controls, under one digest."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from gate import resources
from gate.errors import PolicyError
from gate.evaluate.catalogue import control_id, read_control
from gate.formats import canonical_json
from gate.formats.strict_yaml import suggestion
from gate.model.control import ControlInfo
from gate.model.digest import Digest, sha256_digest

_PROFILE: Final = re.compile(r"gate/profiles/([a-z][a-z0-9_-]*)/data\.json")
# No deeper: no package lies within another, where a rule of the one could be meant by the other's name.
_OWN_LIBRARY: Final = re.compile(r"custom/lib/([a-z][a-z0-9_]*)/\1\.rego")
_PACKAGE: Final = re.compile(r"package ([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)[ \t]*(?:#.*)?")
_LAYOUT: Final = (
    "own controls lie in gate/controls/<family>/<name>/<name>.rego or custom/<family>/<name>/<name>.rego, what they"
    " share in custom/lib/<name>/<name>.rego, profiles in gate/profiles/<name>/data.json"
)


def is_module(path: str) -> bool:
    """Whether a file is evaluated: Rego that is no test."""
    return path.endswith(".rego") and not path.endswith("_test.rego")


@dataclass(frozen=True)
class PolicyBundle:
    """All files of a policy by path below `rego/`; `digest` is over the paths and contents of what is evaluated.

    `own` are the ids of the controls that are not the library's, `replaced` those among them that stand in the place
    of one of the library's. `serial` is that of a signed bundle. `library` are the paths of the files that are as they
    were installed, where that is known. An engine is `asked` for no other controls, where that is known (`loaded.py`).
    """

    files: Mapping[str, bytes]
    digest: Digest
    own: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    serial: int | None = None
    library: frozenset[str] | None = field(default=None, compare=False)
    asked: frozenset[str] | None = None

    @functools.cached_property
    def modules(self) -> Mapping[str, str]:
        """The Rego modules by path, tests left out."""
        return MappingProxyType({path: _text(path, data) for path, data in self.files.items() if is_module(path)})

    @functools.cached_property
    def catalogue(self) -> Mapping[str, ControlInfo]:
        """The controls by id, from their METADATA; raises `PolicyError` for one that lacks it."""
        found = {
            control.id: control
            for control in (
                read_control(path, text) for path, text in self.modules.items() if control_id(path) is not None
            )
        }
        return MappingProxyType(dict(sorted(found.items())))

    @functools.cached_property
    def profiles(self) -> Mapping[str, bytes]:
        """The documents of the policy's profiles by name."""
        found = {path: _PROFILE.fullmatch(path) for path in self.files}
        return MappingProxyType({match[1]: self.files[path] for path, match in found.items() if match is not None})


def make_bundle(
    files: Mapping[str, bytes],
    own: Iterable[str] = (),
    replaced: Iterable[str] = (),
    *,
    serial: int | None = None,
    library: AbstractSet[str] | None = None,
) -> PolicyBundle:
    """A bundle of some files; raises `PolicyError` when there is no policy in them, or what is no part of one."""
    evaluated = {path: data for path, data in sorted(files.items()) if is_module(path) or _PROFILE.fullmatch(path)}
    if not any(control_id(path) is not None for path in evaluated):
        raise PolicyError("the policy holds no control", hint="the installation is damaged: install gate again")
    manifest = {path: sha256_digest(data) for path, data in evaluated.items()}
    return PolicyBundle(
        files=MappingProxyType(evaluated),
        digest=sha256_digest(canonical_json.dumps(manifest)),
        own=tuple(sorted(own)),
        replaced=tuple(sorted(replaced)),
        serial=serial,
        library=None if library is None else frozenset(evaluated.keys() & library),
    )


def packaged_bundle() -> PolicyBundle:
    """The policy that is installed with the gate."""
    files = resources.rego_files()
    return make_bundle(files, library=files.keys())


def with_own_controls(
    library: PolicyBundle, directories: Iterable[Mapping[str, bytes]], replaces: Iterable[str] = ()
) -> PolicyBundle:
    """The library with a team's own controls beside it; each directory is its files by path below it.

    Raises `PolicyError` for a file that is no part of a policy, for one whose package is not its place, and for a
    control that the library has too unless `replaces` names it: nothing takes another's place unnoticed.
    """
    files = dict(library.files)
    own: dict[str, str] = {}
    wanted = set(replaces)
    for directory in directories:
        for path, data in sorted(directory.items()):
            if path.endswith("_test.rego"):
                _check_test(path)
                continue
            _check_place(path, data)
            control = control_id(path)
            replaces_it = control in wanted and control in library.catalogue and control not in own
            if path in files and not replaces_it:
                raise _taken(path, control if control in library.catalogue and control not in own else None)
            if control is not None:
                own[control] = path
            files[path] = data
    unused = sorted(wanted - (own.keys() & library.catalogue.keys()))
    if unused:
        known = suggestion(unused[0], sorted(library.catalogue))
        raise PolicyError(f"policy.replaces: {unused[0]} replaces nothing, or nothing replaces it{known}")
    untouched = None if library.library is None else library.library - set(own.values())
    return make_bundle(files, own, wanted, library=untouched)


def _taken(path: str, control: str | None) -> PolicyError:
    if control is None:
        return PolicyError(f"{path} is there already", hint="choose another name: nothing takes another's place")
    return PolicyError(
        f"the control {control} is there already",
        hint=f"choose another name, or list {control} under policy.replaces",
    )


def _check_test(path: str) -> None:
    """A control cannot be named like a test: it would never be asked."""
    folder, _, file = path.rpartition("/")
    if file == f"{folder.rpartition('/')[2]}.rego":
        raise PolicyError(f"{path} would be taken for a test", hint="choose a name that does not end in _test")


def _check_place(path: str, data: bytes) -> None:
    """A module's package is where it lies, so that no file can add rules to another's package."""
    if _PROFILE.fullmatch(path):
        return
    if control_id(path) is None and not _OWN_LIBRARY.fullmatch(path):
        raise PolicyError(f"{path} is no part of a policy", hint=_LAYOUT)
    package = _package(path, _text(path, data))
    expected = path.rpartition("/")[0].replace("/", ".")
    if package != expected:
        raise PolicyError(f"{path} has the package {package}, but its place is that of {expected}")


def _package(path: str, source: str) -> str:
    """The package that a module declares: Rego allows only comments before it, and no line break within its name.

    Not read by the engine's parser, which a hostile module can crash or keep busy: that has to happen where the
    policy is evaluated, which may be a process of its own.
    """
    lines = (line.strip(" \t\r") for line in source.split("\n"))
    first = next((line for line in lines if line and not line.startswith("#")), "")
    found = _PACKAGE.fullmatch(first)
    if found is None:
        raise PolicyError(f"{path} does not start with its package", hint="write `package <name>` on a line of its own")
    return found[1]


def _text(path: str, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path} is not UTF-8: {error.reason}") from None
