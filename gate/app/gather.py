"""The stages that read and verify: artifacts, change, evidence, reports. Shared by check, verify and input."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

from gate import __version__
from gate.app.workspace import Workspace
from gate.collect.changes import collect_changes, submodules_of
from gate.collect.crew import DEFAULT_JOBS, CrewLimits
from gate.collect.directory import Reading, collect_artifact, open_regular, read_evidence, read_reports
from gate.collect.hashing import Tell, Wanted, unheard
from gate.collect.legacy import read_bundles
from gate.collect.locks import collect_locks
from gate.collect.manifests import collect_manifests
from gate.collect.named import read_named
from gate.collect.oci import read_attached
from gate.collect.signals import collect_signals
from gate.errors import EvidenceError
from gate.formats.glob import compile_glob
from gate.formats.predicates.model_signature import wanted_digests
from gate.formats.reports import read_report
from gate.formats.workloads.interface import read_workloads
from gate.inspect.interface import inspect_file
from gate.inspect.run import inspect_artifact
from gate.model.admission import AdmissionFacts
from gate.model.artifact import Artifact, ArtifactFile, ArtifactKind, tree_digest
from gate.model.change import ChangeSet
from gate.model.dependencies import Lock
from gate.model.digest import Digest
from gate.model.evidence import Evidence, Statement, VerifiedSet
from gate.model.scan import FileInspection, Scan
from gate.model.signal import Signal
from gate.model.workload import Workload
from gate.normalize.sections.change import triggered_gates
from gate.verify.located import Place, named_paths, named_places
from gate.verify.pipeline import Admission, admit_evidence
from gate.verify.trust import root_weaknesses

BYTES: Final = -1
"""Stands for a number of items: bytes that are read are told, by whoever must not see other threads."""


class Counting(Protocol):
    """Called with what is being done now. It may want to know of bytes that are read.

    With a number of items it may want to know of those that are done, from one thread alone. With `BYTES` it wants to
    know of bytes, and often: it shows something when it is told, and starts no thread.
    """

    def __call__(self, what: str, items: int = 0, /) -> AbstractContextManager[Tell | None]:
        """The context in which it is done."""


# Formats that can run code when they are loaded matter for what is loaded as a model or its data.
_INSPECTED = frozenset({ArtifactKind.WEIGHTS, ArtifactKind.ADAPTER, ArtifactKind.DATASET})


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything that the input document is made from, apart from the configuration."""

    artifacts: Mapping[str, Artifact]
    change: ChangeSet
    evidence: VerifiedSet
    scans: tuple[Scan, ...]
    dependencies: Mapping[str, Mapping[str, Lock]]
    signals: tuple[Signal, ...]
    workloads: Mapping[str, Workload]
    admission: AdmissionFacts | None = None


def silent(_: str, _items: int = 0, /) -> AbstractContextManager[None]:
    """A progress that says nothing."""
    return nullcontext()


def gather(workspace: Workspace, progress: Counting = silent) -> Gathered:
    """Reads, inspects and verifies; raises `EvidenceError` for what cannot be read."""
    admission, skipped = _admission(workspace, progress)
    reading = Reading(wanted=_wanted(admission.statements()))
    artifacts, scans = _artifacts(workspace, progress, reading)
    with progress("comparing with the merge base" if workspace.range else "looking for files below gates"):
        change = _change(workspace)
    digests = _OtherDigests(workspace, artifacts, change, reading.others)
    with progress("comparing the evidence with what is there"):
        named = named_here(workspace, admission, artifacts)
        evidence = admission.settle(artifacts, _at_stake(workspace, change), digests, named)
    reports = read_reports(workspace.root, workspace.settings.reports, workspace.settings.limits)
    scans += tuple(read_report(raw, artifacts) for raw in reports)
    with progress("reading runtime signals") if workspace.settings.signals else nullcontext():
        signals = collect_signals(workspace.root, workspace.settings.signals, artifacts, workspace.settings.limits)
    locks = {
        name: collect_locks(workspace.root, artifact)
        for name, artifact in artifacts.items()
        if artifact.kind is ArtifactKind.PACKAGE
    }
    evidence = replace(evidence, skipped={**evidence.skipped, **skipped})
    manifests = collect_manifests(workspace.root, workspace.settings.manifests, workspace.settings.limits)
    return Gathered(artifacts, change, evidence, scans, locks, signals, read_workloads(manifests))


def named_here(workspace: Workspace, admission: Admission, artifacts: Mapping[str, Artifact]) -> Mapping[str, Place]:
    """What lies where statements name paths outside of all artifacts."""
    held = {artifact.path for artifact in artifacts.values() if artifact.path is not None}
    files, folders = named_paths(admission.statements(), held)
    there = read_named(workspace.root, files, folders, workspace.settings.limits) if files or folders else {}
    return named_places(files, folders, there)


def _wanted(statements: Iterable[Statement]) -> Wanted:
    """The digests beside SHA-256 that signed manifests need, of files of the name and size that they say."""
    words: dict[str, set[tuple[int | None, str]]] = {}
    for statement in statements:
        for path, size, word in wanted_digests(statement):
            words.setdefault(path, set()).add((size, word))
    return lambda path, size: {word for signed, word in words.get(path, ()) if signed in {None, size}}


def _artifacts(
    workspace: Workspace, progress: Counting, reading: Reading
) -> tuple[Mapping[str, Artifact], tuple[Scan, ...]]:
    artifacts: dict[str, Artifact] = {}
    scans = []
    # Processes are for a program that is the gate alone, which says so by their number.
    crew = CrewLimits(jobs=min(workspace.jobs, DEFAULT_JOBS)) if workspace.jobs > 1 else None
    submodules = submodules_of(workspace.repository) if workspace.repository is not None else ()
    for name, settings in workspace.settings.artifacts.items():
        inspections: dict[str, FileInspection] = {}
        inspected = settings.kind in _INSPECTED and settings.path is not None
        with progress(f"hashing and inspecting {name}", BYTES) as tell:
            artifact = collect_artifact(
                workspace.root,
                settings,
                workspace.settings.limits,
                visit=partial(inspect_file, allowed=workspace.settings.allow_globals) if inspected else None,
                inspections=inspections,
                reading=replace(reading, tell=tell or unheard, crew=crew),
            )
        artifacts[name] = artifact = _with_submodules(artifact, submodules)
        if inspected:
            base = workspace.settings.artifacts.get(settings.base or "")
            names = [text for text in (base.name, base.path, base.image) if text] if base else []
            scans.append(inspect_artifact(artifacts[name], inspections, __version__, names))
    return artifacts, tuple(scans)


def _with_submodules(artifact: Artifact, submodules: Sequence[str]) -> Artifact:
    """The artifact with the submodules below it, which hold files that only other checkouts have."""
    prefix = f"{artifact.path}/"
    found = [path.removeprefix(prefix) for path in submodules if path.startswith(prefix)]
    if not found:
        return artifact
    files = {**artifact.files, **dict.fromkeys(found, ArtifactFile(None, 0, "special"))}
    return replace(artifact, files=dict(sorted(files.items())), digest=tree_digest(files))


def _change(workspace: Workspace) -> ChangeSet:
    settings = workspace.settings
    globs = [compile_glob(text) for gate in settings.gates.values() for text in gate.trigger_paths]
    paths = [artifact.path for artifact in settings.artifacts.values() if artifact.path is not None]
    logs = (*(report.path for report in settings.reports), *(item.path for item in settings.signals))
    record = () if settings.record is None else settings.record.files
    excluded = (*settings.evidence_directories, *logs, *record)
    span = (workspace.range.merge_base, workspace.range.head, workspace.range.base) if workspace.range else None
    return collect_changes(
        workspace.repository,
        workspace.root,
        span,
        globs,
        artifacts=paths,
        excluded=excluded,
        steering=settings.steering,
        limits=settings.limits,
    )


def _admission(workspace: Workspace, progress: Counting) -> tuple[Admission, Mapping[str, str]]:
    """All evidence that is configured, as far as it can be judged alone, and what was left out."""
    settings = workspace.settings
    items: list[Evidence] = []
    skipped = root_notes(workspace)
    for directory in settings.evidence_directories:
        read = read_bundles if directory in settings.legacy_directories else read_evidence
        found, left_out = read(workspace.root, directory, settings.limits)
        items += found
        skipped |= left_out
    for source in settings.evidence_registries:
        image = settings.artifacts[source.artifact].image or ""
        with progress(f"reading what is attached to {source.artifact}"):
            found, left_out = read_attached(workspace.root, source, image, settings.limits)
        items += found
        skipped |= left_out
    with progress(f"verifying {len(items)} attestations", len(items)) as tell:
        limit = settings.limits.evidence_bytes
        admission = admit_evidence(items, workspace.trust, limit=limit, jobs=workspace.jobs, tell=tell or unheard)
    return admission, skipped


def root_notes(workspace: Workspace) -> dict[str, str]:
    """That the trusted root is over, by its path: it judges what was signed while it was not."""
    problems = root_weaknesses(workspace.settings.trust, workspace.now_s)
    path = workspace.settings.trust.sigstore_trusted_root
    return {} if path is None or not problems else {path: f"the trusted root is old: {'; '.join(problems)}"}


def _at_stake(workspace: Workspace, change: ChangeSet) -> Mapping[str, Digest | None]:
    """The changed files below gates, and those that steer the gate, with the digest that they have now."""
    settings = workspace.settings
    globs = {name: [compile_glob(text) for text in gate.trigger_paths] for name, gate in settings.gates.items()}
    return {
        path: entry.new.digest if entry.new is not None else None
        for path, entry in change.files.items()
        if triggered_gates(path, entry, globs) or path in settings.steering
    }


class _OtherDigests:
    """Other digests of what is at stake.

    sha384 and sha512 are computed when a statement names one. All others were, when the file was read: what was not
    wanted then is in no statement that counts, or of a file of another size.
    """

    def __init__(
        self,
        workspace: Workspace,
        artifacts: Mapping[str, Artifact],
        change: ChangeSet,
        known: Mapping[tuple[Digest, str], str],
    ) -> None:
        self._workspace = workspace
        self._paths: dict[Digest, str] = {}
        self._known: dict[tuple[Digest, str], str | None] = dict(known)
        for artifact in artifacts.values():
            for path, file in artifact.files.items():
                if file.digest is not None and artifact.path is not None:
                    self._paths[file.digest] = f"{artifact.path}/{path}" if artifact.is_folder else artifact.path

        for path, entry in change.files.items():
            if entry.new is not None and entry.new.digest is not None:
                self._paths.setdefault(entry.new.digest, path)

    def __call__(self, digest: Digest, algorithm: str) -> str | None:
        if (digest, algorithm) not in self._known:
            self._known[digest, algorithm] = self._compute(digest, algorithm)
        return self._known[digest, algorithm]

    def _compute(self, digest: Digest, algorithm: str) -> str | None:
        if digest not in self._paths or algorithm not in {"sha384", "sha512"}:
            return None
        wanted, check = hashlib.new(algorithm), hashlib.sha256()
        try:
            with open_regular(self._workspace.root, self._paths[digest]) as file:
                while block := file.read(1 << 20):
                    wanted.update(block)
                    check.update(block)
        except EvidenceError:
            return None  # a digest that cannot be checked does not agree
        return wanted.hexdigest() if f"sha256:{check.hexdigest()}" == digest else None
