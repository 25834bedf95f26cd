"""What `gate scan` says: of every file whether it was judged, by which bytes, and what was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from gate.model.digest import Digest
from gate.model.scan import Finding, ScanStatus, Severity, Template

_RISING: Final = tuple(Severity)


class State(Enum):
    """Whether a file was judged, or why not."""

    JUDGED = "judged"
    UNINSPECTED = "uninspected"
    """It was read, and no inspector can say what it could do."""
    UNREAD = "unread"
    """It could not be read, or changed meanwhile."""
    LINK = "link"
    SPECIAL = "special"
    """A device, FIFO or socket."""
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """One file. `digest` is that of the bytes that were looked at, `None` for what was not read.

    `reason` says why it was not judged, and is `None` exactly for what was. `base` is the model that an adapter says
    it is for.
    """

    state: State
    digest: Digest | None = None
    bytes: int = 0
    format: str = "unknown"
    reason: str | None = None
    findings: tuple[Finding, ...] = ()
    templates: Mapping[str, Template] = field(default_factory=dict)
    base: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A file or folder that somebody named, as they wrote it; `files` by path below it, a single one by its name.

    `digest` is that of the file or the tree, `None` where something in it was not read.
    """

    path: str
    is_folder: bool
    digest: Digest | None
    files: Mapping[str, ScannedFile]

    def shown(self, file: str) -> str:
        """The path of one of its files, as somebody would write it who named the target."""
        if not self.is_folder:
            return self.path
        return file if self.path == "." else f"{self.path.rstrip('/')}/{file}"


@dataclass(frozen=True, slots=True)
class Scanned:
    """One scan. Findings below `fail_on` are listed and do not count; what was not judged always counts.

    `exclude` are the patterns of what was left out, `allowed` the globals that pickles may name by a configuration.
    """

    version: str
    targets: tuple[Target, ...]
    fail_on: Severity = Severity.LOW
    exclude: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()

    @property
    def files(self) -> Iterator[tuple[str, ScannedFile]]:
        """All files with the paths that are shown."""
        for target in self.targets:
            for name, file in target.files.items():
                yield target.shown(name), file

    def count(self, *states: State) -> int:
        """The number of files in these states."""
        return sum(file.state in states for _, file in self.files)

    @property
    def counted(self) -> int:
        """The number of findings that count."""
        least = _RISING.index(self.fail_on)
        return sum(_RISING.index(item.severity) >= least for _, file in self.files for item in file.findings)

    @property
    def status(self) -> ScanStatus:
        """Complete when every file was judged, failed when none was."""
        if not self.count(State.JUDGED):
            return ScanStatus.FAILED
        unjudged = any(file.state is not State.JUDGED for _, file in self.files)
        return ScanStatus.INCOMPLETE if unjudged else ScanStatus.COMPLETE

    @property
    def problem(self) -> str | None:
        """Why the scan is not complete."""
        total = sum(1 for _ in self.files)
        if not total:
            return "there is no file: nothing was judged"
        if self.status is ScanStatus.FAILED:
            return "no file could be judged"
        judged = self.count(State.JUDGED)
        return None if judged == total else f"{total - judged} of {total} files were not judged"

    @property
    def exit_code(self) -> int:
        """0 when all files there are were judged and nothing was found that counts; else 13."""
        return 0 if self.status is ScanStatus.COMPLETE and not self.counted else 13
