"""Reports of `gate verify`: every item with the stages it passed, and everything that was found wrong with it.

The stages are those of `gate.verify.pipeline`. One that comes after a failed signature is not looked at: what nobody
vouches for is not evidence about anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.formats.canonical_json import pretty
from gate.formats.rfc3339 import format_time
from gate.model.evidence import Failure, Rejected, SignerIdentity, Stage, Verified
from gate.model.json import JsonObject, JsonValue
from gate.model.verification import Verification
from gate.report.escape import markdown, markdown_code, terminal
from gate.report.junit import Case, junit
from gate.report.tables import Table

FORMATS: Final = ("text", "json", "markdown", "junit")
_STAGES: Final = tuple(Stage)
_MEANING: Final[Mapping[Stage, str]] = {
    Stage.ENVELOPE: "a Sigstore bundle or DSSE envelope, exactly",
    Stage.SIGNATURE: "signed by somebody whom gate.yaml trusts for this claim, now",
    Stage.STATEMENT: "an in-toto statement of a known type, in its form",
    Stage.SUBJECT: "about the very files that are there",
    Stage.CHAIN: "built on statements that are there, verified and of the right kind",
}
_FIX: Final[Mapping[Stage, str]] = {
    Stage.ENVELOPE: "take the file out of the evidence directory, or sign its statement again with `gate sign`",
    Stage.SIGNATURE: "have a trusted signer sign it, or name the signer and the claim below trust.signers on the base",
    Stage.STATEMENT: "make the statement again with `gate attest create`",
    Stage.SUBJECT: "bring the files back as they were attested, or attest and sign them as they are now",
    Stage.CHAIN: "make what it builds on first, then it again; `gate chain show` draws what is there",
}
_FIX_OF_CODE: Final[Mapping[str, str]] = {
    "chain.duplicate": "keep one of the copies and remove the others",
    "signature.keyless_log": "pin the root of the instance that signed; for a bundle in no log, as of a private "
    "repository, set `timestamps_only: true` for its identity",
}


@dataclass(frozen=True, slots=True)
class _Item:
    """One piece of evidence, verified or rejected, in one shape."""

    origin: str
    evidence: str
    claim: str | None
    payload: str | None
    signers: tuple[SignerIdentity, ...]
    artifacts: tuple[str, ...]
    depends_on: tuple[str, ...]
    failures: tuple[Failure, ...]

    @property
    def stages(self) -> dict[str, str]:
        """What became of each stage: `passed`, `failed` or `not reached`."""
        failed = {failure.stage for failure in self.failures}
        found, reached = {}, True
        for stage in _STAGES:
            found[stage.value] = "failed" if stage in failed else "passed" if reached else "not reached"
            reached = reached and stage not in failed
        return found


def render_verification(
    form: str, found: Verification, meaning: str, *, explain: bool = False, sections: JsonObject | None = None
) -> str:
    """The report in one of `FORMATS`; `meaning` says in words what the exit code means.

    `sections` are members for the JSON report: what the input document says of the evidence.
    """
    items = [*map(_verified, found.evidence.verified), *map(_rejected, found.evidence.rejected)]
    items.sort(key=lambda item: (item.origin, item.evidence))
    if form == "json":
        return pretty({**_json(found, items, meaning, explain), **(sections or {})})
    write: Callable[[Verification, Sequence[_Item], str, bool], str] = {
        "text": _text,
        "markdown": _markdown,
        "junit": _junit,
    }[form]
    return write(found, items, meaning, explain)


def summary(found: Verification, meaning: str) -> str:
    """The line that ends the text, alone: what is said where the report goes into a file."""
    return f"{_counts(found)}.   exit {found.exit_code} ({meaning})"


def _verified(item: Verified) -> _Item:
    statement = item.statement
    return _Item(
        item.origin,
        item.evidence,
        statement.claim,
        item.payload,
        item.signers,
        item.artifacts,
        statement.depends_on,
        (),
    )


def _rejected(item: Rejected) -> _Item:
    failures = (Failure(item.stage, item.code, item.detail), *item.also)
    return _Item(item.origin, item.evidence, item.claimed, None, (), item.artifacts, (), failures)


# -- text --------------------------------------------------------------------------------------------------------------


def _text(found: Verification, items: Sequence[_Item], meaning: str, explain: bool) -> str:
    lines = [line for item in items for line in _text_item(item, explain)]
    for path, reason in sorted(found.evidence.skipped.items()):
        lines.append(f"skipped   {terminal(path)}: {terminal(reason)}")
    lines.append(summary(found, meaning))
    return "\n".join(lines)


def _text_item(item: _Item, explain: bool) -> Iterator[str]:
    word = "rejected" if item.failures else "verified"
    yield f"{word:<10}{terminal(item.origin)}"
    if not item.failures:
        about = ", ".join(item.artifacts) or "nothing configured here"
        names = ", ".join(signer.name for signer in item.signers)
        yield f"{'':<10}{terminal(item.claim or '')} by {terminal(names)}, covers {terminal(about)}"
    for failure in item.failures:
        yield f"{'':<10}{terminal(failure.code)}: {terminal(failure.detail)}"
    if explain:
        for stage, outcome in item.stages.items():
            yield f"{'':<12}{outcome:<12}{stage:<11}{_MEANING[Stage(stage)]}"
        for fix in dict.fromkeys(_fix(failure) for failure in item.failures):
            yield f"{'':<10}fix: {fix}"


def _fix(failure: Failure) -> str:
    """What to do about it."""
    return _FIX_OF_CODE.get(failure.code, _FIX[failure.stage])


def _counts(found: Verification) -> str:
    return f"{len(found.evidence.verified)} verified, {len(found.evidence.rejected)} rejected"


# -- JSON --------------------------------------------------------------------------------------------------------------


def _json(found: Verification, items: Sequence[_Item], meaning: str, explain: bool) -> JsonObject:
    return {
        "schema": "urn:gate:verification:v1",
        "exit_code": found.exit_code,
        "meaning": meaning,
        "verified_at": format_time(found.now_s),
        "gate_version": found.gate_version,
        "digests": {"configuration": found.configuration, "trust": found.trust},
        "items": [_json_item(item, explain) for item in items],
        "skipped": dict(found.evidence.skipped),
    }


def _json_item(item: _Item, explain: bool) -> JsonObject:
    failures: list[JsonValue] = [
        {
            "stage": failure.stage.value,
            "exit_code": failure.stage.exit_code,
            "code": failure.code,
            "detail": failure.detail,
            **({"fix": _fix(failure)} if explain else {}),
        }
        for failure in item.failures
    ]
    signers: list[JsonValue] = [
        {"name": one.name, "kind": one.kind, "spki": one.spki, "issuer": one.issuer, "subject": one.subject}
        for one in item.signers
    ]
    return {
        "origin": item.origin,
        "evidence": item.evidence,
        "outcome": "rejected" if item.failures else "verified",
        "claim": item.claim,
        "payload": item.payload,
        "signers": signers,
        "artifacts": list(item.artifacts),
        "depends_on": sorted(item.depends_on),
        "stages": dict(item.stages),
        "failures": failures,
    }


# -- Markdown and JUnit ------------------------------------------------------------------------------------------------


def _markdown(found: Verification, items: Sequence[_Item], meaning: str, explain: bool) -> str:
    rows = []
    for item in items:
        signers = ", ".join(signer.name for signer in item.signers)
        about = "; ".join(f"{failure.code}: {failure.detail}" for failure in item.failures) or ", ".join(item.artifacts)
        rows.append(("rejected" if item.failures else "verified", item.origin, item.claim or "unknown", signers, about))
    table = Table(("outcome", "evidence", "claim", "signers", "about"), tuple(rows), frozenset({"evidence", "claim"}))
    lines = [f"## Evidence: {_counts(found)}", "", f"Exit {found.exit_code} ({markdown(meaning)}).", ""]
    lines += [table.markdown(), ""] if rows else []
    fixes = dict.fromkeys((f.stage, _fix(f)) for item in items for f in item.failures) if explain else {}
    lines += [f"- {markdown_code(stage.value)}: {markdown(fix)}" for stage, fix in fixes]
    lines += [
        f"- skipped {markdown_code(path)}: {markdown(why)}" for path, why in sorted(found.evidence.skipped.items())
    ]
    return "\n".join(lines)


def _junit(found: Verification, items: Sequence[_Item], meaning: str, explain: bool) -> str:
    """One suite a claim, one case an item; a set without anything verified is an error of its own."""
    cases = [
        Case(
            suite=item.claim or "unknown",
            name=item.origin,
            failures=tuple(
                (failure.code, failure.detail + (f"\nfix: {_fix(failure)}" if explain else ""))
                for failure in item.failures
            ),
        )
        for item in items
    ]
    if not found.evidence.verified:
        cases.append(Case("evidence", "something is verified", (("evidence.missing", meaning),)))
    return junit("gate verify", cases)
