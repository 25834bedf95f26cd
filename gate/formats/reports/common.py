"""What the readers of reports share: typed access, and tying the paths of a report to files of artifacts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gate.model.artifact import Artifact
from gate.model.digest import Digest, sha256_digest
from gate.model.json import JsonObject, JsonValue
from gate.model.path import path_text
from gate.model.scan import Basis, Coverage, RawReport, Scan, ScanStatus, Severity

PATH_CHARACTERS: Final = 4096
"""A longer path names no file; no system has one."""
MESSAGE_CHARACTERS: Final = 2000
"""A finding's message is cut at this length; its other parts at a quarter of it."""

_SEVERITIES: Final[Mapping[str, Severity]] = {
    **{severity.value: severity for severity in Severity},
    "negligible": Severity.LOW,
    "minor": Severity.LOW,
    "moderate": Severity.MEDIUM,
    "important": Severity.HIGH,
}
_SCORES: Final = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW))


class ReportError(ValueError):
    """The document does not have the shape of its tool's reports. The text says where."""


def failed_scan(raw: RawReport, problem: str) -> Scan:
    """A scan that says nothing about any file, and why."""
    return Scan(
        tool=raw.tool,
        version="",
        basis=Basis.OBSERVED,
        artifact=raw.artifact,
        report=None if raw.data is None else sha256_digest(raw.data),
        status=ScanStatus.FAILED,
        coverage=Coverage(expected=0),
        origin=raw.origin,
        problem=cut(problem),
    )


def cut(text: str, limit: int = MESSAGE_CHARACTERS) -> str:
    """At most `limit` characters of a text from outside, with a mark where it was cut."""
    return text if len(text) <= limit else text[:limit] + "..."


def object_at(parent: JsonObject, key: str) -> JsonObject:
    """A member that must be an object."""
    value = parent.get(key)
    if not isinstance(value, Mapping):
        raise ReportError(f"{key} is not an object")
    return value


def optional_object(parent: JsonObject, key: str) -> JsonObject:
    """A member that is an object, or absent."""
    return object_at(parent, key) if parent.get(key) is not None else {}


def objects_at(parent: JsonObject, key: str) -> tuple[JsonObject, ...]:
    """A member that must be a list of objects."""
    value = parent.get(key)
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ReportError(f"{key} is not a list")
    found = tuple(item for item in value if isinstance(item, Mapping))
    if len(found) != len(value):
        raise ReportError(f"{key} holds something else than objects")
    return found


def optional_objects(parent: JsonObject, key: str) -> tuple[JsonObject, ...]:
    """A member that is a list of objects, or absent."""
    return objects_at(parent, key) if parent.get(key) is not None else ()


def text_at(parent: JsonObject, key: str) -> str:
    """A member that must be text."""
    value = parent.get(key)
    if not isinstance(value, str):
        raise ReportError(f"{key} is not text")
    return value


def optional_text(parent: JsonObject, key: str) -> str:
    """A member that is text, or absent: then it is empty."""
    return text_at(parent, key) if parent.get(key) is not None else ""


def count_at(parent: JsonObject, key: str) -> int:
    """A member that must be a number of things."""
    value = parent.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ReportError(f"{key} is not a number of things")
    return value


def texts_at(parent: JsonObject, key: str) -> tuple[str, ...]:
    """A member that must be a list of texts, or absent."""
    value = parent.get(key)
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ReportError(f"{key} is not a list")
    found = tuple(item for item in value if isinstance(item, str))
    if len(found) != len(value):
        raise ReportError(f"{key} holds something else than texts")
    return found


def severity_of(word: JsonValue) -> Severity:
    """A severity by its name in any case; one that nobody knows counts as CRITICAL (SCAN-04)."""
    if not isinstance(word, str):
        return Severity.CRITICAL
    return _SEVERITIES.get(word.lower(), Severity.CRITICAL)


def scored_severity(value: JsonValue) -> tuple[Severity, int]:
    """The severity of a CVSS score and the score; one that cannot be read is CRITICAL, ten of ten."""
    try:
        score = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else math.nan
    except ValueError:
        score = math.nan
    if not 0 <= score <= 10:
        return Severity.CRITICAL, 10_000
    severity = next((severity for limit, severity in _SCORES if score >= limit), Severity.NONE)
    return severity, round(score * 1000)


@dataclass(frozen=True, slots=True)
class Place:
    """A file of an artifact. `file` is relative to the artifact's path."""

    artifact: str
    file: str


@dataclass(frozen=True, slots=True)
class Locator:
    """Ties the paths of a report to files of artifacts.

    A path is tried relative to the artifact that the report is said to be about, and relative to the root. An absolute
    path counts for the file whose path from the root is its longest end: a report cannot be asked to know where the
    checkout lay. A bare name is too little for that, unless the report is said to be about one artifact.
    """

    artifacts: Mapping[str, Artifact]
    about: str | None
    _files: dict[str, Place] = field(default_factory=dict)
    _depths: set[int] = field(default_factory=set)
    """In how many segments the files lie below the root."""

    def __post_init__(self) -> None:
        for name, artifact in self.artifacts.items():
            if artifact.path is None or (self.about is not None and name != self.about):
                continue
            for file in artifact.files:
                self._files[join(artifact.path, file) if artifact.is_folder else clean(artifact.path)] = Place(
                    name, file
                )
        self._depths.update(path.count("/") + 1 for path in self._files)

    def find(self, path: str) -> Place | None:
        """The file that a path names; a member of an archive (`model.bin:data.pkl`) counts for the archive."""
        for whole in owners(path):
            place = self.at(join(self.about_path, whole)) or self.at(whole)
            if place is not None:
                return place
        return None

    @property
    def about_path(self) -> str:
        """The path of the artifact that the report is said to be about; empty if there is none."""
        return (self.artifacts[self.about].path if self.about is not None else None) or ""

    def files(self, artifact: str) -> Mapping[str, Digest | None]:
        """The files of an artifact with their digests."""
        return {path: file.digest for path, file in self.artifacts[artifact].files.items()}

    def digest(self, place: Place) -> Digest | None:
        """The digest of a file, `None` for what is not a regular file."""
        return self.artifacts[place.artifact].files[place.file].digest

    def at(self, path: str) -> Place | None:
        """The file at a path from the root, or at the end of an absolute one."""
        if len(path) > PATH_CHARACTERS:
            return None
        path = clean(path_text(path.encode("utf-8", "surrogateescape")))
        if not path.startswith("/"):
            return self._files.get(path)
        # The ends of the path are tried, not all files.
        segments = path.split("/")[1:]
        least = 1 if self.about is not None else 2
        for depth in sorted(self._depths, reverse=True):
            if least <= depth <= len(segments) and (place := self._files.get("/".join(segments[-depth:]))) is not None:
                return place
        return None


def owners(path: str) -> Iterator[str]:
    """The path itself, then what stands before each of its last colons."""
    yield path
    for _ in range(min(path.count(":"), 8)):
        path = path.rpartition(":")[0]
        yield path


def clean(path: str) -> str:
    """A path without `.` and empty segments; with `..` it names nothing."""
    segments = [segment for segment in path.split("/") if segment not in {"", "."}]
    lead = "/" if path.startswith("/") else ""
    return lead + "/".join(segments) if ".." not in segments else ""


def join(base: str, path: str) -> str:
    """A path below a folder; an absolute one stays what it is."""
    return clean(path if path.startswith("/") or not base else f"{base}/{path}")
