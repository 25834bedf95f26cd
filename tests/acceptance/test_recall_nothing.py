"""`gate recall` never says that nothing rests on what something rests on, in whatever way it is named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import pytest

from gate.app import recall_artifact as module
from tests.acceptance.test_attachments import write_gate
from tests.acceptance.test_recall import NOTHING, found, listed, recall
from tests.acceptance.world import MODEL, World, inside
from tests.support import llmsa as legacy
from tests.support.layouts import LayoutFolder
from tools.scenario_collected import collected, training, tree_digest
from tools.scenario_draft import MODEL_ARTIFACT, config
from tools.scenario_evidence import bundle, encode, envelope, key, own, provenance, sha256, statement, subjects

VSA: Final = "https://slsa.dev/verification_summary/v1"
REFERENCES: Final = "https://in-toto.io/attestation/reference/v0.1"
SIGNERS: Final = {
    "release": "claims: [artifact.signature, verification.summary, references]",
    "builder": 'claims: ["build.*", "training.*", dataset]',
}
PACKAGE: Final = b"a package"
DATA: Final = {"data/a.txt": b"a", "data/b.txt": b"poison", "data/empty": b""}


def hexes(data: bytes, *names: str) -> dict[str, str]:
    return {name: hashlib.new(name, data).hexdigest() for name in names}


def bare(world: World, *artifacts: str) -> World:
    """A world without evidence."""
    for item in (world.root / ".gate/attestations").iterdir():
        item.unlink()
    world.write("gate.yaml", config((MODEL_ARTIFACT, *artifacts), signers=SIGNERS, gates=""))
    return world


def summary(world: World, *inputs: dict[str, str]) -> bytes:
    predicate = {
        "verifier": {"id": "https://v.example"},
        "timeVerified": "2026-11-20T11:00:00Z",
        "resourceUri": "https://r.example",
        "policy": {"uri": "https://p.example", "digest": {"sha256": "2" * 64}},
        "inputAttestations": [{"uri": "x", "digest": item} for item in inputs],
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_2"],
        "slsaVersion": "1.0",
    }
    return statement(VSA, subjects(world.model_files()), predicate)


class TestSummaries:
    def test_a_summary_rests_on_the_attestations_that_it_names(self, world: World) -> None:
        made = envelope(bare(world).provenance(), key("builder"))
        for digest in (sha256(world.provenance()), sha256(made)):
            world.put("vsa.json", envelope(summary(world, {"sha256": digest}), key("release")))
            rests = {("verification.summary", "builds on", "proved")}
            (world.root / ".gate/attestations/made.json").unlink(missing_ok=True)
            assert listed(found(world, "--evidence", f"sha256:{digest}")) == rests
            world.put("made.json", made)
            for given in (("--key", "builder"), ("--evidence", f"sha256:{sha256(made)}")):
                assert rests < listed(found(world, *given))

    def test_a_summary_that_names_no_sha256_is_told(self, world: World) -> None:
        world.put("vsa.json", envelope(summary(bare(world), {"sha512": "1" * 128}), key("release")))
        assert "without a SHA-256" in str(found(world, "--evidence", NOTHING, code=0)["searched"]["notes"])

    def test_a_document_that_is_referred_to(self, world: World) -> None:
        predicate = {
            "attester": {"id": "https://a.example"},
            "references": [{"uri": "https://d.example", "mediaType": "text/plain", "digest": {"sha256": "3" * 64}}],
        }
        about = subjects(bare(world).model_files())
        world.put("r.json", envelope(statement(REFERENCES, about, predicate), key("release")))
        for given in ("--evidence", "--artifact"):
            assert len(found(world, given, f"sha256:{'3' * 64}")["statements"]) == 1

    def test_a_decision_that_reused_a_summary_and_knows_its_envelope(self, world: World, tmp_path: Path) -> None:
        payload, made = world.provenance(), envelope(bare(world).provenance(), key("builder"))
        vsa = envelope(summary(world, {"sha256": sha256(payload)}), key("release"))
        world.put("vsa.json", vsa)
        reused = f"sha256:{sha256(summary(world, {'sha256': sha256(payload)}))}"
        listing: list[Any] = [
            {"payload": reused, "evidence": f"sha256:{sha256(vsa)}"},
            {"payload": f"sha256:{sha256(payload)}", "evidence": f"sha256:{sha256(made)}"},
        ]
        control = {"evidence": {}, "violations": [{"reuse": reused}, {"reuse": None}]}
        saved = tmp_path / "one.json"
        value = {"schema": "urn:gate:decision:v1", "verdict": "allow", "evidence": {"verified": listing}}
        saved.write_text(json.dumps({**value, "controls": {"build.provenance": control, "odd": 1}}))
        # Only the decision knows that the envelope holds the statement that the summary names.
        told = found(world, "--evidence", f"sha256:{sha256(made)}", "--decisions", str(saved))
        assert listed(told) == {("verification.summary", "builds on", "proved")}
        assert told["decisions"][0]["controls"] == ["build.provenance"]
        world.put("made.json", made)
        saved.write_text(json.dumps({**value, "evidence": {"verified": listing[:1]}}))
        assert len(found(world, "--key", "builder", "--decisions", str(saved))["decisions"]) == 1

    def test_lineage_shows_what_a_summary_rests_on(self, world: World) -> None:
        made = envelope(bare(world).provenance(), key("builder"))
        gone = {"sha256": "4" * 64}
        for name, digest in (("a", sha256(made)), ("b", sha256(world.provenance()))):
            world.put(f"{name}.json", envelope(summary(world, {"sha256": digest}, gone), key("release")))
        lineage = ("lineage", "--root", str(world.root), "--format", "json")
        value = json.loads(inside(*lineage).out)
        assert {gap["code"] for gap in value["gaps"]} == {"origin"}
        (root,) = value["roots"]
        assert root in {gap["node"] for gap in value["gaps"]}
        world.put("made.json", made)
        value = json.loads(inside(*lineage).out)
        origin = f"statement:sha256:{sha256(world.provenance())}"
        (edge,) = [edge for edge in value["edges"] if edge["to"] == origin]
        assert (edge["from"], edge["relation"], len(edge["statements"])) == (root, "attestation", 2)
        assert value["conflicts"] == []


class TestOtherDigests:
    @pytest.mark.parametrize("name", ["sha384", "sha512"])
    def test_a_file_that_statements_name_by_another_digest_alone(self, world: World, name: str) -> None:
        bare(world, "pk: {kind: package, path: dist/pk.tgz}").write("dist/pk.tgz", PACKAGE)
        about = [{"name": "pkg:npm/pk@1", "digest": hexes(PACKAGE, name)}]
        world.put("about.json", envelope(provenance(about), key("release")))
        uses = [{"uri": "pkg:npm/pk@1", "digest": hexes(PACKAGE, name)}]
        image = [{"name": "image", "digest": {"sha256": "9" * 64}}]
        world.put("image.json", envelope(provenance(image, dependencies=uses), key("release")))
        every = [f"{one}:{word}" for one, word in hexes(PACKAGE, "sha256", "sha384", "sha512").items()]
        for given in ("pk", str(world.root / "dist/pk.tgz"), *every):
            assert {item["why"] for item in found(world, "--artifact", given)["statements"]} == {"about", "made from"}

    def test_a_digest_of_what_is_not_here_says_what_cannot_be_compared(self, world: World) -> None:
        done = recall(world, "--artifact", NOTHING)
        assert done.code == 0
        assert "NOTE  nothing but this digest is known" in done.out

    def test_a_statement_of_an_unknown_type(self, world: World) -> None:
        """It names the file by SHA-512, and in its predicate what it was made from."""
        about = [{"name": "x", "digest": hexes(PACKAGE, "sha512")}]
        predicate = {"from": [{"digest": hexes(b"origin", "sha256")}, f"sha256:{'8' * 64}", 1]}
        world.put("x.json", envelope(statement("https://x.test/unknown", about, predicate), key("release")))
        world.write("x", PACKAGE)
        for given in (str(world.root / "x"), f"sha256:{sha256(b'origin')}", f"sha256:{'8' * 64}"):
            assert found(world, "--artifact", given)["searched"]["unread"] == {}

    @pytest.mark.parametrize("more", [["--shards", "16"], ["--hash", "blake2b"]])
    def test_a_manifest_of_shards_or_of_another_hash(self, world: World, more: list[str]) -> None:
        bare(world).write("k.key", key("release").private_pem)
        (world.root / "k.key").chmod(0o600)
        model = str(world.root / MODEL)
        if more[0] == "--shards":
            output = world.root / ".gate/attestations/s.json"
            done = inside("sign", model, "--key", str(world.root / "k.key"), "--out", str(output), *more)
            assert done.code == 0, done.text
        else:
            world.put("s.json", bundle(_blake(world), key("release")))
        (root,) = [item["digest"] for item in found(world, "--key", "release")["artifacts"]]
        tuned = training({"t/m": b"m"}, base={"it": root})
        world.put("tuned.json", bundle(tuned, key("builder")))
        (world.root / "copy").write_bytes((world.root / MODEL / "model.safetensors").read_bytes())
        for given in ("summarizer", model, f"{model}/model.safetensors", str(world.root / "copy")):
            assert listed(found(world, "--artifact", given)) == {
                ("artifact.signature", "about", "proved"),
                ("training.provenance", "made from", "proved"),
            }

    def test_manifests_of_too_many_kinds_are_an_error(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        world.put("s.json", bundle(_blake(world), key("release")))
        monkeypatch.setattr(module, "MAX_RECIPES", 0)
        done = recall(world, "--artifact", str(world.root / MODEL))
        assert done.code == 3
        assert "ways to hash" in done.err


def _blake(world: World) -> bytes:
    files = {name.rpartition("/")[2]: data for name, data in world.model_files().items()}
    texts = {name: hashlib.blake2b(data).hexdigest() for name, data in sorted(files.items())}
    root = sha256(b"".join(bytes.fromhex(text) for text in texts.values()))
    resources = [{"algorithm": "blake2b", "digest": text, "name": name} for name, text in texts.items()]
    serialization = {"method": "files", "hash_type": "blake2b", "allow_symlinks": False}
    predicate = {"serialization": serialization, "resources": resources}
    about = [{"name": "summarizer", "digest": {"sha256": root}}]
    return statement("https://model_signing/signature/v1.0", about, predicate)


class TestWholes:
    def dataset(self, world: World, *artifacts: str, folders: bool = True) -> World:
        bare(world, *artifacts).write_all(DATA)
        whole = tree_digest({name.removeprefix("data/"): data for name, data in DATA.items()})
        value = json.loads(
            collected(
                "dataset",
                {"files": DATA},
                sources={},
                owner="o",
                classification="c",
                personal_data=False,
                license="MIT",
            )
        )
        if folders:
            value["predicate"]["folders"] = {"data": "files"}
        world.put("data.json", envelope(encode(value), key("builder")))
        world.put("model.json", envelope(training(world.model_files(), datasets={"data": whole}), key("builder")))
        return world

    @pytest.mark.parametrize("folders", [True, False])
    @pytest.mark.parametrize("artifacts", [(), ("data: {kind: dataset, path: data}",)])
    def test_one_file_takes_the_dataset_with_it(self, world: World, artifacts: tuple[str, ...], folders: bool) -> None:
        self.dataset(world, *artifacts, folders=folders)
        rests = {("dataset", "about", "proved"), ("training.provenance", "made from", "proved")}
        for given in (str(world.root / "data/b.txt"), f"sha256:{sha256(b'poison')}", str(world.root / "data/empty")):
            assert listed(found(world, "--artifact", given)) == rests

    def test_the_artifact_in_gate_yaml_says_what_belongs_together(self, world: World) -> None:
        self.dataset(world, "data: {kind: dataset, path: data}")
        (world.root / ".gate/attestations/data.json").unlink()
        value = found(world, "--artifact", str(world.root / "data/b.txt"))
        assert listed(value) == {("training.provenance", "made from", "proved")}

    def test_an_empty_file_of_a_folder_takes_nothing_with_it(self, world: World) -> None:
        self.dataset(world).write_all({"other/empty": b"", "other/x": b"x"})
        value = found(world, "--artifact", str(world.root / "other"))
        assert listed(value) == {("dataset", "about", "proved")}

    def test_wholes_in_wholes_end(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dataset(world)
        monkeypatch.setattr(module, "MAX_STEPS", 1)
        done = recall(world, "--artifact", str(world.root / "data/b.txt"))
        assert done.code == 3
        assert "one in another" in done.err

    def test_an_artifact_that_cannot_be_read_may_hold_it(self, world: World) -> None:
        bare(world, "gone: {kind: dataset, path: gone}", "link: {kind: dataset, path: link}")
        (world.root / "link").symlink_to("models")
        world.put("p.json", envelope(provenance(subjects({"p": b"p"})), key("builder")))
        assert set(found(world, "--artifact", NOTHING, code=3)["searched"]["unread"]) == {"link"}
        assert recall(world, "--artifact", "gone").code == 3


class TestImages:
    def site(self, root: Path) -> LayoutFolder:
        (root / "images").mkdir(parents=True)
        layout = LayoutFolder(root / "images/server")
        write_gate(root, f"oci-layout:images/server@{layout.digest}")
        return layout

    def test_a_layout_is_read(self, tmp_path: Path) -> None:
        layout = self.site(tmp_path)
        layout.name(layout.attached(layout.signature(key("release"))), ".sig")
        world = World(tmp_path)
        for given in (("--key", "release"), ("--artifact", layout.digest), ("--artifact", "server")):
            value = found(world, *given)
            assert [item["claim"] for item in value["statements"]] == ["artifact.signature"]
            assert value["searched"]["directories"] == [f"oci-layout:images/server@{layout.digest}"]

    def test_a_layout_that_cannot_be_read_is_told(self, tmp_path: Path) -> None:
        layout = self.site(tmp_path)
        (tmp_path / "images/server/index.json").unlink()
        (place,) = found(World(tmp_path), "--key", "release", code=3)["searched"]["unread"]
        assert place == f"oci-layout:images/server@{layout.digest}"

    def test_an_image_without_a_digest_is_no_artifact_to_recall(self, world: World) -> None:
        bare(world, "server: {kind: container, image: 'registry.example/x:1'}")
        done = recall(world, "--artifact", "server")
        assert done.code == 2
        assert "has no digest" in done.err


class TestUnread:
    def test_what_cannot_be_read_leaves_no_answer_but_what_was_found(self, world: World) -> None:
        world.put("garbage.json", b'{"payload":')
        done = recall(world, "--artifact", NOTHING)
        assert done.code == 3
        assert "nothing was found, and not everything could be read.   exit 3" in done.out
        assert found(world, "--artifact", "summarizer")["exit_code"] == 20

    def test_a_statement_of_a_known_type_that_is_malformed_is_not_read_in_full(self, world: World) -> None:
        world.put("odd.json", envelope(statement(VSA, subjects({"x": b"x"}), {}), key("release")))
        (place,) = found(world, "--artifact", NOTHING, code=3)["searched"]["unread"]
        assert place.endswith("odd.json")

    def test_a_payload_that_is_no_statement(self, world: World) -> None:
        world.put("odd.json", envelope(b"[]", key("release")))
        assert len(found(world, "--artifact", NOTHING, code=3)["searched"]["unread"]) == 1

    def test_a_bundle_of_llmsa_that_is_malformed(self, world: World) -> None:
        bare(world).write("legacy/x.bundle.json", legacy.signed(legacy.statement(subject=[])))
        text = (world.root / "gate.yaml").read_bytes()
        world.write(
            "gate.yaml", text.replace(b"evidence:\n", b"evidence:\n  - {directory: legacy, format: llmsa}\n", 1)
        )
        assert set(found(world, "--artifact", NOTHING, code=3)["searched"]["unread"]) == {"legacy/x.bundle.json"}

    def test_nothing_but_what_cannot_be_read(self, world: World) -> None:
        bare(world).put("garbage.json", b"{")
        assert found(world, "--key", "release", code=3)["searched"]["evidence"] == 0


def test_a_statement_that_builds_on_evidence_that_is_gone(world: World) -> None:
    gone = bare(world).provenance()
    approval = own("approval", subjects({"p": b"p"}), depends_on=[gone])
    world.put("approval.json", bundle(approval, key("builder")))
    value = found(world, "--evidence", f"sha256:{sha256(gone)}")
    assert [(item["claim"], item["why"]) for item in value["statements"]] == [("approval", "builds on")]
