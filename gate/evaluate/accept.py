"""The library's answer is believed only when it is complete and means something (DOCUMENTS 3, SECURITY 25)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from gate.errors import PolicyError
from gate.evaluate.bundle import PolicyBundle
from gate.evaluate.interface import Engine
from gate.formats.report_document import ReportError, parse_report
from gate.model.control import ControlResult, Evaluation, Profile, Status
from gate.model.document import InputDocument
from gate.model.json import JsonObject, JsonValue

# Where the input document has digests that a result may name; `*` stands for every member.
_DIGESTS: Final = (
    ("attestations", "*", "evidence"),
    ("scans", "*", "report"),
    ("scans", "*", "files", "*"),
    ("artifacts", "*", "digest"),
    ("artifacts", "*", "files", "*", "digest"),
    ("change", "files", "*", "old", "digest"),
    ("change", "files", "*", "new", "digest"),
)


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
    basis; a refusal has a violation, each with a code of its control; "not applicable" has a reason; every
    digest it names occurs in the input document, and what it rests on is not rejected evidence.
    """
    try:
        results = parse_report(report)
    except ReportError as error:
        raise _refused(str(error)) from None
    missing, extra = profile.asked - results.keys(), results.keys() - profile.asked
    if missing:
        raise _refused(f"no status for {', '.join(sorted(missing))}")
    if extra:
        raise _refused(f"a status nobody asked for: {', '.join(sorted(extra))}")
    check_results(results, document)
    return results


def check_results(results: Mapping[str, ControlResult], document: InputDocument) -> None:
    """Raises `PolicyError` for the first result that no decision could rest on, whoever asked for it."""
    proofs = _proofs(document.value)
    known = proofs | _keys(document.value, "rejected")
    for control, result in results.items():
        _check(control, result)
        _check_digests(control, result, proofs, known)


def _check(control: str, result: ControlResult) -> None:
    """Status, violations, evidence and reason fit each other."""
    status, violations = result.status, result.violations
    if status is Status.PASS and violations:
        raise _refused(f"{control} passes with a violation")
    if status is Status.PASS and not (result.evidence or result.reason):
        raise _refused(
            f"{control} passes without evidence or basis: give its rule `evidence` what it rests on, or `reason` a text"
        )
    if status is Status.FAIL and not violations:
        raise _refused(f"{control} fails without saying why")
    if status is Status.NOT_APPLICABLE and (violations or not result.reason):
        raise _refused(f"{control} is not applicable without a reason, or with a violation")
    for violation in violations:
        if not violation.code.startswith(f"{control}."):
            raise _refused(f"{control} reports a violation {violation.code!r} that is not its own")


def _check_digests(control: str, result: ControlResult, proofs: frozenset[str], known: frozenset[str]) -> None:
    for digest in result.evidence:
        if digest not in proofs:
            raise _refused(f"{control} rests on {digest}, which is no accepted evidence in the input document")
    for violation in result.violations:
        for digest in violation.evidence:
            if digest not in known:
                raise _refused(f"{violation.code} names {digest}, which is not in the input document")


def _proofs(document: JsonObject) -> frozenset[str]:
    """Every digest that a pass may rest on: verified statements, their evidence, reports and files."""
    found = {digest for path in _DIGESTS for digest in _select(document, *path) if isinstance(digest, str)}
    return frozenset(found | _keys(document, "attestations"))


def _keys(document: JsonObject, section: str) -> frozenset[str]:
    members = document[section]
    return frozenset(members) if isinstance(members, Mapping) else frozenset()


def _select(value: JsonValue, *path: str) -> Iterator[JsonValue]:
    if not path:
        yield value
    elif isinstance(value, Mapping):
        for key in value if path[0] == "*" else (path[0],):
            yield from _select(value[key], *path[1:])


def _refused(why: str) -> PolicyError:
    return PolicyError(f"the policy's answer is not acceptable: {why}", hint="no decision can be made on it")
