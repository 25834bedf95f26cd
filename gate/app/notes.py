"""What `gate doctor` says: one note for each thing that it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How bad a note is."""

    OK = "ok"
    WEAK = "weak"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Note:
    """One thing found, and what to do about it."""

    level: Level
    text: str
    fix: str = ""
