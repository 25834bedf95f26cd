"""`gate recall` as a person uses it: everything that rests on a key, an identity, a digest, trusted or not."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any, Final

import pytest

from gate.app import recall as module
from gate.formats import schema
from tests.acceptance.test_keyless import AT, OURS, THEIRS, attest
from tests.acceptance.test_keyless import world as keyless_world
from tests.acceptance.world import MODEL, NOW, Done, World, inside
from tests.support.llmsa import TRUSTED, public_pem, signed, statement
from tests.support.pages import run_page
from tests.support.virtual_sigstore import ISSUER, WORKFLOW, Person
from tools.scenario_collected import below, training, tree_digest
from tools.scenario_draft import config
from tools.scenario_evidence import Key, bundle, encode, envelope, key, own, provenance, sha256, subjects

RESTS: Final = 20
NOTHING: Final = f"sha256:{'0' * 64}"
TUNED: Final = {"model.bin": b"tuned"}


def recall(world: World, *arguments: str) -> Done:
    done = inside("recall", "--root", str(world.root), "--now", NOW, *arguments)
    assert done.code in {0, 2, 3, RESTS}, done.text
    return done


def found(world: World, *arguments: str, code: int = RESTS) -> dict[str, Any]:
    done = recall(world, *arguments, "--format", "json")
    assert done.code == code, done.text
    value: dict[str, Any] = json.loads(done.out)
    assert value["exit_code"] == code
    assert schema.problem("recall.json", value) is None
    return value


def listed(value: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(item["claim"], item["why"], item["standing"]) for item in value["statements"]}


def unsigned(payload: bytes, claims_to_be: Key) -> bytes:
    """A bundle that names a key, signed by nobody who matters."""
    value = json.loads(bundle(payload, key("stranger")))
    value["verificationMaterial"]["publicKey"]["hint"] = claims_to_be.spki.removeprefix("sha256:")
    return encode(value)


@pytest.fixture
def built(world: World) -> World:
    """The good world, an approval of its provenance, and a model that was tuned on it."""
    signers = {"release": "claims: [artifact.signature]", "approver": "claims: [approval]"}
    world.write("gate.yaml", config(signers={**signers, "builder": 'claims: ["build.*", "training.*"]'}))
    approval = own("approval", subjects(world.model_files()), depends_on=[world.provenance()])
    world.put("approval.json", bundle(approval, key("approver")))
    tuned = training(below("models/tuned", TUNED), base={"it": tree_digest(world.model_files())})
    world.put("tuned.json", bundle(tuned, key("builder")))
    return world


class TestKeys:
    @pytest.mark.parametrize("name", ["signer", "file", "digest"])
    def test_all_that_rests_on_a_key(self, built: World, name: str) -> None:
        given = {"signer": "builder", "file": str(built.root / "keys/builder.pub"), "digest": key("builder").spki}
        value = found(built, "--key", given[name])
        assert listed(value) == {
            ("build.provenance", "signed", "proved"),
            ("training.provenance", "signed", "proved"),
            ("approval", "builds on", "proved"),
        }
        assert value["target"]["spki"] == key("builder").spki
        assert {item["name"] for item in value["artifacts"]} >= {"model.safetensors", "models/tuned/model.bin"}
        text = recall(built, "--key", given[name]).out
        assert f"builds on sha256:{sha256(built.provenance())[:12]}" in text
        assert text.endswith("resting on it: 3 statements (3 proved), 0 decisions.   exit 20\n")

    def test_a_key_that_is_gone_from_gate_yaml_or_revoked_is_found(self, world: World) -> None:
        pem = world.root / "old.pub"
        pem.write_bytes(key("release").pem)
        revoked = config(trust="  revoked: {keys: [release]}\n")
        gone = config(signers={"builder": 'claims: ["build.*"]'})
        for text in (revoked, gone):
            world.write("gate.yaml", text)
            assert listed(found(world, "--key", str(pem))) == {("artifact.signature", "signed", "proved")}

    def test_no_configuration_is_needed(self, world: World, tmp_path: Path) -> None:
        pem = str(world.root / "keys/release.pub")
        done = inside(
            "recall", "--root", str(tmp_path), "--key", pem, "--directory", str(world.root / ".gate/attestations")
        )
        assert done.code == RESTS
        assert "NOTE  gate.yaml was not used" in done.out
        assert "stands behind it" not in done.out
        alone = inside("recall", "--root", str(tmp_path), "--key", pem)
        assert alone.code == 2
        assert "there is no gate.yaml" in alone.err

    def test_another_signer_still_stands(self, world: World) -> None:
        text = config(signers={"release": "claims: [artifact.signature]", "second": "claims: [artifact.signature]"})
        world.write("gate.yaml", text)
        world.write("keys/second.pub", key("second").pem)
        world.put("signature.sigstore.json", bundle(world.signature(), key("release"), key("second")))
        (one,) = found(world, "--key", "release")["statements"]
        assert one["others"] == ["second"]
        assert "stands without it by second" in recall(world, "--key", "release").out
        world.write("gate.yaml", config(signers={"release": "claims: [artifact.signature]"}))
        (alone,) = found(world, "--key", "release")["statements"]
        assert alone["others"] == []
        assert "nobody else whom gate.yaml trusts" in recall(world, "--key", "release").out

    def test_a_signer_of_another_envelope_stands_too_and_revoked_evidence_does_not(self, world: World) -> None:
        signers = {"release": "claims: [artifact.signature]", "second": "claims: [artifact.signature]"}
        second = bundle(world.signature(), key("second"))
        world.write("keys/second.pub", key("second").pem)
        world.put("second.json", second)
        for trust, expected in (("", ["second"]), (f"  revoked: {{evidence: ['sha256:{sha256(second)}']}}\n", [])):
            world.write("gate.yaml", config(signers=signers, trust=trust))
            (one,) = found(world, "--key", "release")["statements"]
            assert one["others"] == expected
            assert len(one["places"]) == 2

    def test_a_threshold_that_is_not_reached_without_it(self, world: World) -> None:
        signers = dict.fromkeys(("release", "second", "auditor"), "claims: [artifact.signature]")
        world.write("gate.yaml", config(signers=signers, trust="  thresholds: {artifact.signature: 2}\n"))
        for name in ("second", "auditor"):
            world.write(f"keys/{name}.pub", key(name).pem)
        world.put("signature.sigstore.json", bundle(world.signature(), key("release"), key("second")))
        assert found(world, "--key", "release")["statements"][0]["others"] == []

    def test_s02_a_forged_claim_is_unproved_and_hides_nothing(self, world: World) -> None:
        world.put("a-forged.json", unsigned(world.signature(), key("release")))
        world.put("b-forged.json", unsigned(own("prompt", subjects({"p": b"p"})), key("release")))
        value = found(world, "--key", "release")
        by_claim = {item["claim"]: item for item in value["statements"]}
        assert by_claim["artifact.signature"]["standing"] == "proved"
        places = {
            place["origin"].rpartition("/")[2]: place["signed"] for place in by_claim["artifact.signature"]["places"]
        }
        assert places == {"a-forged.json": "unproved", "signature.sigstore.json": "proved"}
        (forged,) = [item for item in value["statements"] if item["standing"] == "unproved"]
        assert [place["origin"] for place in forged["places"]] == [".gate/attestations/b-forged.json"]
        assert "UNPROVED" in recall(world, "--key", "release").out

    def test_what_builds_on_a_forgery_is_not_proved_by_it(self, world: World) -> None:
        forged = own("test.x", subjects({"p": b"p"}))
        world.put("forged.json", unsigned(forged, key("stranger")))
        world.put("approval.json", bundle(own("approval", subjects({"p": b"p"}), depends_on=[forged]), key("approver")))
        value = found(world, "--key", str(_pem(world, "auditor")), code=0)
        assert value["statements"] == []
        world.put("named.json", unsigned(forged, key("auditor")))
        value = found(world, "--key", str(_pem(world, "auditor")))
        assert {(item["why"], item["standing"]) for item in value["statements"]} == {
            ("signed", "unproved"),
            ("builds on", "unproved"),
        }

    def test_a_digest_whose_key_nobody_has(self, world: World) -> None:
        spki = key("second").spki
        done = recall(world, "--key", spki)
        assert done.code == 3
        assert "give the key itself" in done.err
        world.put("second.json", bundle(world.signature(), key("second")))
        value = found(world, "--key", spki)
        assert listed(value) == {("artifact.signature", "signed", "unproved")}
        assert any("could be checked" in note for note in value["searched"]["notes"])
        keyid = json.loads(envelope(world.provenance(), key("second")))
        keyid["signatures"][0]["keyid"] = base64.b64encode(bytes.fromhex(spki.removeprefix("sha256:"))).decode()
        world.put("second.json", encode(keyid))
        assert listed(found(world, "--key", spki)) == {("build.provenance", "signed", "unproved")}

    def test_every_kind_of_key_and_scheme(self, world: World) -> None:
        for name in ("second", "auditor"):
            world.put("second.json", bundle(world.signature(), key(name)))
            assert listed(found(world, "--key", str(_pem(world, name)))) == {("artifact.signature", "signed", "proved")}
        pkcs1 = Key("auditor", key("auditor").private, pkcs1=True)
        world.put("second.json", bundle(world.signature(), pkcs1))
        assert listed(found(world, "--key", str(_pem(world, "auditor")))) == {
            ("artifact.signature", "signed", "proved")
        }

    def test_what_is_no_key(self, world: World) -> None:
        world.write("text", b"no key")
        for given, words in (
            ("realease", "did you mean 'release'"),
            (str(world.root / "text"), "PUBLIC KEY"),
            (str(world.root), "no key file"),
        ):
            done = recall(world, "--key", given)
            assert done.code == 2
            assert words in done.err


def _pem(world: World, name: str) -> Path:
    world.write(f"{name}.pub", key(name).pem)
    return world.root / f"{name}.pub"


class TestIdentities:
    def test_what_an_identity_signed_is_proved_by_the_pinned_root(self, tmp_path: Path) -> None:
        world = keyless_world(tmp_path)
        attest(world)
        for more in ((), ("--issuer", ISSUER)):
            assert listed(found(world, "--identity", WORKFLOW, *more)) == {("artifact.signature", "signed", "proved")}
        assert listed(found(world, "--key", "release")) == {("artifact.signature", "signed", "proved")}
        found(world, "--identity", WORKFLOW, "--issuer", "https://other.test", code=0)
        found(world, "--identity", "somebody", code=0)
        world.put("more.json", json.dumps(OURS.sign(world.provenance(), Person(), log="v1", at=AT)).encode())
        assert ("build.provenance", "signed", "proved") in listed(found(world, "--identity", WORKFLOW))

    def test_a_certificate_of_another_authority_is_a_claim(self, tmp_path: Path) -> None:
        world = keyless_world(tmp_path)
        attest(world, sigstore=THEIRS)
        value = found(world, "--identity", WORKFLOW)
        assert listed(value) == {("artifact.signature", "signed", "unproved")}
        assert "does not verify" in value["statements"][0]["places"][0]["note"]

    def test_without_a_root_certificates_are_claims(self, tmp_path: Path) -> None:
        world = keyless_world(tmp_path)
        attest(world)
        world.write("gate.yaml", config())
        for name in ("release", "builder", "approver"):
            world.write(f"keys/{name}.pub", key(name).pem)
        assert listed(found(world, "--identity", WORKFLOW)) == {("artifact.signature", "signed", "unproved")}

    def test_a_key_in_a_certificate_is_checked_as_a_key(self, tmp_path: Path) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        world = keyless_world(tmp_path)
        attest(world)
        text = json.loads((world.root / ".gate/attestations/signature.sigstore.json").read_bytes())
        raw = base64.b64decode(text["verificationMaterial"]["certificate"]["rawBytes"])
        public = x509.load_der_x509_certificate(raw).public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        spki = f"sha256:{hashlib.sha256(der).hexdigest()}"
        assert listed(found(world, "--key", spki)) == {("artifact.signature", "signed", "proved")}
        text["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(b"no signature").decode()
        world.put("signature.sigstore.json", encode(text))
        assert listed(found(world, "--key", spki)) == {("artifact.signature", "signed", "unproved")}
        text["verificationMaterial"]["certificate"]["rawBytes"] = base64.b64encode(b"no certificate").decode()
        world.put("signature.sigstore.json", encode(text))
        assert recall(world, "--key", spki).code == 3
        found(world, "--identity", WORKFLOW, code=0)

    def test_a_signer_by_pattern_is_no_identity(self, tmp_path: Path) -> None:
        world = keyless_world(tmp_path)
        attest(world)
        text = (world.root / "gate.yaml").read_text()
        owner = WORKFLOW.partition("@")[0]
        world.write(
            "gate.yaml", text.replace(f"subject: '{WORKFLOW}'", f"subject_pattern: '{owner}@refs/heads/*'").encode()
        )
        done = recall(world, "--key", "release")
        assert done.code == 2
        assert "pattern" in done.err


class TestDigests:
    def test_evidence_by_either_digest(self, built: World) -> None:
        data = (built.root / ".gate/attestations/provenance.dsse.json").read_bytes()
        for digest in (sha256(data), sha256(built.provenance())):
            assert listed(found(built, "--evidence", f"sha256:{digest}")) == {
                ("build.provenance", "is", "proved"),
                ("approval", "builds on", "proved"),
                ("training.provenance", "made from", "proved"),
            }
        found(built, "--evidence", NOTHING, code=0)
        assert recall(built, "--evidence", "release").code == 2

    def test_an_artifact_and_what_was_made_from_it(self, built: World) -> None:
        folder = str(built.root / MODEL)
        expected = {
            ("artifact.signature", "about", "proved"),
            ("build.provenance", "about", "proved"),
            ("approval", "about", "proved"),
            ("training.provenance", "made from", "proved"),
        }
        assert listed(found(built, "--artifact", folder)) == expected
        weights = (built.root / MODEL / "model.safetensors").read_bytes()
        for given in (
            "summarizer",
            str(built.root / MODEL / "model.safetensors"),
            tree_digest(built.model_files()),
            *(f"{name}:{hashlib.new(name, weights).hexdigest()}" for name in ("sha256", "sha384", "sha512")),
        ):
            value = found(built, "--artifact", given)
            assert listed(value) == expected, given
            assert value["searched"]["notes"] == []

    def test_what_is_no_artifact(self, built: World) -> None:
        (built.root / "empty").mkdir()
        for given in ("nowhere", str(built.root / "empty"), "sha512:abc", f"gitCommit:{'a' * 40}"):
            assert recall(built, "--artifact", given).code == 2
        assert "did you mean 'summarizer'" in recall(built, "--artifact", "sumarizer").err

    def test_all_models_from_a_bad_dataset(self, built: World) -> None:
        """Over three generations, also by a statement that nobody trusts: that is unproved."""
        first = training(below("models/a", {"a": b"a"}), datasets={"bad": f"sha256:{sha256(b'bad')}"})
        second = training(below("models/b", {"b": b"b"}), base={"a": f"sha256:{sha256(b'a')}"})
        image = provenance(
            [{"name": "image", "digest": {"sha256": "e" * 64}}],
            dependencies=[{"uri": "b", "digest": {"sha256": sha256(b"b")}}],
        )
        built.put("first.json", bundle(first, key("builder")))
        built.put("second.json", bundle(second, key("stranger")))
        built.put("image.json", bundle(image, key("builder")))
        value = found(built, "--artifact", f"sha256:{sha256(b'bad')}")
        standings = {item["name"]: item["standing"] for item in value["artifacts"]}
        assert standings == {"models/a/a": "proved", "models/b/b": "unproved", "image": "unproved"}


class TestDecisions:
    def test_decisions_that_counted_it(self, built: World, tmp_path: Path) -> None:
        saved = tmp_path / "decisions"
        saved.mkdir()
        (saved / "one.json").write_text(built.judge().out)
        (saved / "junk.json").write_text("{}")
        (saved / "broken.json").write_text("{")
        (saved / "notes.txt").write_text("no decision")
        (saved / "link.json").symlink_to(saved / "one.json")
        value = found(built, "--key", "builder", "--decisions", str(saved))
        (decision,) = value["decisions"]
        assert decision["verdict"] in {"allow", "deny"}
        assert decision["artifacts"].keys() == {"summarizer"}
        assert "build.provenance" in decision["controls"]
        assert {Path(place).name for place in value["searched"]["skipped"]} == {"junk.json"}
        assert {Path(place).name for place in value["searched"]["unread"]} == {"broken.json"}
        about = found(built, "--artifact", decision["artifacts"]["summarizer"], "--decisions", str(saved / "one.json"))
        assert len(about["decisions"]) == 1
        assert found(built, "--evidence", NOTHING, "--decisions", str(saved), code=3)["decisions"] == []

    def test_a_decision_knows_what_no_folder_has(self, built: World, tmp_path: Path) -> None:
        saved = tmp_path / "one.json"
        saved.write_text(built.judge().out)
        (built.root / ".gate/attestations/signature.sigstore.json").unlink()
        value = found(built, "--key", key("release").spki, "--decisions", str(saved))
        (one,) = value["statements"]
        assert (one["standing"], one["places"]) == ("recorded", [])
        assert "recorded" in recall(built, "--key", "release", "--decisions", str(saved)).out

    def test_a_keyless_decision(self, tmp_path: Path) -> None:
        world = keyless_world(tmp_path)
        attest(world)
        saved = tmp_path / "one.json"
        saved.write_text(world.judge().out)
        (world.root / ".gate/attestations/signature.sigstore.json").unlink()
        assert listed(found(world, "--identity", WORKFLOW, "--decisions", str(saved))) == {
            ("artifact.signature", "signed", "recorded")
        }
        found(world, "--identity", WORKFLOW, "--issuer", "https://x.test", "--decisions", str(saved), code=0)

    def test_decisions_alone_are_enough(self, built: World, tmp_path: Path) -> None:
        saved = tmp_path / "one.json"
        saved.write_text(built.judge().out)
        done = inside("recall", "--root", str(tmp_path), "--key", key("builder").spki, "--decisions", str(saved))
        assert done.code == RESTS
        assert "no folder" in done.out

    def test_a_decision_of_odd_shape_says_less(self, built: World, tmp_path: Path) -> None:
        saved = tmp_path / "odd.json"
        odd = {"evidence": {"verified": [1, {"payload": "x"}, {"payload": NOTHING, "evidence": NOTHING, "signers": 1}]}}
        saved.write_text(json.dumps({"schema": "urn:gate:decision:v1", **odd}))
        value = found(built, "--evidence", NOTHING, "--decisions", str(saved))
        assert [item["verdict"] for item in value["decisions"]] == ["unknown"]

    def test_what_is_no_decision(self, built: World, tmp_path: Path) -> None:
        (tmp_path / "x.json").write_text("{}")
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        os.mkfifo(tmp_path / "pipe")
        for given in (tmp_path / name for name in ("x.json", "nowhere", "loop", "pipe")):
            assert recall(built, "--key", "release", "--decisions", str(given)).code == 3

    def test_a_decision_that_is_too_large(self, built: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "x.json").write_text(" " * 100)
        monkeypatch.setattr(module, "DECISION_BYTES", 10)
        assert recall(built, "--key", "release", "--decisions", str(tmp_path / "x.json")).code == 3


class TestSearching:
    def test_what_cannot_be_read_is_named(self, world: World) -> None:
        for number in range(12):
            world.put(f"junk{number:02}.json", b"[]")
        world.put("notes.txt", b"x")
        value = found(world, "--key", "release")
        assert len(value["searched"]["unread"]) == 12
        assert len(value["searched"]["skipped"]) == 1
        assert "and 2 more that could not be read" in recall(world, "--key", "release").out

    def test_statements_of_unknown_types_are_found(self, world: World) -> None:
        value = json.loads(own("prompt", subjects({"p": b"p"})))
        value["predicateType"] = "https://x.test/unknown"
        payload = json.dumps(value).encode()
        world.put("unknown.json", bundle(payload, key("release")))
        claims = [item["claim"] for item in found(world, "--key", "release")["statements"]]
        assert None in claims
        assert "unknown" in recall(world, "--key", "release").out

    def test_bundles_of_llmsa(self, world: World) -> None:
        world.write("legacy/x.bundle.json", signed(statement()))
        world.write("old.pub", public_pem(TRUSTED).encode())
        text = config().replace(b"evidence:\n", b"evidence:\n  - {directory: legacy, format: llmsa}\n")
        world.write("gate.yaml", text)
        value = found(world, "--key", str(world.root / "old.pub"))
        assert {item["standing"] for item in value["statements"]} == {"proved"}

    def test_nothing_to_search_is_no_answer(self, world: World, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        assert recall(world, "--key", "release", "--directory", str(tmp_path / "empty")).code == 3
        done = recall(world, "--key", "release", "--directory", str(tmp_path / "nowhere"))
        assert done.code == 3
        assert "there is no folder" in done.err

    def test_a_registry_is_named_as_not_searched(self, world: World) -> None:
        image = f"server: {{kind: container, image: 'registry.example/x@sha256:{'a' * 64}'}}"
        text = config((image,), gates="").replace(b"evidence:\n", b"evidence:\n  - oci: {artifact: server}\n")
        world.write("gate.yaml", text)
        notes = found(world, "--key", "release")["searched"]["notes"]
        assert notes == ["evidence of server in its registry was not searched: `gate pull` it and name the folder"]

    def test_too_many_digests_are_an_error(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MAX_WORDS", 1)
        assert recall(world, "--key", "release").code == 3

    def test_many_bundles(self, world: World) -> None:
        lines = [
            bundle(own("prompt", subjects({f"{number}": str(number).encode()})), key("release"))
            for number in range(2_000)
        ]
        world.put("many.jsonl", b"\n".join(lines))
        started = time.monotonic()
        value = found(world, "--key", "release")
        assert time.monotonic() - started < 60
        assert len(value["statements"]) == 2_001

    def test_usage(self, world: World) -> None:
        for arguments in ([], ["--key", "a", "--identity", "b"], ["--key", "a", "--issuer", "b"], ["--issuer", "b"]):
            done = recall(world, *arguments)
            assert done.code == 2
            assert done.err

    def test_the_output_file(self, world: World, tmp_path: Path) -> None:
        target = tmp_path / "recall"
        for form in ("text", "json"):
            done = recall(world, "--key", "release", "--format", form, "--output", str(target))
            assert done.code == RESTS
            assert done.out == "resting on it: 1 statement (1 proved), 0 decisions.   exit 20\n"
            assert target.read_text() == recall(world, "--key", "release", "--format", form).out

    def test_s34_hostile_names_are_shown_escaped(self, world: World) -> None:
        names = {f"\x1b[31m{number}\n\u202e": b"x" for number in range(12)}
        world.put("hostile.json", bundle(own("prompt", subjects(names)), key("release")))
        done = recall(world, "--key", "release")
        assert not set(done.out) & {"\x1b", "\u202e"}
        assert "and 2 more things that it covers" in done.out


def test_the_page_works_as_written(world: World, tmp_path: Path) -> None:
    (world.root / "decisions").mkdir()
    shown = run_page("recall.md", world.root, tmp_path / "bin")
    assert "signed by it: 1 statement" in shown
    value = json.loads((world.root / "recall.json").read_text())
    assert len(value["decisions"]) == 1
