"""`gate controls`: the catalogue of a policy, what its controls support, and what changed between two policies."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate import resources
from gate.app.policy_bundle import BUNDLE_SUFFIX, read_unverified
from gate.attest.files import read_file
from gate.collect.files import read_folder
from gate.config.policy import is_policy_file
from gate.errors import ConfigError
from gate.evaluate.bundle import PolicyBundle, make_bundle, packaged_bundle, with_own_controls
from gate.evaluate.catalogue import control_id
from gate.evaluate.frameworks import known_frameworks
from gate.evaluate.opa_bundle import MAX_PACKED
from gate.evaluate.policy_diff import catalogue_of, diff_policies
from gate.formats.strict_yaml import suggestion
from gate.model.control import ControlInfo
from gate.model.policy import Catalogue, PolicyDiff

PACKAGED: Final = "packaged"
"""Stands for the policy that is installed with the gate, where a path could stand."""
_MAIN: Final = "gate/main/main.rego"
_FILES: Final = 10_000
_FILE_BYTES: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Selection:
    """Which controls are asked for; `None` asks for all."""

    framework: str | None = None
    family: str | None = None
    target: str | None = None
    profile: str | None = None


def is_bundle(path: str) -> bool:
    """Whether a path names a policy bundle: looked at without its signature, which only judging needs."""
    return path.endswith(BUNDLE_SUFFIX) and os.path.isfile(path)  # noqa: PTH113 - false for what can be no name


def load_policy_files(path: str) -> Mapping[str, bytes]:
    """The files of a policy by path: of a folder laid out like `rego/`, of a bundle, or of the packaged policy.

    Raises `ConfigError` when there is none, `EvidenceError`, `LimitError` or `PolicyError` when it cannot be read.
    """
    if path == PACKAGED:
        return resources.rego_files()
    if is_bundle(path):
        return read_unverified(read_file(Path(path), MAX_PACKED))[0].files
    missing = ConfigError(
        f"there is no policy folder {path!r}",
        hint=f"name a folder laid out like rego/, a bundle, or {PACKAGED}",
    )
    try:
        folder = Path(path).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):  # also links in a circle, and what can be no name
        raise missing from None
    if not folder.is_dir():
        raise missing
    return read_folder(folder.parent, folder.name, is_policy_file, _FILES, _FILE_BYTES)


def open_policy(path: str) -> PolicyBundle:
    """The policy at a path; own controls without the library are read beside it, as they judge.

    Raises as `load_policy_files` does, and `PolicyError` for what is no policy.
    """
    files = load_policy_files(path)
    if _MAIN in files:
        return make_bundle(files)
    controls = {control_id(name) for name in files} - {None}
    if not controls:
        raise ConfigError(f"{path!r} holds no control", hint="name the folder that holds gate/ or custom/")
    library = packaged_bundle()
    return with_own_controls(library, [files], sorted(set(library.catalogue) & controls))


def open_catalogue(path: str = PACKAGED) -> Catalogue:
    """The controls and profiles of the policy at a path; raises as `open_policy` does, and `ConfigError`."""
    return catalogue_of(open_policy(path))


def catalogue() -> Mapping[str, ControlInfo]:
    """All packaged controls by id."""
    return packaged_bundle().catalogue


def find_control(found: Catalogue, control: str) -> ControlInfo:
    """One control; raises `ConfigError` that suggests the nearest id."""
    return found.controls[_known("control", control, found.controls)]


def select(found: Catalogue, selection: Selection) -> tuple[ControlInfo, ...]:
    """The controls that fit all of a selection; raises `ConfigError` for a name that nothing has.

    With a profile they are those that it asks for, enforced or as a warning.
    """
    controls = tuple(found.controls.values())
    if selection.framework is not None:
        name = _known("framework", selection.framework, known_frameworks(controls))
        controls = tuple(info for info in controls if name in info.frameworks)
    if selection.family is not None:
        families = {info.family for info in found.controls.values()}
        name = _known("family", selection.family, families)
        controls = tuple(info for info in controls if info.family == name)
    if selection.target is not None:
        controls = tuple(info for info in controls if selection.target in info.targets)
    if selection.profile is not None:
        asked = found.profiles[_known("profile", selection.profile, found.profiles)].asked
        controls = tuple(info for info in controls if info.id in asked)
    return controls


def compare(old: str, new: str) -> PolicyDiff:
    """What differs between the policies at two paths; raises as `open_catalogue` does."""
    return diff_policies(open_policy(old), open_policy(new))


def page_of(info: ControlInfo) -> str:
    """Where the documentation of a packaged control lies."""
    return f"docs/controls/{info.id.replace('.', '/')}.md"


def _known(what: str, name: str, names: Iterable[str]) -> str:
    known = sorted(names)
    if name not in known:
        raise ConfigError(f"there is no {what} {name!r}{suggestion(name, known)}")
    return name
