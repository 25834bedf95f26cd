"""Waivers as signed statements: as good as those of `waivers.yaml`, and no better (DOCUMENTS 5, SECURITY 29)."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.acceptance.world import World
from tools.scenario_draft import SIGNERS, config
from tools.scenario_evidence import bundle, envelope, issue, key, modelscan, sha256, statement

KIND: Final = "urn:promotion-gate:predicate:waiver:v1"
OWN_SIGNERS: Final = {**SIGNERS, "approver": "claims: [waiver]", "builder": 'claims: ["build.*", waiver]'}
PROFILE: Final = b"controls:\n" + b"".join(
    b"  %s: {mode: enforce}\n" % name for name in (b"artifact.signed", b"scan.malware", b"evidence.accepted")
)
FILE: Final = (
    "version: 1\nwaivers:\n  - {id: W-1, control: scan.malware, artifact: 'sha256:%s', reason: r, ticket: t,\n"
    "     owner: ann, approver: %s, created: 2026-11-01, expires: 2026-12-31}\n"
)


@pytest.fixture
def refused(world: World) -> World:
    """A model with a finding, under a profile that asks for none; someone is trusted to waive it."""
    more = "reports:\n  - {tool: modelscan, path: .gate/modelscan.json, artifact: summarizer}\nwaivers: waivers.yaml\n"
    text = config(signers=OWN_SIGNERS, profile="own.yaml", more=more + "parameters: {scan.malware: {observed: true}}\n")
    world.on_main({"gate.yaml": text, "own.yaml": PROFILE, "waivers.yaml": b"version: 1\nwaivers: []\n"})
    world.write(".gate/modelscan.json", modelscan(["model.safetensors"], [issue("model.safetensors")]))
    assert world.judge().code == 13
    return world


def digest_in(world: World) -> str:
    return f"sha256:{sha256(world.model_files()['model.safetensors'])}"


def waiver(about: str, /, **changes: Any) -> bytes:
    """The payload of a waiver, with some members replaced, or left out where the change is `...`."""
    predicate = {
        "depends_on": [],
        "roles": {"waived": [about]},
        "folders": {},
        "privacy": {"mode": "hash_only"},
        "id": "W-1",
        "control": "scan.malware",
        "artifact": about,
        "finding": None,
        "reason": "r",
        "ticket": "t",
        "owner": "ann",
        "approver": "ben",
        "created": "2026-11-01",
        "expires": "2026-12-31",
        **changes,
    }
    subject = {"name": about, "digest": {"sha256": about.removeprefix("sha256:")}}
    return statement(KIND, [subject], {name: value for name, value in predicate.items() if value is not ...})


def signed(world: World, *names: str, **changes: Any) -> None:
    payload = waiver(digest_in(world), **changes)
    world.put("waiver.json", bundle(payload, *(key(name) for name in names or ("approver",))))


def test_s29_a_signed_waiver_works_and_is_shown(refused: World) -> None:
    signed(refused)
    decision = refused.judge().decision
    assert decision["verdict"] == "allow"
    assert decision["controls"]["scan.malware"]["status"] == "waived"
    (use,) = decision["waivers"]
    assert (use["id"], use["used"], use["state"], use["problem"]) == ("W-1", True, "active", None)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"finding": "scan.malware.missing"}, "not used"),
        ({"control": "scan.coverage"}, "no control 'scan.coverage'|not used"),
        ({"control": "artifact.signed"}, "cannot be waived"),
        ({"control": "evidence.accepted"}, "cannot be waived"),
        ({"control": "scan.nothing"}, "no control"),
        ({"created": "2026-11-21"}, "pending"),
        ({"expires": "2026-11-20"}, "expired"),
        ({"created": "2026-08-01", "expires": "2026-10-30"}, "expired"),
    ],
    ids=str,
)
def test_s29_one_that_does_not_apply_is_reported(refused: World, changes: dict[str, str], problem: str) -> None:
    signed(refused, **changes)
    done = refused.judge()
    assert done.code == 13
    (use,) = done.decision["waivers"]
    assert not use["used"]
    assert any(word in use["problem"] for word in problem.split("|"))


def test_s29_one_that_expires_soon_is_said_to(refused: World) -> None:
    signed(refused, expires="2026-11-25")
    assert refused.judge().decision["waivers"][0]["state"] == "expiring"


@pytest.mark.parametrize(
    "changes",
    [
        {"expires": "2027-02-01"},
        {"expires": "2026-11-01"},
        {"expires": "never"},
        {"control": "scan.*"},
        {"finding": "scan.malware.*"},
        {"approver": "ann"},
        {"approver": "ANN "},
        {"id": "a b"},
        {"reason": ""},
        {"ticket": None},
        {"artifact": "sha256:" + "0" * 64},
        {"roles": {"waived": []}},
        {"more": "x"},
        *({name: ...} for name in ("id", "finding", "expires", "approver", "owner", "ticket", "depends_on", "roles")),
    ],
    ids=str,
)
def test_s29_one_that_the_file_could_not_hold_is_refused(refused: World, changes: dict[str, Any]) -> None:
    signed(refused, **changes)
    done = refused.judge()
    assert done.code == 14
    assert done.decision["waivers"] == []
    (item,) = done.decision["evidence"]["rejected"]
    assert (item["stage"], item["claimed"]) == ("statement", "waiver")


def test_s29_a_plain_statement_waives_nothing(refused: World) -> None:
    digest = digest_in(refused)
    subject = [{"name": digest, "digest": {"sha256": digest.removeprefix("sha256:")}}]
    refused.put("waiver.json", bundle(statement(KIND, subject, {"decision": "approved"}), key("approver")))
    done = refused.judge()
    assert (done.code, done.decision["waivers"]) == (13, [])


@pytest.mark.parametrize("name", ["release", "stranger"])
def test_s29_only_a_signer_who_is_trusted_for_waivers_waives(refused: World, name: str) -> None:
    signed(refused, name)
    done = refused.judge()
    assert (done.code, done.decision["waivers"]) == (11, [])


def test_s29_another_artifact_of_the_same_path_is_not_waived(refused: World) -> None:
    signed(refused)
    refused.write(
        "models/summarizer/model.safetensors",
        (refused.root / "models/summarizer/model.safetensors").read_bytes() + b" ",
    )
    refused.commit()
    refused.attest()
    done = refused.judge()
    assert done.code == 13
    assert "not used" in done.decision["waivers"][0]["problem"]
    assert done.decision["evidence"]["rejected"] == []


@pytest.mark.parametrize("owner", ["approver", "Approver", "app rover"])
def test_s29_nobody_signs_their_own_waiver_alone(refused: World, owner: str) -> None:
    signed(refused, owner=owner)
    done = refused.judge()
    assert done.code == 13
    (use,) = done.decision["waivers"]
    assert (use["state"], use["used"]) == ("invalid", False)
    assert "only its owner signed" in use["problem"]
    signed(refused, "approver", "builder", owner=owner)
    assert refused.judge().code == 0


def test_s29_two_of_one_id_that_differ_are_both_invalid(refused: World) -> None:
    refused.put("a.json", bundle(waiver(digest_in(refused)), key("approver")))
    refused.put("b.json", bundle(waiver(digest_in(refused), reason="another"), key("approver")))
    done = refused.judge()
    assert done.code == 13
    (use,) = done.decision["waivers"]
    assert (use["state"], use["used"]) == ("invalid", False)
    assert "2 waivers with this id differ" in use["problem"]


@pytest.mark.parametrize(("approver", "code"), [("ben", 0), ("eve", 13)])
def test_s29_the_file_and_a_statement_have_to_agree(refused: World, approver: str, code: int) -> None:
    digest = digest_in(refused).removeprefix("sha256:")
    refused.on_main({"waivers.yaml": (FILE % (digest, approver)).encode()})
    assert refused.judge().code == 0
    signed(refused)
    done = refused.judge()
    assert done.code == code
    assert len(done.decision["waivers"]) == 1


def test_s29_a_revoked_waiver_is_none(refused: World) -> None:
    payload = waiver(digest_in(refused))
    refused.put("waiver.json", bundle(payload, key("approver")))
    text = (refused.root / "gate.yaml").read_text()
    revoked = f"trust:\n  revoked: {{evidence: ['sha256:{sha256(payload)}']}}\n"
    refused.on_main({"gate.yaml": text.replace("trust:\n", revoked).encode()})
    done = refused.judge()
    assert (done.code, done.decision["waivers"]) == (11, [])


def test_s29_a_signed_waiver_cannot_excuse_forged_evidence_or_other_bytes(refused: World) -> None:
    signed(refused)
    refused.put("forged.json", envelope(refused.provenance(), key("stranger")))
    assert refused.judge().code == 11
    refused.put("forged.json", bundle(b"{}", key("approver")))
    assert refused.judge().code == 14
    (refused.root / ".gate/attestations/forged.json").unlink()
    assert refused.judge().code == 0
    refused.write("models/summarizer/model.safetensors", b"other bytes")
    refused.commit()
    assert refused.judge().code == 12
