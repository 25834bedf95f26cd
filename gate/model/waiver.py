"""Waivers: a named person's decision to accept one violation for a limited time (DOCUMENTS 5)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from gate.model.digest import Digest
from gate.model.path import fold

MAX_WAIVER_S: Final = 90 * 24 * 3600
EXPIRING_S: Final = 14 * 24 * 3600
_EAST_ASIA: Final = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO"})
_LAST_LATIN: Final = "\u017f"


class WaiverState(Enum):
    """Where a waiver stands at the time of the decision; only ACTIVE and EXPIRING ones count."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Waiver:
    """One waiver.

    `artifact` is the digest of the artifact or file that the violation is about; `finding`, when given, is the
    violation's code. There are no wildcards. `problem` says why the waiver is invalid, whatever the time.
    """

    id: str
    control: str
    artifact: Digest
    finding: str | None
    reason: str
    ticket: str
    owner: str
    approver: str
    created_s: int
    expires_s: int
    problem: str | None = None

    def state(self, now_s: int) -> WaiverState:
        """Where it stands at a time in seconds since 1970."""
        if self.problem is not None:
            return WaiverState.INVALID
        if now_s < self.created_s:
            return WaiverState.PENDING
        if now_s >= self.expires_s:
            return WaiverState.EXPIRED
        return WaiverState.EXPIRING if self.expires_s - now_s <= EXPIRING_S else WaiverState.ACTIVE


def combine(waivers: Iterable[Waiver]) -> Mapping[str, Waiver]:
    """Waivers by id, whoever made them. Those that share an id and are not the same are invalid, all of them.

    One of them is kept to be reported, the same one in whatever order they come.
    """
    groups: dict[str, set[Waiver]] = {}
    for waiver in waivers:
        groups.setdefault(waiver.id, set()).add(waiver)
    return {name: _only(group) for name, group in sorted(groups.items())}


def is_same_person(one: str, other: str) -> bool:
    """Whether two names are one to people, who overlook case, white space, width, accents and invisible characters."""
    return _person(one) == _person(other)


def can_be_told_apart(one: str, other: str) -> bool:
    """Whether people can tell two different names apart: both are written in the same one script.

    Letters of several scripts look alike. Names of East Asia mix scripts that belong together. Latin letters are those
    of European languages; beside letters and their marks there is ASCII only.
    """
    scripts = _scripts(_person(one) + _person(other))
    return None not in scripts and (len(scripts) < 2 or scripts <= _EAST_ASIA)


def _person(name: str) -> str:
    parts = unicodedata.normalize("NFKD", fold(name))
    return "".join(c for c in parts if not c.isspace() and not unicodedata.combining(c)).replace("\u0131", "i")


def _scripts(names: str) -> frozenset[str | None]:
    """The scripts of the letters, by the first word of their names; `None` for what is hard to tell from another."""
    return frozenset(_script(c) for c in names if not c.isascii() or c.isalpha())


def _script(character: str) -> str | None:
    category = unicodedata.category(character)
    script = unicodedata.name(character, "").partition(" ")[0]
    if category[0] not in "LM" or (script == "LATIN" and character > _LAST_LATIN):
        return None
    return script


def _only(group: set[Waiver]) -> Waiver:
    # What makes one of two equal waivers invalid is who signed it; the other one stands.
    sound = {waiver for waiver in group if waiver.problem is None}
    first = min(sound or group, key=repr)
    if len({replace(waiver, problem=None) for waiver in group}) == 1:
        return first
    return replace(first, problem=f"{len(group)} waivers with this id differ")
