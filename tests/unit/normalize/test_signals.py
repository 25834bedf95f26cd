"""Signals in the input document: of logs, and of traces that verified statements bind to an artifact."""

from __future__ import annotations

import dataclasses

from gate.formats import schema
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Statement, Subject, Verified
from gate.model.json import JsonObject
from gate.model.scan import Basis, Severity
from gate.model.settings import SignalSettings
from gate.model.signal import Events, Observation, Signal
from gate.normalize.document import build_document
from gate.normalize.sections.signals import attested_signals, signals_section
from tests.support.cases import facts_of, good_model, settings_of
from tests.unit.collect.test_signals import IMAGE, image

PAYLOAD = sha256_digest(b"payload")
LOG = Signal(
    plugin="falco",
    basis=Basis.OBSERVED,
    artifact="server",
    digest=IMAGE,
    origin="runtime/falco.jsonl",
    observation=Observation(10, 20, 5, 1, 2, {"Shell": Events(Severity.HIGH, 3, 11, None)}, ("one", "two")),
    report=sha256_digest(b"log"),
)


def trace(claim: str = "runtime.trace", artifacts: tuple[str, ...] = ("server",)) -> Verified:
    facts: JsonObject = {
        "started_at_s": 10,
        "finished_at_s": 20,
        "counts": {"process": 2, "network": 1, "file_access": 0},
    }
    subjects = (Subject("server", IMAGE),)
    statement = Statement(claim, "urn:trace", subjects, subjects, False, (), 20, facts, {})
    return Verified(PAYLOAD, sha256_digest(b"envelope"), "trace.json", statement, (), artifacts)


def test_a_log_is_in_the_document_as_it_was_observed() -> None:
    [(name, value)] = signals_section([LOG]).items()
    assert name.startswith("signal-")
    assert value == {
        "plugin": "falco",
        "basis": "observed",
        "artifact": "server",
        "digest": IMAGE,
        "origin": "runtime/falco.jsonl",
        "report": sha256_digest(b"log"),
        "statement": None,
        "complete": False,
        "problem": "one; two",
        "window": {"started_at_s": 10, "finished_at_s": 20, "gap_s": 5},
        "sightings": 1,
        "dropped": 2,
        "events": {"Shell": {"severity": "high", "count": 3, "first_at_s": 11, "last_at_s": None}},
    }


def test_a_verified_trace_is_attested_for_each_artifact_that_it_covers() -> None:
    artifacts = {"server": image(), "other": image(Digest("sha256:" + "0" * 64))}
    found = attested_signals([trace(), trace("scan.report"), trace(artifacts=())], artifacts)
    observation = Observation(
        10, 20, sightings=1, events={"process": Events(Severity.NONE, 2), "network": Events(Severity.CRITICAL, 1)}
    )
    assert found == (
        Signal("runtime-trace", Basis.ATTESTED, "server", IMAGE, "trace.json", observation, None, PAYLOAD),
    )
    [value] = signals_section(found).values()
    assert isinstance(value, dict)
    assert (value["complete"], value["problem"], value["statement"], value["report"]) == (True, None, PAYLOAD, None)
    names = {signal.artifact for signal in attested_signals([trace(artifacts=("server", "other"))], artifacts)}
    assert names == {"server", "other"}


def test_two_logs_have_two_ids_and_one_has_one() -> None:
    other = dataclasses.replace(LOG, origin="runtime/other.jsonl")
    assert len(signals_section([LOG, other, LOG])) == 2


def test_the_document_holds_signals_and_says_when_none_are_configured() -> None:
    facts = facts_of(good_model())
    assert build_document(facts).value["signals"] == {}
    configured = dataclasses.replace(settings_of(good_model()), signals=(SignalSettings("falco", "p", "server"),))
    document = build_document(dataclasses.replace(facts, settings=configured, signals=(LOG,)))
    assert document.value["signals"] == signals_section([LOG])
    skipped = document.value["skipped"]
    assert isinstance(skipped, dict)
    assert "signals" not in skipped
    assert schema.problem("input.json", document.value) is None
