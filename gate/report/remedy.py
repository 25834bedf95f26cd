"""What to do about a refusal: what would have let it pass, the command that makes it, and the waiver to ask for.

No word of evidence gets into a command or a stanza: a path only where it is plain, a digest, and names of the policy.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gate.formats.rfc3339 import format_time, parse_time
from gate.model.claim import CLAIMS, claim_matches
from gate.model.control import ControlInfo, Violation
from gate.model.decision import ControlDecision, DecidedViolation, Outcome

WAIVED_DAYS: Final = 30
"""How long the waiver that is proposed lasts; a waiver may last 90 days."""
_DAY_S: Final = 86_400
_LAST_S: Final = 250_000_000_000
_WORD: Final = re.compile(r"[a-z]+(?:\.[a-z]+)*")
WHOLE_COMMAND: Final = re.compile(r"`([^`]+)`")
"""Advice that is nothing but a command."""
_PLAIN_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,199}")
# A path that no shell reads as anything but one word, and no program as an option.
_PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/@+-]*")

# The word that `gate attest create --type` has for a claim.
_TYPES: Final = {
    **{
        claim: claim
        for claim in ("approval", "corpus", "dataset", "eval", "plugin", "prompt", "review", "route", "slo")
    },
    "model.card": "model-card",
    "scan.report": "scan",
    "training.provenance": "training-provenance",
    "waiver": "waiver",
}
# Claims that only others state: verifiers of repositories and gates, authors of policies, harnesses of tests.
_OF_OTHERS: Final = frozenset({"artifact.signature", "eval.result", "policy.bundle", "source.summary"})
_SIGN: Final = "gate sign --in .gate/statements --key KEY"
_JUDGE: Final = "gate check --watch"
_LOOK: Final = "gate verify --explain"

# By code or control, where the claims of a control do not say it: a command, or the claim to make a statement of.
_COMMANDS: Final[Mapping[str, str]] = {
    "artifact.pinned": "find {path} -type l",
    "build.level.unlisted": _LOOK,
    "chain.valid": "gate chain show",
    "change.attested.conflict": _LOOK,
    "change.attested.dirty": "git status --short",
    "change.attested.empty_diff": "gate check --base REF",
    "change.plain_files": "git restore --source BASE -- {path}",
    "change.policy_unchanged": "claim:approval",
    "deploy": _JUDGE,
    "deps.pinned": "uv pip compile --generate-hashes requirements.in --output-file requirements.txt",
    "deps.pinned.unattested": "claim:package.publication",
    "evidence": _LOOK,
    "load": "gate scan {path}",
    "scan.malware": "gate scan {path}",
    "scan.secrets": "gitleaks dir {path} --report-format json --report-path gitleaks.json",
    "source.reviewed": "claim:review",
    "training.base_lineage.unsigned": "claim:artifact.signature",
    "waiver.valid": _JUDGE,
}


@dataclass(frozen=True, slots=True)
class Remedy:
    """What helps against one violation.

    `nearest` are sentences on the evidence that came near or that it is about, at least one. `stanza` is the entry of
    `waivers.yaml` that would accept it, `None` where none can. All but the command and the stanza may hold text from
    outside, as it came.
    """

    expected: str
    nearest: tuple[str, ...]
    command: str
    stanza: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a violation is: a path below the root, what of it is signed as a whole, or the digest of an image."""

    path: str | None
    signed: str | None
    image: str | None


def is_plain_path(path: str | None) -> bool:
    """Whether a path can stand in a command as it is."""
    return path is not None and _PLAIN_PATH.fullmatch(path) is not None


def claims_of(info: ControlInfo, violation: Violation) -> tuple[str, ...]:
    """The claims that a violation is about: those that its control reads, of these the ones that its message names.

    A control that reads none of its own says in its message which evidence is missing.
    """
    spoken = dict.fromkeys(word for word in _WORD.findall(violation.message) if word in CLAIMS)
    if info.claims:
        named = tuple(word for word in spoken if any(claim_matches(claim, word) for claim in info.claims))
        return named or info.claims
    return tuple(spoken) if violation.is_missing else ()


def expected(info: ControlInfo, violation: Violation, place: str | None) -> str:
    """What would have let it pass: the statement that is missing, else what the control stands for."""
    claims = claims_of(info, violation)
    if violation.is_missing and claims:
        return f"a verified statement of {' or '.join(claims)} that covers {place or 'what was judged'}"
    return info.title


def command(info: ControlInfo, violation: Violation, place: Place) -> str:
    """What to run. KEY, REF, FILE and the like stand for what only the reader knows, PATH for a path that is not plain.

    It makes the statement that is missing, or looks at what was found; what has to be edited is judged again by it.
    """
    where = _shown(place.path)
    keys = (violation.code, info.id, info.id.partition(".")[0])
    known = next((_COMMANDS[key] for key in keys if key in _COMMANDS), None)
    if known is not None and not known.startswith("claim:"):
        if info.id == "artifact.pinned" and place.image is not None:
            return "docker buildx imagetools inspect IMAGE"
        return known.format(path=where)
    claims = (known.removeprefix("claim:"),) if known is not None else claims_of(info, violation)
    found = next(_making(claims, place), None)
    return found or f"gate input > input.json && gate explain {_name(info.id)} --input input.json"


def _making(claims: Collection[str], place: Place) -> Iterator[str]:
    """How to make a signed statement of each claim that one can make."""
    every = [claim for pattern in claims for claim in sorted(CLAIMS) if claim_matches(pattern, claim)]
    for claim in every:
        if claim == "artifact.signature":
            sign = f"gate sign {_shown(place.signed)} --key KEY"
            yield sign if place.image is None else f"cosign sign --key KEY IMAGE@{place.image}"
        elif claim == "composition":
            yield f"gate attest compose --base BASE --adapter ADAPTER && {_SIGN}"
        elif claim in _TYPES:
            word = _TYPES[claim]
            yield f"gate attest create --type {word} --config attest/{word}.yaml && {_SIGN}"
        elif claim in CLAIMS - _OF_OTHERS:
            yield f"gate attest create --claim {claim} --predicate FILE --subject {_shown(place.path)} --key KEY"


def _shown(path: str | None) -> str:
    return path if path is not None and is_plain_path(path) else "PATH"


def _name(control: str) -> str:
    return control if _PLAIN_NAME.fullmatch(control) else "CONTROL"


def stanza(control: ControlDecision, entry: DecidedViolation, decided_at: str) -> str | None:
    """The entry of `waivers.yaml` that would accept a violation: of its control, its digest and its code, for 30 days.

    Until names stand for the two people, the gate refuses it: nobody approves a waiver of their own. `None` where no
    waiver can help, or where its control could not be judged.
    """
    now_s, violation = parse_time(decided_at), entry.violation
    is_plain = _PLAIN_NAME.fullmatch(control.info.id) and _PLAIN_NAME.fullmatch(violation.code)
    is_open = control.outcome is Outcome.FAIL and not entry.is_covered
    if not (control.info.waivable and is_open and is_plain) or entry.digest is None:
        return None
    if now_s is None or now_s > _LAST_S:
        return None
    key = f"{control.info.id} {entry.digest} {violation.code}"
    return "\n".join(
        (
            f"- id: W-{hashlib.sha256(key.encode()).hexdigest()[:8]}",
            f"  control: {control.info.id}",
            f"  artifact: {entry.digest}",
            f"  finding: {violation.code}",
            "  reason: WHY",
            "  ticket: TICKET",
            "  owner: NAME",
            "  approver: NAME",
            f"  created: {format_time(now_s)[:10]}",
            f"  expires: {format_time(now_s + WAIVED_DAYS * _DAY_S)[:10]}",
        )
    )
