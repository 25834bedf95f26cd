"""A decision as large as those of a fleet: 500 artifacts, 2,000 findings, lineage of every kind."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

from gate.model.control import FrameworkReference, Mode
from gate.model.decision import ControlDecision, Decision, Outcome, VerifiedItem
from gate.model.evidence import Concern, Stage, TimeSource
from tests.support.decisions import (
    DAY_S,
    EVERYTHING,
    NOON_S,
    control,
    decision,
    digest,
    rejected,
    statement,
    violation,
    waiver,
)

KINDS = ("weights", "adapter", "dataset", "package", "container")
FAMILIES = ("artifact", "build", "scan", "load", "eval", "deploy", "training", "sbom")
WORDS = ("signed", "pinned", "provenance", "coverage", "malware", "passed")


def large(artifacts: int = 500, findings: int = 2_000) -> Decision:
    """A refusal of that size under 48 controls; each artifact has a signature, most have provenance and a base."""
    names = [f"{KINDS[n % 5]}-{n:03}" for n in range(artifacts)]
    subject = {
        name: {
            "kind": KINDS[n % 5],
            "digest": digest(name),
            "path": f"models/{name}",
            "reference": None,
            "base": names[n - 5] if n % 5 == 1 and n > 5 and n % 3 else None,
            "bytes": 1000 * n,
        }
        for n, name in enumerate(names)
    }
    ids = [f"{family}.{word}" for family, word in itertools.product(FAMILIES, WORDS)]
    signed = [
        dataclasses.replace(
            statement(
                "artifact.signature", "release", word=name, artifacts=(name,), stated_at_s=NOON_S - n * DAY_S // 4
            ),
            predicate_type="https://model_signing/signature/v1.0",
            signed_at_s=NOON_S - n * DAY_S // 4,
            time_source=TimeSource.LOG,
            log_included=True,
        )
        for n, name in enumerate(names)
    ]
    data = statement("dataset", "steward", artifacts=())
    made = [
        dataclasses.replace(
            statement("training.provenance", "trainer", word=name, artifacts=(name,)),
            depends_on=(data.payload,) if n % 20 == 0 else (),
        )
        for n, name in enumerate(names)
        if n % 3
    ]
    return decision(
        *_failing(ids[:16], names, findings),
        *_passing(ids[16:], signed, made),
        subject={"artifacts": subject, "change": EVERYTHING},
        verified=(*signed, data, *made),
        rejected=tuple(
            rejected(
                Stage.SUBJECT,
                "subject.mismatch",
                evidence=digest(f"bad {n}"),
                artifacts=(names[n],),
                concern=_concern(n),
            )
            for n in range(0, artifacts, 50)
        ),
        waivers=(waiver("W-1", ids[3], used=False, problem="the waiver is not used"),),
        exit_code=12,
        causes=(12, 10, 13),
    )


def _failing(ids: Sequence[str], names: Sequence[str], findings: int) -> list[ControlDecision]:
    share = -(-findings // len(ids))
    return [
        control(
            name,
            Outcome.FAIL,
            *(
                violation(
                    f"{name}.{'missing' if place % 2 else 'finding'}",
                    f"no verified statement about it says what `{name}` asks for",
                    artifact=names[(7 * n + place) % len(names)],
                    file=f"part-{place}.safetensors",
                )
                for n in range(min(share, findings - place * share))
            ),
            mode=Mode.WARN if place % 4 == 3 else Mode.ENFORCE,
            severity=("critical", "high", "medium", "low")[place % 4],
            artifacts=KINDS,
            frameworks=_frameworks(place),
        )
        for place, name in enumerate(ids)
    ]


def _passing(ids: Sequence[str], signed: Sequence[VerifiedItem], made: Sequence[VerifiedItem]) -> list[ControlDecision]:
    return [
        control(
            name,
            evidence=[item.payload for item in (signed if place % 2 else made)],
            artifacts=KINDS[: 1 + place % 5],
            frameworks=_frameworks(place),
        )
        for place, name in enumerate(ids)
    ]


def _concern(number: int) -> Concern:
    return Concern.OTHERS if number % 3 == 0 else Concern.AT_STAKE


def _frameworks(place: int) -> dict[str, FrameworkReference]:
    return {
        "OWASP-LLM-2025": FrameworkReference("supports", (f"LLM0{1 + place % 9}",)),
        "NIST-800-218A": FrameworkReference("partly supports", ("PS.2.1",)),
    }
