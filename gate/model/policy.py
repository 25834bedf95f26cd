"""A policy as people look at it: its controls and profiles, and what changed between two of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from gate.model.control import ControlInfo, Mode, Profile
from gate.model.digest import Digest
from gate.model.json import JsonValue


class PolicyOrigin(Enum):
    """Where the policy that judges comes from."""

    PACKAGED = "packaged"
    DIRECTORIES = "directories"
    BUNDLE = "bundle"


@dataclass(frozen=True, slots=True)
class JudgingPolicy:
    """The policy of a decision: its own controls, those among them in the place of the library's, its serial."""

    origin: PolicyOrigin = PolicyOrigin.PACKAGED
    serial: int | None = None
    own: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The controls of a policy by id, and its profiles by name."""

    policy: Digest
    controls: Mapping[str, ControlInfo]
    profiles: Mapping[str, Profile]

    def modes(self, control: str) -> Mapping[str, Mode]:
        """What each profile wants of a control; `off` where it does not name it."""
        return {name: profile.controls.get(control, Mode.OFF) for name, profile in self.profiles.items()}


class Effect(Enum):
    """What a change does to the strictness of a policy. `UNCLEAR`: only reading it tells."""

    LOOSENS = "loosens"
    UNCLEAR = "unclear"
    TIGHTENS = "tightens"
    NONE = "none"


class Presence(Enum):
    """Whether something stands in the new policy only, in the old one only, or in both and differs."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs; `None` where it was or is absent."""

    what: str
    old: JsonValue
    new: JsonValue
    effect: Effect


@dataclass(frozen=True, slots=True)
class ItemDiff:
    """A control, profile or module that differs. `effect` is that of its coming or going; changes have their own."""

    name: str
    presence: Presence
    effect: Effect
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyDiff:
    """What differs between two policies; modules are those that are neither control nor profile."""

    old: Digest
    new: Digest
    controls: tuple[ItemDiff, ...]
    profiles: tuple[ItemDiff, ...]
    modules: tuple[ItemDiff, ...]

    def count(self, effect: Effect) -> int:
        """How many changes have that effect."""
        return sum(found is effect for found in self._effects())

    def _effects(self) -> Iterator[Effect]:
        for item in (*self.controls, *self.profiles, *self.modules):
            yield item.effect
            yield from (change.effect for change in item.changes)
