"""SLSA verification summary v1, about artifacts, and about the Git commit of a source: two claims.

What the subject is decides. A summary of files or images makes the claim `verification.summary`. One whose one subject
is a Git commit makes `source.summary`: it covers no file, because a commit id is no secure digest of one (SECURITY 11),
and counts only together with provenance that names the commit.

Facts of `verification.summary`: `verifier_id`, `time_verified_s`, `resource_uri`, `policy` (`uri`, `digest`), `inputs`
(SHA-256 of the input attestations), `unnamed_inputs` (how many have none), `result` (`passed`, `failed`), `levels`,
`dependency_levels` and `slsa_version`. Facts of `source.summary`: `commit`, `repository`, `refs`, `result`, `levels`,
`verifier_id`, `time_verified_s`. Levels are as stated: only who trusts the verifier believes them.
Source: slsa.dev/spec/v1.2/verification_summary and source-requirements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates.common import check_schema, make_statement, member, sha256_of, short, shorts_in, text, time
from gate.model.evidence import Revision, Statement
from gate.model.json import JsonObject, JsonValue

CLAIM: Final = "verification.summary"
SOURCE_CLAIM: Final = "source.summary"
PREDICATE_TYPE: Final = "https://slsa.dev/verification_summary/v1"
_SOURCE_LEVEL: Final = "SLSA_SOURCE_LEVEL_"


def claim_by_levels(predicate: JsonValue) -> str:
    """The claim that a summary seems to make, by its levels alone, where its subject cannot be read."""
    levels = shorts_in(member(predicate, "verifiedLevels"))
    return SOURCE_CLAIM if levels and all(str(level).startswith(_SOURCE_LEVEL) for level in levels) else CLAIM


def _read(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/verification-summary-v1.json")
    revisions = [item.revision for item in raw.subjects if item.revision is not None]
    if revisions and len(raw.subjects) > 1:
        raise StatementError("subject", "a summary of a Git commit has that commit as its one subject")
    seconds = time(raw.predicate, "timeVerified")
    facts: JsonObject = {
        "verifier_id": short(raw.predicate, "verifier", "id"),
        "time_verified_s": seconds,
        "result": (text(raw.predicate, "verificationResult") or "").lower(),
        "levels": shorts_in(raw.predicate["verifiedLevels"]),
    }
    if revisions:
        facts = {**facts, **_source_facts(raw.predicate, facts, revisions[0])}
        return make_statement(raw, SOURCE_CLAIM, facts, resources=(), stated_at_s=seconds)
    return make_statement(raw, CLAIM, {**facts, **_facts(raw.predicate)}, stated_at_s=seconds)


def _source_facts(predicate: JsonObject, facts: JsonObject, revision: Revision) -> JsonObject:
    levels = shorts_in(facts["levels"])
    if facts["result"] == "passed" and not any(str(level).startswith(_SOURCE_LEVEL) for level in levels):
        raise StatementError("predicate", f"a summary of a Git commit that passed names no level {_SOURCE_LEVEL}0 to 4")
    return {
        "commit": revision.commit,
        "repository": short(predicate, "resourceUri"),
        "refs": list(revision.refs),
    }


def _facts(predicate: JsonObject) -> JsonObject:
    listed = member(predicate, "inputAttestations")
    inputs = [sha256_of(item) for item in listed] if isinstance(listed, list) else []
    return {
        "resource_uri": short(predicate, "resourceUri"),
        "policy": {"uri": short(predicate, "policy", "uri"), "digest": sha256_of(predicate["policy"])},
        "inputs": [digest for digest in inputs if digest is not None],
        "unnamed_inputs": sum(digest is None for digest in inputs),
        "dependency_levels": _counts(member(predicate, "dependencyLevels")),
        "slsa_version": short(predicate, "slsaVersion"),
    }


def _counts(levels: JsonValue) -> JsonObject | None:
    """How many dependencies have each level; `None` where nothing is said about dependencies."""
    if not isinstance(levels, Mapping):
        return None
    return {level: int(number) for level, number in levels.items() if isinstance(number, int | float)}


READERS: Mapping[str, Callable[[RawStatement], Statement]] = {PREDICATE_TYPE: _read}
