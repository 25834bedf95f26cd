"""`gate controls`: the catalogue, and what a profile wants of each control."""

from __future__ import annotations

from collections.abc import Mapping

from gate.errors import ConfigError
from gate.evaluate.bundle import packaged_bundle
from gate.evaluate.catalogue import load_profile
from gate.formats.strict_yaml import suggestion
from gate.model.control import ControlInfo, Mode, Profile


def catalogue() -> Mapping[str, ControlInfo]:
    """All controls by id."""
    return packaged_bundle().catalogue


def find_control(control: str) -> ControlInfo:
    """One control; raises `ConfigError` that suggests the nearest id."""
    controls = catalogue()
    if control not in controls:
        raise ConfigError(f"there is no control {control!r}{suggestion(control, sorted(controls))}")
    return controls[control]


def packaged_profiles() -> Mapping[str, Profile]:
    """The profiles that come with the gate, by name."""
    bundle = packaged_bundle()
    return {name: load_profile(name, text, bundle.catalogue, {}) for name, text in sorted(bundle.profiles.items())}


def modes(control: str) -> Mapping[str, Mode]:
    """What each packaged profile wants of a control; `off` where it does not name it."""
    return {name: profile.controls.get(control, Mode.OFF) for name, profile in packaged_profiles().items()}
