"""Scans for vulnerabilities: in-toto vulns v0.1 and v0.2, and cosign vuln v1.

The claim is `scan.report`, in the facts of `scan_report.py` as far as the formats say them: `tool`, `version`,
`arguments`, `database_at_s` (0 where it is not known), `status`, `problem`, `coverage` (what was scanned are the
subjects) and `findings`. A finding's `rule` is the vulnerability's id; its `severity` is the gravest that is stated,
and `unknown` where one is neither a word nor a CVSS score, unless another is critical. `result` is `passed` without
findings, `failed` with one that is high, critical or unknown, else `warned`. A complete one makes a scan of the input
document, for vulnerabilities.

In cosign's format the result is whatever the scanner wrote. Nothing of it is read, `status` is `incomplete` and
`result` is `unknown`: no finding is known, which must not look as if there were none.
Source: in-toto/attestation, spec/predicates/vuln.md, vulns_02.md; sigstore/cosign, COSIGN_VULN_ATTESTATION_SPEC.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING
from typing import Final

from gate.formats.intoto import RawStatement
from gate.formats.numbers import NumberError, parse_decimal
from gate.formats.predicates.common import check_schema, make_statement, member, short, shorts_in, text, time
from gate.model.evidence import Statement
from gate.model.json import JsonObject, JsonValue
from gate.model.scan import Severity

CLAIM: Final = "scan.report"
_UNKNOWN: Final = "unknown"
_RANKS: Final = [severity.value for severity in Severity]
# Other words that scanners use.
_WORDS: Final = {**{word: word for word in _RANKS}, "negligible": "low", "minor": "low", "moderate": "medium"}
# CVSS 3 and 4: the lowest score of each severity.
_BANDS: Final = ((9000, "critical"), (7000, "high"), (4000, "medium"), (1, "low"), (0, "none"))
_LIGHT: Final = frozenset({"none", "low", "medium"})
_MOST_BP: Final = 10_000


def _read_vulns(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/vulnerabilities.json")
    listed = member(raw.predicate, "scanner", "result")
    findings: list[JsonValue] = [_finding(item) for item in (listed if isinstance(listed, list) else [])]
    return _statement(raw, [member(raw.predicate, "scanner")], findings, None)


def _read_cosign(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/cosign-vuln-v1.json")
    several, one = member(raw.predicate, "scanners"), member(raw.predicate, "scanner")
    scanners = several if isinstance(several, list) else [one]
    return _statement(raw, scanners, [], "the result is in the scanner's own form, which is not read")


def _statement(
    raw: RawStatement, scanners: list[JsonValue], findings: list[JsonValue], problem: str | None
) -> Statement:
    finished = time(raw.predicate, "metadata", "scanFinishedOn")
    time(raw.predicate, "metadata", "scanStartedOn")
    databases = [time(scanner, "db", "lastUpdate") if text(scanner, "db", "lastUpdate") else 0 for scanner in scanners]
    facts: JsonObject = {
        "result": "unknown" if problem is not None else _result(findings),
        "decision": None,
        "collected": False,
        "tool": ", ".join(short(scanner, "uri") or "" for scanner in scanners),
        "version": ", ".join(short(scanner, "version") or "" for scanner in scanners),
        "arguments": shorts_in(member(raw.predicate, "invocation", "parameters")),
        "report": None,
        "artifact": None,
        "status": "complete" if problem is None else "incomplete",
        "problem": problem,
        "database_at_s": min((at for at in databases if at is not None), default=0),
        "coverage": {"expected": len(raw.subjects), "scanned": len(raw.subjects), "missing": {}, "errors": {}},
        "files": {item.name: item.digest for item in raw.subjects if item.digest is not None},
        "findings": findings,
    }
    return make_statement(raw, CLAIM, facts, stated_at_s=finished)


def _result(findings: list[JsonValue]) -> str:
    if not findings:
        return "passed"
    return "warned" if all(text(finding, "severity") in _LIGHT for finding in findings) else "failed"


def _finding(item: JsonValue) -> JsonObject:
    """One vulnerability, flat or, as the text of v0.1 has it, inside a member of its own."""
    nested = member(item, "vulnerability")
    about = nested if isinstance(nested, Mapping) else item
    stated = member(about, "severity")
    severities = stated if isinstance(stated, list) else [stated]
    is_read = all(_word(severity) is not None or _cvss(severity) is not None for severity in severities)
    scores = [score for score in map(_cvss, severities) if score is not None]
    words = [word for word in map(_word, severities) if word is not None]
    words += [next(word for least, word in _BANDS if score >= least) for score in scores]
    return {
        "rule": short(about, "id"),
        "severity": _gravest(words, is_read),
        "message": "",
        "aliases": [],
        "score_bp": max(scores, default=0),
        "file": None,
        "purl": None,
        "fixed_in": None,
        "status": "open",
        "justification": None,
        "category": "vulnerability",
    }


def _gravest(words: list[str], is_read: bool) -> str:
    """The gravest severity: what cannot be read may be graver than what can."""
    found = max(words, key=_RANKS.index, default=_UNKNOWN)
    return found if is_read or found == _RANKS[-1] else _UNKNOWN


def _word(severity: JsonValue) -> str | None:
    return _WORDS.get((text(severity, "score") or "").strip().lower())


def _cvss(severity: JsonValue) -> int | None:
    """A CVSS score out of ten in thousandths, rounded up; `None` for what is none."""
    if "cvss" not in (text(severity, "method") or "").lower():
        return None
    score = member(severity, "score")
    try:
        value = parse_decimal(score if isinstance(score, str) else repr(score))
    except NumberError:
        return None
    thousandths = int((value * 1000).to_integral_value(ROUND_CEILING))
    return thousandths if 0 <= thousandths <= _MOST_BP else None


_VULNS: Final = "https://in-toto.io/attestation/vulns/"
READERS: Mapping[str, Callable[[RawStatement], Statement]] = {
    f"{_VULNS}v0.1": _read_vulns,
    f"{_VULNS}v0.2": _read_vulns,
    "https://cosign.sigstore.dev/attestation/vuln/v1": _read_cosign,
}
