"""Artifacts, evidence and reports as they lie on disk.

Everything is found by enumerating folders below the root, never by opening a name out of evidence. Links are never
followed, devices never opened, and each file is read once (SECURITY 12, 31).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from gate.collect.crew import CrewLimits, read_files
from gate.collect.crew_worker import Folder, Item, Task
from gate.collect.files import (
    Entry,
    entries,
    file_exists,
    open_regular,
    opened_file,
    opened_folder,
    opened_root,
    plain_segments,
    read_at_most,
    read_regular,
    same_file,
    unreadable,
)
from gate.collect.hashing import Hashed, Tell, Unread, Visit, Wanted, hash_files, nothing, unheard
from gate.collect.layout import check_image
from gate.errors import ConfigError, EvidenceError, LimitError
from gate.formats.carriers.lines import pieces
from gate.formats.glob import compile_glob, is_glob
from gate.formats.image_reference import LayoutReference, image_digest, parse_layout
from gate.formats.predicates.model_signature import SINGLE_FILE
from gate.model.artifact import Artifact, ArtifactFile, tree_digest
from gate.model.digest import Digest
from gate.model.evidence import Evidence
from gate.model.path import path_text
from gate.model.scan import FileInspection, RawReport
from gate.model.settings import ArtifactSettings, Limits, ReportSettings

__all__ = ["Visit", "collect_artifact", "file_exists", "open_regular", "read_evidence", "read_regular", "read_reports"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What else a read of the files is good for.

    `wanted` are the recipes to compute beside SHA-256; a model that is one file has the path `.` there. What they give
    is put into `others`, by SHA-256 and recipe word. `tell` is told of the bytes that were read. With a `crew` files
    are visited in processes of their own (`gate.collect.crew`), without one by the threads of this process.
    """

    wanted: Wanted = nothing
    others: MutableMapping[tuple[Digest, str], str] = field(default_factory=dict)
    tell: Tell = unheard
    crew: CrewLimits | None = None


_LINES: Final = b".jsonl"
_EVIDENCE: Final = (b".json", _LINES, b".sigstore", b".dsse", b".att", b".attestation", b".provenance")
_NAMES: Final = ", ".join(suffix.decode("ascii") for suffix in _EVIDENCE)


def collect_artifact(
    root: Path,
    settings: ArtifactSettings,
    limits: Limits,
    visit: Visit | None = None,
    inspections: MutableMapping[str, FileInspection] | None = None,
    reading: Reading | None = None,
) -> Artifact:
    """Enumerate and hash one artifact; for an image only its reference is read, unless it lies in a layout on disk.

    Below a folder every entry counts, hidden ones and `.git` too, but for those that the settings ignore: they are
    listed, and nothing of them is read. Links have the format `symlink`, devices, FIFOs and sockets `special`; neither
    has a digest or bytes. `visit` is called for each regular file, by several threads, with the bytes that are hashed
    (`hashing.hash_files`); what it says is put into `inspections` and gives the file's format. The result does not
    depend on the order in which a file system lists names.

    Raises `EvidenceError` when the path does not exist, is or crosses a link, or when a file changes meanwhile or
    cannot be read; `LimitError` for more than `limits.files` entries; `ConfigError` for an image reference that
    is none, and for a single file of which something is to be ignored.
    """
    if settings.path is None:
        artifact, layout = _image(settings)
        if layout is not None:
            check_image(root, layout, limits, (reading or Reading()).tell)
        return artifact
    with opened_artifact(root, settings.path, settings.name, limits) as place:
        if settings.ignore and not place.is_folder:
            raise ConfigError(f"artifact {settings.name}: ignore is for folders, {settings.path!r} is a file")
        ignored = {path_text(entry.path): _kind(entry) for entry in place.entries if _is_ignored(entry, settings)}
        kept = [entry for entry in place.entries if path_text(entry.path) not in ignored]
        files = _hashed(replace(place, entries=kept), visit, inspections, reading or Reading())
    return Artifact(
        name=settings.name,
        kind=settings.kind,
        path=settings.path,
        reference=None,
        mutable_reference=False,
        base=settings.base,
        digest=tree_digest(files) if place.is_folder else next(iter(files.values())).digest,
        files=files,
        is_folder=place.is_folder,
        ignored=ignored,
    )


@dataclass(frozen=True, slots=True)
class Place:
    """An artifact that is open: its folder, what lies there, and what stands in front of paths in messages."""

    folder: int
    entries: Sequence[Entry]
    prefix: str
    is_folder: bool


@contextmanager
def opened_artifact(root: Path, path: str, name: str, limits: Limits) -> Iterator[Place]:
    """A file or folder below the root with all its entries; raises `EvidenceError` and `LimitError`."""
    segments = plain_segments(path)
    with opened_root(root) as base:
        try:
            with opened_folder(base, segments[:-1]) as parent:
                status = os.lstat(segments[-1], dir_fd=parent)
                is_folder = stat.S_ISDIR(status.st_mode)
                if not is_folder and not stat.S_ISREG(status.st_mode):
                    raise EvidenceError(
                        f"artifact {name}: {path!r} is neither a file nor a folder",
                        hint="links are not followed; name what they point at",
                    )
                if not is_folder:
                    yield Place(parent, [Entry(segments[-1], status)], path[: path.rfind("/") + 1], is_folder=False)
                else:
                    with opened_folder(parent, segments[-1:]) as folder:
                        yield Place(folder, entries(folder, limits.files), f"{path}/", is_folder=True)
        except OSError as error:
            raise unreadable(path, error) from error


def _is_ignored(entry: Entry, settings: ArtifactSettings) -> bool:
    path = path_text(entry.path)
    return any(path == ignored or path.startswith(f"{ignored}/") for ignored in settings.ignore)


def _kind(entry: Entry) -> str:
    if stat.S_ISREG(entry.status.st_mode):
        return f"file of {entry.status.st_size} bytes"
    return "link" if stat.S_ISLNK(entry.status.st_mode) else "special"


def special_files(found: Iterable[Entry]) -> dict[str, ArtifactFile]:
    """The entries that are no regular files."""
    return {
        path_text(entry.path): ArtifactFile(None, 0, "symlink" if stat.S_ISLNK(entry.status.st_mode) else "special")
        for entry in found
        if not stat.S_ISREG(entry.status.st_mode)
    }


def _hashed(
    place: Place, visit: Visit | None, inspections: MutableMapping[str, FileInspection] | None, reading: Reading
) -> dict[str, ArtifactFile]:
    regular = [entry for entry in place.entries if stat.S_ISREG(entry.status.st_mode)]
    files = special_files(place.entries)

    def wanted(path: str, size: int) -> Collection[str]:
        return reading.wanted(path if place.is_folder else SINGLE_FILE, size)

    found = _read(place, regular, visit, wanted, reading)
    for entry, hashed in zip(regular, found, strict=True):
        path = path_text(entry.path)
        inspection = hashed.inspection
        files[path] = ArtifactFile(hashed.digest, hashed.size)
        if inspection is not None:
            files[path] = ArtifactFile(hashed.digest, hashed.size, inspection.format, inspection.templates)
        if inspection is not None and inspections is not None:
            inspections[path] = inspection
        for word, text in hashed.others.items():
            reading.others[hashed.digest, word] = text
    return dict(sorted(files.items()))


def _read(
    place: Place, regular: Sequence[Entry], visit: Visit | None, wanted: Wanted, reading: Reading
) -> Sequence[Hashed]:
    if visit is None or reading.crew is None:
        return hash_files(place.folder, regular, visit, place.prefix, wanted, reading.tell)
    folder = Folder(place.folder, place.prefix)
    task = Task([Item(folder, entry) for entry in regular], visit, wanted)
    read: list[Hashed] = []
    for found in read_files(task, reading.crew, reading.tell):
        if isinstance(found, Unread):
            hint = "every file has to be readable, and nothing may write while the gate judges"
            raise EvidenceError(found.reason, hint=hint)
        read.append(found)
    return read


def _image(settings: ArtifactSettings) -> tuple[Artifact, LayoutReference | None]:
    if settings.image is None:
        raise ConfigError(f"artifact {settings.name} has neither a path nor an image")
    try:
        digest, layout = image_digest(settings.image), parse_layout(settings.image)
    except ValueError as error:
        raise ConfigError(f"artifact {settings.name}: {error}") from error
    artifact = Artifact(
        name=settings.name,
        kind=settings.kind,
        path=None,
        reference=settings.image,
        mutable_reference=digest is None,
        base=settings.base,
        digest=digest,
        files={},
    )
    return artifact, layout


def read_evidence(root: Path, directory: str, limits: Limits) -> tuple[list[Evidence], dict[str, str]]:
    """All evidence below a folder, sorted by path, and what was left out, with the reason.

    Names end in `.json`, `.jsonl`, `.sigstore`, `.dsse`, `.att`, `.attestation` or `.provenance`; each line of a
    `.jsonl` file that is not blank is a piece of its own, and so is each attestation of a list (`carriers.lines`).
    Other names, links and what is no regular file are left out, and so is the folder itself when it does not exist.

    Raises `EvidenceError` for a file or folder that cannot be read, changes meanwhile, or is reached over a link;
    `LimitError` for a file or line of more than `limits.evidence_bytes`, and for more than `limits.evidence_count`
    pieces.
    """
    skipped: dict[str, str] = {}
    return list(each_evidence(root, directory, limits, skipped)), skipped


def each_evidence(root: Path, directory: str, limits: Limits, skipped: MutableMapping[str, str]) -> Iterator[Evidence]:
    """Like `read_evidence`, one piece after the other; what was left out is put into `skipped` meanwhile."""
    segments, count = plain_segments(directory), 0
    with opened_root(root) as base:
        try:
            with opened_folder(base, segments) as folder:
                for entry in entries(folder, limits.files):
                    origin = f"{directory}/{path_text(entry.path)}"
                    reason = _no_evidence(entry)
                    if reason is not None:
                        skipped[origin] = reason
                        continue
                    for evidence in _pieces(folder, entry, origin, limits.evidence_bytes):
                        count += 1
                        if count > limits.evidence_count:
                            raise LimitError(
                                f"{directory!r} holds more than {limits.evidence_count} pieces of evidence",
                                hint="raise limits.evidence_count in gate.yaml",
                            )
                        yield evidence
        except FileNotFoundError:
            skipped[directory] = "does not exist"
        except OSError as error:
            raise unreadable(directory, error) from error


def _no_evidence(entry: Entry) -> str | None:
    if stat.S_ISLNK(entry.status.st_mode):
        return "a link; links are not followed"
    if not stat.S_ISREG(entry.status.st_mode):
        return "not a regular file"
    if not entry.path.endswith(_EVIDENCE):
        return f"not named like evidence ({_NAMES})"
    return None


def _pieces(folder: int, entry: Entry, origin: str, limit: int) -> Iterator[Evidence]:
    try:
        with opened_file(folder, entry.path.split(b"/")) as (descriptor, before):
            if not same_file(entry.status, before):
                raise _changed(origin)
            if entry.path.endswith(_LINES):
                yield from _lines(descriptor, origin, limit)
            else:
                data = read_at_most(descriptor, limit)
                if data is None:
                    raise _too_large(origin, limit)
                yield from pieces(data, origin)
            if not same_file(before, os.fstat(descriptor)):
                raise _changed(origin)
    except OSError as error:
        # Also when it is gone: it was there a moment ago.
        raise EvidenceError(f"{origin!r} cannot be read: {error.strerror}") from error


def _lines(descriptor: int, origin: str, limit: int) -> Iterator[Evidence]:
    with open(descriptor, "rb", closefd=False) as file:
        number = 0
        while line := file.readline(limit + 2):
            number += 1
            text = line.removesuffix(b"\n")
            if len(text) > limit:
                raise _too_large(f"{origin}#{number}", limit)
            if text.strip():
                yield from pieces(text, f"{origin}#{number}")


def _changed(origin: str) -> EvidenceError:
    return EvidenceError(f"{origin!r} changed while it was read", hint="nothing may write while the gate judges")


def _too_large(origin: str, limit: int) -> LimitError:
    return LimitError(
        f"{origin!r} has more than the {limit} bytes that are read", hint="raise limits.evidence_bytes in gate.yaml"
    )


def read_reports(root: Path, reports: Sequence[ReportSettings], limits: Limits) -> list[RawReport]:
    """The reports that the configuration names, in its order, the matches of a glob sorted by path.

    Nothing is raised for a report that cannot be read: it has a `problem` and no data, since a report that was
    asked for and is not there is itself a result. A pattern that matches nothing is such a report. Raises
    `EvidenceError` for a path that is not plain and for folders that cannot be read, `ConfigError` for a pattern
    that is none.
    """
    found: list[RawReport] = []
    with opened_root(root) as base:
        for settings in reports:
            if not is_glob(settings.path):
                found.append(_report(base, settings, plain_segments(settings.path), settings.path, limits))
                continue
            matches = _matches(base, settings.path, limits)
            found += [_report(base, settings, path.split(b"/"), path_text(path), limits) for path in matches]
            if not matches:
                problem = "no file matches"
                found.append(RawReport(settings.tool, settings.path, settings.artifact, None, problem, missing=True))
    return found


def _report(base: int, settings: ReportSettings, segments: Sequence[bytes], origin: str, limits: Limits) -> RawReport:
    data: bytes | None = None
    problem: str | None = None
    missing = False
    try:
        with opened_file(base, segments) as (descriptor, before):
            data = read_at_most(descriptor, limits.report_bytes)
            if data is None:
                problem = f"it has more than {limits.report_bytes} bytes"
            elif not same_file(before, os.fstat(descriptor)):
                data, problem = None, "it changed while it was read"
    except FileNotFoundError:
        problem, missing = "it does not exist", True
    except OSError as error:
        problem = str(unreadable(origin, error))
    return RawReport(settings.tool, origin, settings.artifact, data, problem, missing)


def _matches(base: int, pattern: str, limits: Limits) -> list[bytes]:
    try:
        glob = compile_glob(pattern)
    except ValueError as error:
        raise ConfigError(f"the path {pattern!r} of a report: {error}") from error
    start = [segment.encode() for segment in glob.start]
    top = b"".join(segment + b"/" for segment in start)
    try:
        with opened_folder(base, start) as folder:
            found = entries(
                folder, limits.files, skip=frozenset({b".git"}), wanted=lambda path: glob.matches(path_text(top + path))
            )
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unreadable(pattern, error) from error
    return [top + entry.path for entry in found]
