"""Decisions that hold a text in every field that is text."""

from __future__ import annotations

import dataclasses
from typing import Any

from gate.model.control import FrameworkReference, Mode
from gate.model.decision import Decision, Outcome, ReuseUse, Verdict
from gate.model.evidence import Concern, SignerIdentity
from gate.model.policy import JudgingPolicy, PolicyOrigin
from tests.support.decisions import NOON_S, control, decision, digest, rejected, statement, violation, waiver


def hostile(text: str, **changes: Any) -> Decision:
    """A refusal with the text in every field that is text, and a control of every kind."""
    name = f"change.{text}"
    reject = rejected(origin=text, code=text, detail=text, claimed="prompt", artifacts=(text,))
    entries = [
        violation(text, text, artifact=text, file=text, evidence=[reject.evidence]),
        violation(f"{text}.missing", text, file=text),
        dataclasses.replace(violation(text, f"{text} prompt", file=text, waiver=text), digest=digest("x")),
    ]
    words: dict[str, Any] = {
        "title": text,
        "description": text,
        "severity": text,
        "claims": ("prompt",),
        "fix": text,
        "frameworks": {text: FrameworkReference("supports", (text,))},
    }
    people = dict.fromkeys(("reason", "ticket", "owner", "approver"), text)
    person = SignerIdentity(text, text, None, text, text)
    base: dict[str, Any] = {
        "id": text,
        "context": dict.fromkeys(("target", "environment", "profile", "configuration_from"), text),
        "subject": {
            "artifacts": {
                text: dict.fromkeys(("kind", "digest", "path", "reference", "base"), text) | {"bytes": 1},
                f"{text}2": {"kind": text, "digest": None, "path": None, "reference": text, "base": None, "bytes": 0},
            },
            "change": {"status": "collected", "base": text, "merge_base": text, "head": text, "tree": text},
        },
        "verified": (
            dataclasses.replace(
                statement("prompt", artifacts=(text,), subjects={text: digest("x")}),
                origin=text,
                signers=(person,),
                predicate_type=text,
                signed_at_s=NOON_S,
            ),
        ),
        "rejected": (reject, rejected(evidence=digest("2"), origin=text, code=text, concern=Concern.OTHERS)),
        "waivers": (
            waiver(text, f"{name}4", **people),
            waiver(f"{text}2", text, used=False, problem=text, expires_s=NOON_S * 10**9, **people),
        ),
        "reuse": (
            ReuseUse(digest("summary"), text, text, (text,), False, (text,)),
            ReuseUse(digest("summary"), text, text, (text, f"{name}7"), True, ()),
        ),
        "policy": JudgingPolicy(PolicyOrigin.DIRECTORIES, None, (text, name), (text,)),
        "skipped": {text: text},
        "engine": text,
        "engine_version": text,
        "gate_version": text,
        "decided_at": text,
    }
    return decision(
        control(name, Outcome.FAIL, *entries, **words),
        control(f"{name}2", Outcome.ERROR, reason=text, **words),
        control(f"{name}3", Outcome.FAIL, *entries[:2], mode=Mode.WARN, **words),
        control(f"{name}4", Outcome.WAIVED, entries[2], **words),
        control(f"{name}7", Outcome.REUSED, dataclasses.replace(entries[1], reuse=digest("summary")), **words),
        control(f"{name}5", Outcome.PASS, reason=text, **words),
        control(f"{name}6", Outcome.NOT_APPLICABLE, reason=text, **words),
        control("change.plain", Outcome.PASS, evidence=[digest("a")]),
        **(base | changes),
    )


def allowed(text: str) -> Decision:
    """The same with nothing that refuses."""
    made = hostile(text)
    fine = {
        name: entry
        for name, entry in made.controls.items()
        if entry.mode is Mode.WARN or entry.outcome not in {Outcome.FAIL, Outcome.ERROR}
    }
    return dataclasses.replace(
        made, verdict=Verdict.ALLOW, exit_code=0, causes=(), rejected=made.rejected[1:], controls=fine
    )
