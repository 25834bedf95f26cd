"""OpenSSF Scorecard v0.1: the result of its checks of a repository.

Its subject is the Git commit that was looked at, or whatever artifact somebody attests the result for. A commit is no
secure digest, so then it covers no file.

Facts: `repository`, `commit`, `tool_version`, `score_bp` (ten is 10000), `checks` (`{name: {score_bp}}`) and
`made_at_s`. A score that Scorecard calls inconclusive (-1) is null.
Source: ossf/scorecard, JSON of version 2 as a statement.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates.common import MAX_TEXT, check_schema, make_statement, member, short, text, time
from gate.model.evidence import Statement
from gate.model.json import JsonObject, JsonValue

CLAIM: Final = "scorecard"
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _read(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/scorecard-v0.1.json")
    revisions = [item.revision for item in raw.subjects if item.revision is not None]
    if revisions and len(raw.subjects) > 1:
        raise StatementError("subject", "a result about a Git commit has that commit as its one subject")
    repository, commit = short(raw.predicate, "repo", "name"), short(raw.predicate, "repo", "commit")
    for revision in revisions:
        repository = repository if repository is not None else raw.subjects[0].name[:MAX_TEXT]
        if commit not in {None, revision.commit}:
            raise StatementError("subject", "the commit in the result is not the one that the statement is about")
        commit = revision.commit
    made_s = _made_at(raw.predicate)
    facts: JsonObject = {
        "repository": repository,
        "commit": commit,
        "tool_version": short(raw.predicate, "scorecard", "version"),
        "score_bp": _score(raw.predicate["score"]),
        "checks": _checks(raw.predicate["checks"]),
        "made_at_s": made_s,
    }
    return make_statement(raw, CLAIM, facts, resources=() if revisions else None, stated_at_s=made_s)


def _checks(listed: JsonValue) -> JsonObject:
    found: dict[str, JsonValue] = {}
    for item in listed if isinstance(listed, list) else []:
        name = short(item, "name") or ""
        if name in found:
            raise StatementError("predicate", f"the check {name[:120]!r} is there twice")
        found[name] = {"score_bp": _score(member(item, "score"))}
    return found


def _score(value: JsonValue) -> int | None:
    """A score out of ten in thousandths, rounded down; the schema has its bounds."""
    score = Decimal(repr(value))
    return None if score < 0 else int((score * 1000).to_integral_value(ROUND_FLOOR))


def _made_at(predicate: JsonObject) -> int | None:
    """When it was made; older versions say the day alone."""
    day = text(predicate, "date") or ""
    return time({"date": f"{day}T00:00:00Z"} if _DAY.fullmatch(day) else predicate, "date")


READERS: Mapping[str, Callable[[RawStatement], Statement]] = {"https://scorecard.dev/result/v0.1": _read}
