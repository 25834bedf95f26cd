"""A case of `gate demo run`, played."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shown:
    """What was done, the exit codes that are right, the one that came, and the reason that was given with it."""

    id: str
    what: str
    expected: tuple[int, ...]
    code: int
    why: str

    @property
    def is_right(self) -> bool:
        """Whether the gate said what it has to say."""
        return self.code in self.expected
