"""The built-in scan of one artifact, out of what was seen in each of its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gate.inspect.context import shown
from gate.model.artifact import Artifact
from gate.model.digest import Digest
from gate.model.scan import Basis, Category, Coverage, FileInspection, Finding, Scan, ScanStatus, Severity


def inspect_artifact(
    artifact: Artifact, inspections: Mapping[str, FileInspection], version: str, base: Sequence[str] = ()
) -> Scan:
    """The gate's own scan of an artifact.

    `inspections` are keyed like `artifact.files`. A file is covered when it is regular, has a digest and was inspected;
    every other one is listed with the reason. The scan is complete when all files are covered, and failed when there
    is no file at all. `version` is the gate's. `base` are the names of the admitted base model: an adapter that says it
    is for another one is a finding.
    """
    scanned: dict[str, Digest] = {}
    missing: dict[str, str] = {}
    findings: list[Finding] = []
    for path, file in sorted(artifact.files.items()):
        inspection = inspections.get(path)
        if file.digest is None:
            missing[path] = f"not a regular file ({file.format})"
        elif inspection is None:
            missing[path] = "it was not looked at"
        elif not inspection.inspected:
            missing[path] = inspection.reason or "no reason was given"
        else:
            scanned[path] = file.digest
        if inspection is not None:
            named = (*inspection.findings, *_other_base(inspection.base, base))
            findings.extend(replace(finding, artifact=artifact.name, file=path) for finding in named)
    if not artifact.files:
        status, problem = ScanStatus.FAILED, "the artifact has no files that could be inspected"
    elif missing:
        status, problem = ScanStatus.INCOMPLETE, f"{len(missing)} of {len(artifact.files)} files were not inspected"
    else:
        status, problem = ScanStatus.COMPLETE, None
    return Scan(
        tool="gate",
        version=version,
        basis=Basis.INSPECTED,
        artifact=artifact.name,
        report=None,
        status=status,
        coverage=Coverage(expected=len(artifact.files), scanned=scanned, missing=missing),
        findings=tuple(findings),
        problem=problem,
    )


def _other_base(named: str | None, base: Sequence[str]) -> tuple[Finding, ...]:
    """That an adapter is for another model than the admitted one, by the last parts of their names."""
    if named is None or not base or _last(named) in {_last(name) for name in base}:
        return ()
    message = f"the adapter is for {shown(named, 60)}, and the admitted base is {shown(base[0], 60)}"
    return (Finding("adapter.base", Severity.HIGH, message, category=Category.UNSAFE),)


def _last(name: str) -> str:
    """The last part of a path, a name on a hub or an image reference, without tag and digest."""
    return name.rstrip("/").rpartition("/")[2].partition("@")[0].partition(":")[0].casefold()
