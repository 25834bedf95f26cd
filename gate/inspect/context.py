"""What the inspectors of one file share: limits, what is left of them, and the way back for nested files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gate.inspect.limits import InspectLimits
from gate.inspect.source import Source
from gate.model.scan import Category, FileInspection, Finding, Severity, Template


class CapError(Exception):
    """A cap of `InspectLimits` was reached; the text says which. The file is then not inspected."""


@dataclass(slots=True)
class Budget:
    """What is left for one file, nested ones included. The only mutable thing here."""

    operations: int
    inflated: int
    members: int

    def spend_inflated(self, count: int) -> None:
        """Takes unpacked bytes off; raises `CapError`."""
        self.inflated -= count
        if self.inflated < 0:
            raise CapError("unpacks to more than the limit")

    def spend_members(self, count: int) -> None:
        """Takes members of archives off; raises `CapError`."""
        self.members -= count
        if self.members < 0:
            raise CapError("has more members in all its archives than the limit")


Nested = Callable[[str, Source, "Context"], FileInspection]
"""Inspects a file inside a file: its name, its bytes, the context of its container."""


@dataclass(frozen=True, slots=True)
class Context:
    """One inspection. `depth` counts the containers around the bytes at hand."""

    limits: InspectLimits
    budget: Budget
    nested: Nested
    depth: int = 0
    allowed: frozenset[str] = frozenset()
    """Globals that pickles may name beside those on the list, because the configuration says so."""

    def deeper(self) -> Context:
        """The context for what lies inside; raises `CapError`."""
        if self.depth >= self.limits.archive_depth:
            raise CapError(f"more than {self.limits.archive_depth} containers inside one another")
        return replace(self, depth=self.depth + 1)


@dataclass(slots=True)
class Findings:
    """Collects findings without duplicates, up to a limit; that there were more becomes a finding."""

    limit: int
    templates: dict[str, Template] = field(default_factory=dict)
    """Chat templates, by their place."""
    base: str | None = None
    """The model that an adapter says it is for."""
    template_bytes: int = 1 << 20
    """Bytes of chat templates that may still be parsed."""
    _found: dict[tuple[str, str], Finding] = field(default_factory=dict)
    _overflow: bool = False

    def add(self, rule: str, severity: Severity, message: str) -> None:
        """Adds one finding about the file at hand."""
        self.extend((Finding(rule, severity, message, category=Category.UNSAFE),))

    def extend(self, findings: tuple[Finding, ...]) -> None:
        """Adds findings that another inspector made."""
        for finding in findings:
            key = (finding.rule, finding.message)
            if key not in self._found and len(self._found) >= self.limit:
                self._overflow = True
            else:
                self._found.setdefault(key, finding)

    def add_template(self, name: str, template: Template) -> None:
        """Adds a chat template; a second one of the same name gets a number. Raises `CapError` for too many."""
        if len(self.templates) >= self.limit:
            raise CapError("holds more chat templates than the limit")
        count, free = 1, name
        while free in self.templates:
            count += 1
            free = f"{name}#{count}"
        self.templates[free] = template

    def done(self) -> tuple[Finding, ...]:
        """All findings, in the order in which they were made."""
        found = tuple(self._found.values())
        if self._overflow:
            message = f"there are more than {self.limit} findings; the others are not listed"
            found += (Finding("file.findings", Severity.CRITICAL, message, category=Category.UNSAFE),)
        return found


def shown(text: str, limit: int = 120) -> str:
    """Text from outside for a message: one line of printable ASCII, the rest escaped, cut with a mark."""
    cut = text if len(text) <= limit else text[:limit] + "..."
    return "".join(c if " " <= c <= "~" else c.encode("unicode_escape").decode("ascii") for c in cut)
