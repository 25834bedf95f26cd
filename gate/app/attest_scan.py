"""`gate attest create --type scan --report`: a report about an artifact of gate.yaml becomes a statement to be signed.

What gate.yaml says of the artifact is what the report has to be about: files by their path and digest, an image by its
digest. A report that is about other bytes, or that cannot be read, makes no statement; one that left something out
makes one that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from gate.app.attest_create import TypedRequest, create_typed
from gate.app.produce import Made, Place, Progress, path_below, real_path, root_of
from gate.app.workspace import WorkTree
from gate.config.settings import DEFAULT_PATH, load_settings
from gate.errors import ConfigError
from gate.formats.canonical_json import dumps
from gate.formats.glob import compile_glob
from gate.formats.reports import TOOLS
from gate.model.json import JsonObject
from gate.model.settings import ArtifactSettings, Settings


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """The statement to make about a report. Without a `tool`, gate.yaml has to list the report with one.

    The rest is as in `TypedRequest`.
    """

    place: Place
    report: Path
    artifact: str
    tool: str | None = None
    out: Path | None = None
    depends_on: Sequence[Path] = ()
    created_s: int | None = None


def create_scan(request: ScanRequest, progress: Progress = nullcontext) -> Made:
    """Makes and writes the statement; raises `ConfigError`, `AttestError` or `EvidenceError` and writes nothing."""
    root = root_of(request.place)
    settings = load_settings(DEFAULT_PATH, WorkTree(root))
    artifact = settings.artifacts.get(request.artifact)
    if artifact is None:
        known = ", ".join(sorted(settings.artifacts)) or "none"
        raise ConfigError(f"--artifact {request.artifact!r} is not in {DEFAULT_PATH}, which has {known}")
    report = path_below(real_path(request.place.start / request.report), root)
    if report is None:
        raise ConfigError(f"--report {request.report} does not lie below {root}", hint="or give --root")
    tool = request.tool or _tool_of(settings, report, artifact.name)
    named = Path(f"{artifact.name}-{tool}")
    content = dumps(_config(tool, report, artifact))
    made = TypedRequest(
        request.place, "scan", named, request.out, request.depends_on, request.created_s, content=content
    )
    return create_typed(made, progress)


def _config(tool: str, report: str, artifact: ArtifactSettings) -> JsonObject:
    if tool not in TOOLS:
        raise ConfigError(f"--tool {tool!r}: the gate reads no reports of it", hint=f"one of: {', '.join(TOOLS)}")
    what = {"image": artifact.image} if artifact.path is None else {"artifact": artifact.path}
    return {"tool": tool, "report": report, **what}


def _tool_of(settings: Settings, report: str, artifact: str) -> str:
    """The tool of the reports of gate.yaml that match a path; raises `ConfigError` unless it is one."""
    found = {
        item.tool
        for item in settings.reports
        if item.artifact in {None, artifact} and compile_glob(item.path).matches(report)
    }
    if len(found) != 1:
        raise ConfigError(
            f"{DEFAULT_PATH} does not say which tool wrote {report}", hint=f"--tool with one of: {', '.join(TOOLS)}"
        )
    return found.pop()
