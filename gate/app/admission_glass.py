"""Break glass: whether the exception that an object carries excuses a refusal. Everything about it has to hold.

It arrives by the object alone and is verified by itself, so that it has no say in what any control finds.

1. It is the base64 of one bundle, signed by somebody whom `gate.yaml` trusts for the claim and lists in `break_glass`
2. It is for the very namespace of the object, one of those that `break_glass` allows
3. It has begun, has not ended, and lasts no longer than `break_glass` allows
4. Every image of the object is a subject of it, by digest
5. Decisions are recorded: no exception goes unseen
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from gate.formats.predicates.break_glass import CLAIM
from gate.formats.rfc3339 import format_time
from gate.model.admission import BreakGlass
from gate.model.admission_settings import BreakGlassSettings
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Evidence, Rejected, Statement, Verified
from gate.model.json import JsonValue
from gate.verify.pipeline import verify_evidence
from gate.verify.trust import TrustStore

ORIGIN: Final = "the annotation gate/break-glass"
MAX_BYTES: Final = 64 << 10
SKEW_S: Final = 60
"""How much later than here it may be where the exception was made."""
_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class Asking:
    """What an exception is asked for: the images of one object in its namespace, at a time."""

    namespace: str | None
    images: Collection[Digest]
    now_s: int
    is_recorded: bool


def read_break_glass(text: str, settings: BreakGlassSettings | None, trust: TrustStore, asking: Asking) -> BreakGlass:
    """What the annotation holds, with everything that keeps it from excusing anything. Never raises for a bad one."""
    data = _decoded(text)
    if data is None:
        digest = sha256_digest(text.encode("utf-8", "surrogatepass"))
        return BreakGlass(digest, problems=(f"it is no canonical base64 on one line of at most {MAX_BYTES} bytes",))
    items = [Evidence(ORIGIN, data)]
    found = verify_evidence(items, trust, {}, {}, limit=MAX_BYTES, other_digest=lambda _digest, _algorithm: None)
    if len(found.verified) != 1 or found.rejected:
        return _rejected(sha256_digest(data), found.rejected)
    item = found.verified[0]
    facts = item.statement.facts
    if item.statement.claim != CLAIM or facts["collected"] is not True:
        return BreakGlass(item.evidence, item.payload, _names(item), problems=("it is a statement of something else",))
    created_s, expires_s = _number(facts["created_s"]), _number(facts["expires_s"])
    return BreakGlass(
        evidence=item.evidence,
        statement=item.payload,
        signers=_names(item),
        namespace=_text(facts["namespace"]),
        reason=_text(facts["reason"]),
        ticket=_text(facts["ticket"]),
        approver=_text(facts["approver"]),
        created_s=created_s,
        expires_s=expires_s,
        problems=tuple(_problems(item, settings, asking, created_s, expires_s)),
    )


def _decoded(text: str) -> bytes | None:
    """The bytes of canonical base64, not empty and not too many; `None` for anything else."""
    if len(text) > MAX_BYTES * 2:
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    is_canonical = base64.b64encode(data).decode("ascii") == text
    return data if is_canonical and 0 < len(data) <= MAX_BYTES else None


def _rejected(evidence: Digest, rejected: Collection[Rejected]) -> BreakGlass:
    problems = tuple(f"{item.code}: {item.detail}"[:_SHOWN] for item in rejected)
    payload = next((item.payload for item in rejected), None)
    return BreakGlass(evidence, payload, problems=problems or ("it is not one signed statement",))


def _problems(
    item: Verified, settings: BreakGlassSettings | None, asking: Asking, created_s: int, expires_s: int
) -> Iterator[str]:
    if not asking.is_recorded:
        yield "decisions are not recorded here, and no exception may go unseen"
    if settings is None:
        yield "gate.yaml allows no exceptions"
        return
    if not set(_names(item)) & set(settings.signers):
        yield f"{', '.join(_names(item))} may not break the glass"
    yield from _misplaced(_text(item.statement.facts["namespace"]), settings, asking.namespace)
    if created_s > asking.now_s + SKEW_S:
        yield f"it begins at {format_time(created_s)}"
    if asking.now_s >= expires_s:
        yield f"it ended at {format_time(expires_s)}"
    if expires_s - created_s > settings.max_s:
        yield f"it lasts {expires_s - created_s} seconds, and {settings.max_s} are the most"
    missing = sorted(set(asking.images) - _subjects(item.statement))
    if missing or not asking.images:
        yield f"{', '.join(missing[:2]) or 'no image'} is not what it lets in"


def _misplaced(namespace: str | None, settings: BreakGlassSettings, asked: str | None) -> Iterator[str]:
    if namespace is None or namespace != asked:
        yield f"it is for the namespace {namespace}, not for {'none' if asked is None else asked}"
    elif settings.namespaces and namespace not in settings.namespaces:
        yield f"gate.yaml allows no exceptions in the namespace {namespace}"


def _subjects(statement: Statement) -> frozenset[Digest]:
    return frozenset(item.digest for item in statement.subjects if item.digest is not None)


def _names(item: Verified) -> tuple[str, ...]:
    return tuple(signer.name for signer in item.signers)


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: JsonValue) -> int:
    return value if isinstance(value, int) else 0
