"""The library's answer is believed only when it is complete and means something (DOCUMENTS 3, SECURITY 25)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gate.errors import PolicyError
from gate.evaluate.bundle import PolicyBundle
from gate.evaluate.interface import Engine
from gate.formats import schema
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.control import ControlResult, Evaluation, Profile, Status, Violation
from gate.model.digest import Digest
from gate.model.document import InputDocument
from gate.model.json import JsonObject

_LIMIT: Final = 64 << 20


def evaluate(engine: Engine, bundle: PolicyBundle, profile: Profile, document: InputDocument) -> Evaluation:
    """Asks the engine and accepts its answer, or raises `PolicyError`: exit 4, and never a decision."""
    return Evaluation(
        results=accept_report(engine.report(document), profile, document),
        engine=engine.name,
        engine_version=engine.version,
        policy=bundle.digest,
        input=document.digest,
    )


def accept_report(report: bytes, profile: Profile, document: InputDocument) -> Mapping[str, ControlResult]:
    """The results by control; raises `PolicyError` for anything but a complete and consistent report.

    It holds exactly the controls that the profile asks for; a pass has no violation and names evidence or a
    basis; a refusal has a violation, each with a code of its control; "not applicable" has a reason; and every
    digest it names occurs in the input document.
    """
    try:
        value = loads_object(report, limit=_LIMIT)
    except StrictJsonError as error:
        raise _refused(str(error)) from None
    problem = schema.problem("report.json", value)
    if problem is not None:
        raise _refused(problem)
    controls: Any = value["controls"]
    missing, extra = profile.asked - controls.keys(), controls.keys() - profile.asked
    if missing:
        raise _refused(f"no status for {', '.join(sorted(missing))}")
    if extra:
        raise _refused(f"a status nobody asked for: {', '.join(sorted(extra))}")
    known = _known_digests(document.value)
    return {name: _result(name, controls[name], known) for name in sorted(controls)}


def _result(control: str, value: Any, known: frozenset[str]) -> ControlResult:
    status = Status(value["status"])
    violations = tuple(
        sorted((_violation(item) for item in value["violations"]), key=lambda v: (v.code, v.artifact or "", v.file or ""))
    )
    evidence = tuple(Digest(item) for item in sorted(value["evidence"]))
    reason: str | None = value["reason"]
    if status is Status.PASS and (violations or not (evidence or reason)):
        raise _refused(f"{control} passes with a violation, or without evidence and basis")
    if status is Status.FAIL and not violations:
        raise _refused(f"{control} fails without saying why")
    if status is Status.NOT_APPLICABLE and (violations or not reason):
        raise _refused(f"{control} is not applicable without a reason, or with a violation")
    for violation in violations:
        if not violation.code.startswith(f"{control}."):
            raise _refused(f"{control} reports a violation {violation.code!r} that is not its own")
    for digest in (*evidence, *(item for violation in violations for item in violation.evidence)):
        if digest not in known:
            raise _refused(f"{control} rests on {digest}, which is not in the input document")
    return ControlResult(status, violations, evidence, reason)


def _violation(value: Any) -> Violation:
    evidence = tuple(Digest(item) for item in sorted(value["evidence"]))
    return Violation(value["code"], value["message"], value["artifact"], value["file"], evidence)


def _known_digests(document: JsonObject) -> frozenset[str]:
    """Every digest that a result may name: evidence, payloads, reports and files."""
    found: set[str] = set()
    value: Any = document
    found.update(value["attestations"], value["rejected"])
    found.update(item["evidence"] for item in value["attestations"].values())
    found.update(scan["report"] for scan in value["scans"].values() if scan["report"])
    for scan in value["scans"].values():
        found.update(scan["files"].values())
    for artifact in value["artifacts"].values():
        found.add(artifact["digest"])
        found.update(file["digest"] for file in artifact["files"].values())
    for entry in value["change"]["files"].values():
        found.update(side["digest"] for side in (entry["old"], entry["new"]) if side)
    return frozenset(found - {None})


def _refused(why: str) -> PolicyError:
    return PolicyError(f"the policy's answer is not acceptable: {why}", hint="no decision can be made on it")
