"""The input document: fits its schema, is determined by the facts, and hides nothing."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.errors import LimitError, PolicyError
from gate.formats import canonical_json, schema
from gate.model.digest import sha256_digest
from gate.model.evidence import Concern, Rejected, Stage, VerifiedSet
from gate.model.scan import Basis, Coverage, Finding, FindingStatus, Scan, ScanStatus, Severity
from gate.model.settings import BuilderSettings, GateSettings, Limits
from gate.normalize.document import build_document
from tests.support.cases import (
    DAY_S,
    Scene,
    change_of,
    document_of,
    facts_of,
    good_case,
    good_model,
    good_prompt,
    settings_of,
    summarizer,
    verified_set,
    waiver,
)
from tests.support.evidence import NOW_S, bundle, digest_of, image, make_key, statement

T = TypeVar("T")


def value(scene: Scene) -> Any:
    return document_of(scene).value


SCENES = {
    "model": good_model(),
    "prompt": good_prompt(),
    "both": good_case(),
    "nothing": Scene(evidence=()),
    "image": Scene(evidence=(), artifacts=(image("server", "registry.test/x", digest_of("m")),), scans=()),
    "waivers": good_case().replace(waivers=(waiver(), waiver(id="W-2", finding="scan.malware.finding"))),
    "rejected": good_case().plus(b"junk", bundle(statement("prompt", {"x": digest_of("x")}), make_key("stranger"))),
    "deleted": good_prompt().replace(
        change=change_of(deleted={"app/x": "x"}, folders={"app/x": frozenset({digest_of("y")})})
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_document_fits_its_schema(name: str) -> None:
    assert schema.problem("input.json", value(SCENES[name])) is None


@pytest.mark.parametrize("name", SCENES)
def test_equal_facts_give_equal_bytes(name: str) -> None:
    first, second = document_of(SCENES[name]), document_of(SCENES[name])
    assert first.canonical == second.canonical
    assert first.digest == sha256_digest(first.canonical)


@pytest.mark.parametrize("name", SCENES)
def test_the_bytes_are_the_canonical_form_of_the_value(name: str) -> None:
    document = document_of(SCENES[name])
    assert document.canonical == canonical_json.dumps(document.value)
    assert json.loads(document.canonical) == json.loads(json.dumps(document.value))


def turn(found: Mapping[str, T]) -> dict[str, T]:
    return dict(reversed(list(found.items())))


def test_the_order_of_what_was_found_does_not_matter() -> None:
    scene = good_case()
    facts = facts_of(scene)
    turned = dataclasses.replace(
        facts,
        artifacts=turn(facts.artifacts),
        waivers=turn(facts.waivers),
        change=dataclasses.replace(facts.change, files=turn(facts.change.files)),
    )
    assert build_document(turned).canonical == build_document(facts).canonical


@pytest.mark.parametrize(
    "changes",
    [
        {"now_s": NOW_S + 1},
        {"environment": "staging"},
        {"evidence": good_case().evidence[1:]},
        {"change": change_of(added={"app/system.txt": "other"})},
        {"profile": "strict"},
        {"parameters": {"scan.malware": {"limit": "high"}}},
        {"gates": ()},
        {"waivers": (waiver(),)},
        {"scans": ()},
        {"artifacts": ()},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_every_fact_is_in_the_document(changes: dict[str, Any]) -> None:
    assert document_of(good_case().replace(**changes)).digest != document_of(good_case()).digest


# -- limits and refusals -----------------------------------------------------------------------------------------------


def test_a_document_at_its_limit_is_built_and_one_byte_more_is_refused() -> None:
    size = len(document_of(good_case()).canonical)
    assert document_of(good_case().replace(limits=Limits(document_bytes=size))).canonical
    with pytest.raises(LimitError, match=rf"has {size} bytes, limits.document_bytes allows {size - 1}") as caught:
        document_of(good_case().replace(limits=Limits(document_bytes=size - 1)))
    assert caught.value.exit_code == 3
    assert caught.value.hint


def test_a_document_that_does_not_fit_its_schema_is_no_document() -> None:
    scan = Scan("t", "1", Basis.OBSERVED, "summarizer", None, ScanStatus.COMPLETE, Coverage(-1))
    with pytest.raises(PolicyError, match="does not fit its schema: scans/") as caught:
        document_of(good_model().replace(scans=(scan,)))
    assert "bug" in caught.value.hint


@pytest.mark.parametrize("text", ["\ud800", "a\udfff"])
def test_a_document_without_canonical_form_is_no_document(text: str) -> None:
    with pytest.raises(PolicyError, match="no canonical form"):
        document_of(good_model().replace(environment=text))


# -- what is not there is said -----------------------------------------------------------------------------------------


def test_absent_sections_say_so() -> None:
    scene = Scene(evidence=(), gates=())
    bare = dataclasses.replace(
        facts_of(scene), settings=dataclasses.replace(settings_of(scene), evidence_directories=())
    )
    sections = ("artifacts", "evidence", "reports", "gates", "waivers", "workloads", "signals")
    assert build_document(bare).value["skipped"] == dict.fromkeys(sections, "not configured")


def test_configured_sections_are_not_called_skipped() -> None:
    skipped = value(good_case().replace(waivers=(waiver(),)))["skipped"]
    assert set(skipped) == {"reports", "workloads", "signals"}


def test_skipped_files_are_named_with_the_reason() -> None:
    facts = facts_of(good_model())
    left_out = dataclasses.replace(facts.evidence, skipped={"notes.txt": "not a name of evidence"})
    found = build_document(dataclasses.replace(facts, evidence=left_out)).value["skipped"]
    assert found == {**value(good_model())["skipped"], "evidence notes.txt": "not a name of evidence"}


# -- evidence ----------------------------------------------------------------------------------------------------------


def test_verified_statements_are_listed_by_payload_and_claim() -> None:
    found = value(good_prompt())
    verified = verified_set(good_prompt()).verified
    assert set(found["attestations"]) == {item.payload for item in verified}
    assert found["claims"] == {item.statement.claim: {"all": [item.payload], "by_artifact": {}} for item in verified}


def test_an_attestation_carries_what_was_proved() -> None:
    found = value(good_model())
    (digest,) = found["claims"]["build.provenance"]["by_artifact"]["summarizer"]
    item = found["attestations"][digest]
    assert item["artifacts"] == ["summarizer"]
    assert item["signers"] == [
        {
            "name": "builder",
            "kind": "key",
            "spki": make_key("builder").spki,
            "issuer": None,
            "subject": None,
            "build": None,
        }
    ]
    assert item["signed_at"] == {"at_s": 0, "source": "none"}
    assert item["log"] == {"included": False}
    assert item["facts"]["builder_id"] == "https://builder.test/1"


def test_a_claim_lists_all_its_statements_in_order() -> None:
    extra = tuple(bundle(statement("eval", {"n": digest_of(str(number))})) for number in range(5))
    found = value(good_prompt().plus(*extra))["claims"]["eval"]["all"]
    assert len(found) == 6
    assert found == sorted(found)


def test_a_chain_is_followed_to_its_end() -> None:
    scene = good_prompt()
    prompt = verified_set(scene).verified[0].payload
    approved = {"decision": "approved"}
    child = statement("approval", {"x": digest_of("x")}, depends_on=[prompt], predicate=approved)
    grandchild = statement("approval", {"y": digest_of("y")}, depends_on=[sha256_digest(child)], predicate=approved)
    found = value(scene.plus(bundle(child, make_key("approver")), bundle(grandchild, make_key("approver"))))
    item = found["attestations"][sha256_digest(grandchild)]
    assert item["depends_on"] == [sha256_digest(child)]
    assert item["ancestors"] == sorted([prompt, sha256_digest(child)])


def test_rejected_evidence_is_listed_apart() -> None:
    forged = bundle(statement("prompt", {"app/system.txt": digest_of("x")}), make_key("stranger"))
    found = value(good_case().plus(forged))
    assert set(found["rejected"]) == {sha256_digest(forged)}
    assert found["rejected"][sha256_digest(forged)]["code"] == "signature.untrusted"
    assert found["rejected"][sha256_digest(forged)]["concern"] == "at_stake"
    assert found["attestations"] == value(good_case())["attestations"]


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("concern", Concern)
def test_every_kind_of_rejection_fits_the_document(stage: Stage, concern: Concern) -> None:
    item = Rejected(digest_of("e"), "x.json", stage, f"{stage.value}.x", "why", None, concern, ("a",))
    facts = dataclasses.replace(facts_of(good_prompt()), evidence=VerifiedSet((), (item,)))
    found: Any = build_document(facts).value["rejected"]
    assert (found[digest_of("e")]["stage"], found[digest_of("e")]["concern"]) == (stage.value, concern.value)


# -- scans and findings ------------------------------------------------------------------------------------------------


def scan(**changes: Any) -> Scan:
    coverage = Coverage(2, {"config.json": digest_of("c")}, {"model.safetensors": "skipped"}, {"x": "error"})
    first = Scan("modelscan", "1", Basis.OBSERVED, "summarizer", digest_of("r"), ScanStatus.INCOMPLETE, coverage)
    return dataclasses.replace(first, **changes)


def test_a_scan_says_what_it_covered() -> None:
    (found,) = value(good_model().replace(scans=(scan(arguments=("-p", "."), problem="cut short"),)))["scans"].values()
    assert found["coverage"] == {
        "expected": 2, "scanned": 1, "missing": {"model.safetensors": "skipped"}, "errors": {"x": "error"},
    }  # fmt: skip
    assert found["files"] == {"config.json": digest_of("c")}
    assert (found["arguments"], found["problem"], found["status"]) == (["-p", "."], "cut short", "incomplete")


def test_equal_scans_and_findings_are_all_kept() -> None:
    finding = Finding("r", Severity.HIGH, "m", "summarizer", "config.json")
    found = value(good_model().replace(scans=(scan(findings=(finding, finding)), scan(findings=(finding,)))))
    assert len(found["scans"]) == 2
    assert len(found["findings"]) == 3
    assert {item["scan"] for item in found["findings"].values()} == set(found["scans"])


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("status", FindingStatus)
def test_every_kind_of_finding_fits_the_document(severity: Severity, status: FindingStatus) -> None:
    finding = Finding("r", severity, "m", None, None, 9800, ("CVE-1",), "pkg:pypi/x", "2", status, "because")
    (found,) = value(good_model().replace(scans=(scan(findings=(finding,)),)))["findings"].values()
    assert (found["severity"], found["status"], found["aliases"]) == (severity.value, status.value, ["CVE-1"])
    assert found["component"] == {"purl": "pkg:pypi/x"}


def test_the_ids_of_scans_come_from_their_content() -> None:
    one, two = scan(), scan(tool="other")
    assert set(value(good_model().replace(scans=(one, two)))["scans"]) == set(
        value(good_model().replace(scans=(two, one)))["scans"]
    )


# -- waivers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("created", "expires", "state"),
    [
        (NOW_S - 1, NOW_S + 15 * DAY_S, "active"),
        (NOW_S - 1, NOW_S + 14 * DAY_S, "expiring"),
        (NOW_S - 2, NOW_S, "expired"),
        (NOW_S + 1, NOW_S + DAY_S, "pending"),
        (NOW_S, NOW_S + 1, "expiring"),
    ],
)
def test_a_waiver_is_listed_with_its_state_now(created: int, expires: int, state: str) -> None:
    found = value(good_model().replace(waivers=(waiver(created_s=created, expires_s=expires),)))["waivers"]
    assert found == {
        "W-1": {
            "control": "scan.malware",
            "artifact": digest_of("x"),
            "finding": None,
            "created_s": created,
            "expires_s": expires,
            "state": state,
            "problem": None,
            "reason": "known",
            "ticket": "T-1",
            "owner": "ann",
            "approver": "ben",
        }
    }


# -- hostile text ------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@settings(deadline=None, max_examples=100)
@given(TEXT, TEXT, TEXT, TEXT)
def test_hostile_text_survives_unchanged(path: str, name: str, tool: str, message: str) -> None:
    path, name = f"app/{path}", f"prompts/{name}"  # never a file of the good model, which other bytes would contradict
    finding = Finding(tool or "r", Severity.LOW, message, "summarizer", path)
    scene = good_model().replace(
        change=change_of(added={path: "x"}),
        gates=(GateSettings("G", ("app/**",), ("prompt",), message),),
        scans=(scan(tool=tool, findings=(finding,)),),
        evidence=(bundle(statement("prompt", {name: digest_of("x")}, predicate={"text": message})),),
    )
    found = value(scene)
    assert list(found["change"]["files"]) == [path]
    assert found["gates"]["G"]["message"] == message
    assert [item["tool"] for item in found["scans"].values()] == [tool]
    (item,) = found["attestations"].values()
    assert item["subjects"] == {digest_of("x"): {"name": name}}
    assert item["predicate"] == {"text": message}
    assert json.loads(document_of(scene).canonical) == json.loads(json.dumps(found))


def test_the_artifact_section_shows_what_asks_for_admission() -> None:
    model = summarizer()
    found = value(good_model())["artifacts"]["summarizer"]
    assert found["digest"] == model.digest
    assert found["bytes"] == sum(file.bytes for file in model.files.values())
    digest = model.files["config.json"].digest
    assert found["files"]["config.json"] == {"digest": digest, "bytes": 21, "format": "json", "templates": {}}


def test_builders_and_the_version_of_a_frame_are_in_the_document() -> None:
    builders = {"forge": BuilderSettings("https://forge.test/1", ("release",), 2)}
    facts = facts_of(good_prompt())
    trusted = dataclasses.replace(facts.settings, trust=dataclasses.replace(facts.settings.trust, builders=builders))
    found = json.loads(build_document(dataclasses.replace(facts, settings=trusted)).canonical)
    assert found["builders"] == {"forge": {"id": "https://forge.test/1", "signers": ["release"], "level": 2}}
    assert {item["statement_type"] for item in found["attestations"].values()} == {"https://in-toto.io/Statement/v1"}
