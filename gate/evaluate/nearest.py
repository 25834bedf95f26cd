"""The evidence in an input document that comes nearest to what a violation misses, and why it does not count.

The sentences hold text from outside as it came; the form that shows them escapes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gate.model.claim import CLAIMS
from gate.model.control import ControlInfo, Violation
from gate.model.json import JsonObject, JsonValue

_MOST: Final = 3
_SHORT: Final = 19
_WORD: Final = re.compile(r"[a-z]+(?:\.[a-z]+)*")


def nearest(info: ControlInfo, violation: Violation, document: JsonObject) -> tuple[str, ...]:
    """Rejected evidence first, then statements, then scans: at most three of each; else what there is none of."""
    claims = _claims(info, violation)
    found = [
        *list(_rejected(claims, violation, document))[:_MOST],
        *list(_statements(claims, violation, document))[:_MOST],
        *(list(_scans(violation, document))[:_MOST] if info.family in {"scan", "load"} else ()),
    ]
    if not found and claims:
        found.append(f"the document holds no statement of {' or '.join(sorted(claims))}, accepted or rejected")
    return tuple(dict.fromkeys(found))


def expected(info: ControlInfo, violation: Violation) -> str | None:
    """What would have proved the control, where the violation says that it is missing."""
    if not violation.is_missing or not info.claims:
        return None
    what = violation.artifact or violation.file or "it"
    return f"a verified statement of {' or '.join(info.claims)} that covers {what}"


def _claims(info: ControlInfo, violation: Violation) -> frozenset[str]:
    patterns = [claim.removesuffix("*") for claim in info.claims if claim.endswith("*")]
    named = {claim for claim in CLAIMS if any(claim.startswith(pattern) for pattern in patterns)}
    spoken = {word for word in _WORD.findall(violation.message) if word in CLAIMS}
    return frozenset(named | spoken | {claim for claim in info.claims if not claim.endswith("*")})


def _rejected(claims: frozenset[str], violation: Violation, document: JsonObject) -> Iterator[str]:
    items = _section(document, "rejected")
    ordered = sorted(items.items(), key=lambda item: violation.artifact not in _texts(item[1].get("artifacts")))
    for digest, item in ordered:
        if item.get("claimed") in claims or digest in violation.evidence:
            what = item.get("claimed") or "evidence"
            yield f"{what} in {item.get('origin')} is rejected ({item.get('code')}): {item.get('detail')}"


def _statements(claims: frozenset[str], violation: Violation, document: JsonObject) -> Iterator[str]:
    artifact = _section(document, "artifacts").get(violation.artifact or "", {})
    for item in _section(document, "attestations").values():
        if item.get("claim") not in claims:
            continue
        story = f"{item.get('claim')} by {_signers(item)} in {item.get('origin')}"
        covered = _texts(item.get("artifacts"))
        if violation.artifact is None or violation.artifact in covered:
            yield f"{story} is verified, and covers {', '.join(covered) or 'no artifact'}"
        else:
            about = f"covers {', '.join(covered)}, not {violation.artifact}" if covered else "covers no artifact whole"
            yield f"{story} {about}: {_difference(item, artifact)}"


def _difference(item: JsonObject, artifact: JsonObject) -> str:
    """Which of an artifact's bytes a statement is not about."""
    subjects = _section(item, "subjects")
    files = {path: file.get("digest") for path, file in _section(artifact, "files").items()}
    bytes_here = files or {str(artifact.get("reference")): artifact.get("digest")}
    missing = {path: digest for path, digest in bytes_here.items() if digest not in subjects}
    for path, digest in missing.items():
        name = path.rpartition("/")[2]
        other = next((key for key, subject in subjects.items() if subject.get("name") in {path, name}), None)
        if other is not None:
            return f"it is about {_cut(other)} of the name {name}, the file here is {_cut(digest)}"
    if len(missing) < len(bytes_here):
        return f"it is not about {', '.join(list(missing)[:_MOST])}"
    return "none of its subjects has a digest of what is here"


def _scans(violation: Violation, document: JsonObject) -> Iterator[str]:
    for item in _section(document, "scans").values():
        story = f"the scan of {item.get('tool')} ({item.get('origin') or item.get('basis')})"
        coverage = item.get("coverage")
        counts = coverage if isinstance(coverage, Mapping) else {}
        if item.get("artifact") != violation.artifact:
            yield f"{story} is about {item.get('artifact') or 'no artifact'}"
        elif item.get("status") != "complete":
            yield f"{story} is {item.get('status')}: {item.get('problem') or 'it does not say why'}"
        elif item.get("basis") == "observed":
            yield f"{story} is only observed: nobody signed it; it judged {counts.get('scanned')} files"
        else:
            yield f"{story} judged {counts.get('scanned')} of {counts.get('expected')} files"


def _section(document: JsonObject, name: str) -> Mapping[str, JsonObject]:
    members = document.get(name)
    entries = members.items() if isinstance(members, Mapping) else ()
    return {key: value for key, value in entries if isinstance(value, Mapping)}


def _texts(value: JsonValue) -> Sequence[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _signers(item: JsonObject) -> str:
    signers = item.get("signers")
    found = [str(one.get("name")) for one in signers if isinstance(one, Mapping)] if isinstance(signers, list) else []
    return " and ".join(found) or "nobody"


def _cut(digest: JsonValue) -> str:
    text = str(digest)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}..."
