"""`gate.admit`: from a decision to the files that it lets through. What was not judged is never among them.

Obligations, each of them an error when it is not met:
1. the path lies below the root, and no link lies between them;
2. it is, or lies below, an artifact that the configuration names;
3. the verdict is ALLOW, and not that of a dry run;
4. an enforced control that judges artifacts of this kind, not only statements, waivers or a change, passed;
5. there are files, and each of them has a digest in the very collection that was judged.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.app.check import judge
from gate.app.workspace import Request, open_workspace
from gate.collect.directory import collect_artifact
from gate.errors import ConfigError, PolicyError
from gate.formats.strict_yaml import suggestion
from gate.model.artifact import Artifact, ArtifactKind
from gate.model.control import Mode
from gate.model.decision import Decision, Outcome, Verdict
from gate.model.digest import Digest
from gate.model.evidence import Concern
from gate.model.path import path_bytes, path_text
from gate.model.settings import ArtifactSettings, Limits
from gate.report import summary
from gate.report.text import render_text

UNJUDGED: Final = "gate.unjudged"
"""The code of a refusal for which no control has a word."""
# Folders count too when files are enumerated.
_ENTRIES_PER_FILE: Final = 10


@dataclass(frozen=True, slots=True)
class Admission:
    """Files that a decision lets through, with the digests that it was made from.

    `path` is relative to `root`, with `/`. The keys of `files` are relative to `path`; a single file has its own
    name as the only key. Making one from anything but an ALLOW is an error, whoever makes it.
    """

    decision: Decision
    root: Path
    artifact: str
    path: str
    files: Mapping[str, Digest]
    is_folder: bool

    def __post_init__(self) -> None:
        """Holds obligations 3 and 5."""
        if self.decision.verdict is not Verdict.ALLOW or self.decision.dry_run:
            raise ValueError("only an ALLOW that is no dry run admits")
        if not self.files:
            raise ValueError("an admission names the files that were judged")

    @property
    def location(self) -> Path:
        """Where the files lie. What is opened there later may be other bytes: see `gate.loading`."""
        return self.root / os.fsdecode(path_bytes(self.path))

    def place(self, name: str) -> str:
        """The path below the root of one of `files`."""
        return f"{self.path}/{name}" if self.is_folder else self.path


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no ALLOW. `control` is `None` for rejected evidence; `fix` says what to do."""

    code: str
    message: str
    control: str | None = None
    artifact: str | None = None
    file: str | None = None
    fix: str = ""

    def __str__(self) -> str:
        """One line."""
        about = ", ".join(filter(None, (self.artifact, self.file)))
        return f"{self.code}: {self.message}{f' ({about})' if about else ''}{f'; fix: {self.fix}' if self.fix else ''}"


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not an error of the gate
    """The decision is no. `str()` is the report that `gate check` prints: each refusal with what to do about it."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision)
        self.decision = decision

    def __str__(self) -> str:
        """The report."""
        return render_text(self.decision)

    @property
    def exit_code(self) -> int:
        """The exit code of `gate check`, 10 to 14."""
        return self.decision.exit_code

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Every refusal, in the order of the report; at least one."""
        return reasons(self.decision)


def reasons(decision: Decision) -> tuple[Reason, ...]:
    """Why a decision is not ALLOW: violations that nothing covers, rejected evidence, or that nothing passed."""
    found = [
        Reason(
            entry.violation.code,
            entry.violation.message,
            control.info.id,
            entry.violation.artifact,
            entry.violation.file,
            control.info.fix,
        )
        for control in summary.refused(decision)
        for entry in control.violations
        if not entry.is_covered
    ]
    found += [
        Reason(item.code, item.detail, file=item.origin)
        for item in decision.rejected
        if item.concern is not Concern.OTHERS
    ]
    return tuple(found) or (Reason(UNJUDGED, summary.unexplained(decision) or "a control has no status"),)


def admit(request: Request, path: Path) -> Admission:
    """Judges, and returns what was admitted at `path`, which starts at `request.start` when it is relative.

    Raises `Refused` when the decision is no, and a `GateError` when there is no decision, or none about `path`.
    """
    workspace = open_workspace(request)
    place = place_below(workspace.root, request.start / path)
    artifact = _artifact_at(place, path, workspace.settings.artifacts)
    judged = judge(workspace)
    decision = judged.decision
    if decision.verdict is Verdict.ERROR:
        names = ", ".join(control.info.id for control in summary.refused(decision))
        raise PolicyError(f"no decision: {names} could not be judged", hint="gate check shows the reasons")
    if decision.verdict is not Verdict.ALLOW:
        raise Refused(decision)
    kind = artifact.kind.value
    passed = [
        control
        for control in decision.controls.values()
        if control.mode is Mode.ENFORCE and control.outcome is Outcome.PASS
    ]
    if not any(control.judged(kind) for control in passed):
        raise ConfigError(
            f"the profile allows, but no enforced control judged {artifact.name}",
            hint=f"enforce one whose METADATA lists {kind} among its artifacts, such as artifact.integrity",
        )
    return _admission(decision, workspace.root, judged.artifacts[artifact.name], place)


def unchanged(admission: Admission) -> bool:
    """Whether exactly the admitted files lie there now; raises `EvidenceError` for what cannot be read."""
    limits = Limits(files=max(Limits().files, _ENTRIES_PER_FILE * len(admission.files)))
    settings = ArtifactSettings(admission.artifact, ArtifactKind.WEIGHTS, admission.path, image=None, base=None)
    found = collect_artifact(admission.root, settings, limits)
    return {name: file.digest for name, file in found.files.items()} == dict(admission.files)


def place_below(root: Path, path: Path) -> str:
    """The path relative to the root, as documents write it; raises `ConfigError` outside it or behind a link.

    The root may be reached over links: a person named it.
    """
    try:
        found = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise ConfigError(f"{str(path)!r} cannot be admitted: {reason}") from None
    if root not in found.parents:
        raise ConfigError(
            f"{str(path)!r} does not lie below the root {str(root)!r}", hint="only what was judged can be admitted"
        )
    link = _link_on_the_way(root, path)
    if link is not None:
        raise ConfigError(
            f"{str(path)!r} leads over the link {str(link)!r}", hint="name the file or folder itself; see docs/how-to"
        )
    return path_text(os.fsencode(found.relative_to(root).as_posix()))


def _link_on_the_way(root: Path, path: Path) -> Path | None:
    steps = itertools.takewhile(lambda step: step.resolve() != root, (path, *path.parents))
    return next((step for step in steps if step.is_symlink()), None)


def _artifact_at(place: str, path: Path, artifacts: Mapping[str, ArtifactSettings]) -> ArtifactSettings:
    """The artifact that holds a place; the innermost of several."""
    known = {artifact.path: artifact for artifact in artifacts.values() if artifact.path is not None}
    holding = [top for top in known if place == top or place.startswith(f"{top}/")]
    if not holding:
        raise ConfigError(
            f"{str(path)!r} belongs to no artifact of the configuration, so nothing judges it"
            f"{suggestion(place, list(known))}",
            hint="name it, or the folder that holds it, under artifacts in gate.yaml",
        )
    return known[max(holding, key=len)]


def _admission(decision: Decision, root: Path, artifact: Artifact, place: str) -> Admission:
    digests: dict[str, Digest] = {}
    for name, file in artifact.files.items():
        if file.digest is None:
            raise ConfigError(
                f"{artifact.name} holds {name!r}, which is no regular file and cannot be admitted",
                hint="replace the link or device by the file it stands for",
            )
        digests[name] = file.digest
    inner = place.removeprefix(artifact.path or "").removeprefix("/")
    if not artifact.is_folder:
        return Admission(decision, root, artifact.name, place, digests, is_folder=False)
    if inner in digests:
        own = {inner.rpartition("/")[2]: digests[inner]}
        return Admission(decision, root, artifact.name, place, own, is_folder=False)
    prefix = f"{inner}/" if inner else ""
    below = {name.removeprefix(prefix): digest for name, digest in digests.items() if name.startswith(prefix)}
    if not below:
        raise ConfigError(f"{place!r} holds no file that was judged", hint="an empty folder cannot be admitted")
    return Admission(decision, root, artifact.name, place, below, is_folder=True)
