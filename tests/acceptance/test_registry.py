"""Sign, publish, pull, verify and check, against real registries with and without the referrers API."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gate.formats.bundle import MEDIA_TYPE
from gate.formats.oci import MANIFEST
from gate.model.digest import Digest, sha256_digest
from tests.acceptance.world import NOW, Done, gate, inside
from tests.support.registries import REPOSITORY, Registry
from tools.scenario_evidence import bundle, encode, key, provenance

KINDS = {"debian": (), "cue": (), "cue no-filter": ("no-filter",), "cue no-referrers": ("no-referrers",), "ggcr": ()}
_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Site:
    """A registry with an image in it, and a folder of a release that holds it."""

    registry: Registry
    root: Path
    image: Digest

    @property
    def reference(self) -> str:
        return f"{self.registry.repository}@{self.image}"

    def provenance(self, **more: Any) -> bytes:
        return provenance([{"name": self.registry.repository, "digest": {"sha256": self.image[7:]}}], **more)

    def put(self, name: str, data: bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def configure(self, *lines: str) -> None:
        """A gate.yaml that judges the image by evidence from the registry."""
        oci = ", ".join(("artifact: server", *lines))
        self.put("keys/builder.pub", key("builder").pem)
        profile = "name: own\ndescription: Test.\ncontrols:\n"
        modes = ("artifact.pinned", "build.provenance", "evidence.accepted")
        self.put("profile.yaml", (profile + "".join(f"  {name}: {{mode: enforce}}\n" for name in modes)).encode())
        text = (
            "version: 1\ntarget: deployment\nenvironment: production\nprofile: profile.yaml\n"
            f'artifacts:\n  server: {{kind: container, image: "{self.reference}"}}\n'
            f"evidence:\n  - oci: {{{oci}}}\n"
            'trust:\n  signers:\n    builder: {key: keys/builder.pub, claims: ["build.*"]}\n'
        )
        self.put("gate.yaml", text.encode())

    def run(self, *arguments: str) -> Done:
        with contextlib.chdir(self.root):
            return inside(*arguments)

    def publish(self, *arguments: str) -> dict[str, Any]:
        done = self.run("publish", "--subject", self.reference, "--format", "json", *arguments)
        assert done.code == 0, done.text
        value: dict[str, Any] = json.loads(done.out)
        return value

    def check(self) -> Done:
        return inside("check", "--format", "json", "--now", NOW, "--root", str(self.root))


@pytest.fixture(scope="module", params=KINDS)
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    name = request.param
    with Registry(tmp_path_factory.mktemp("registry"), name.partition(" ")[0], *KINDS[name]) as running:
        yield running


@pytest.fixture
def site(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    return Site(registry, tmp_path, registry.put_image("v1", f"layer {next(_NUMBERS)}".encode()))


def test_what_is_signed_and_published_is_pulled_verified_and_approved(site: Site) -> None:
    site.configure()
    site.put("builder.key", key("builder").private_pem).chmod(0o600)
    site.put("statement.json", site.provenance())
    signed = site.run("sign", "statement.json", "--key", "builder.key", "--out", "out/server.sigstore.json")
    assert signed.code == 0, signed.text

    assert site.check().code == 10
    made = site.publish("--in", "out")
    assert made["subject"] == site.reference
    assert made["listed_by"] == ("referrers" if site.registry.has_api else site.image.replace(":", "-"))
    (item,) = made["published"]
    assert item["reference"].startswith(f"{site.registry.repository}@sha256:")
    assert (item["new"], item["file"]) == (True, "out/server.sigstore.json")

    pulled = site.run("pull", site.reference, "--out", "pulled", "--format", "json")
    assert pulled.code == 0, pulled.text
    (found,) = json.loads(pulled.out)["pulled"]
    original = (site.root / "out/server.sigstore.json").read_bytes()
    assert (site.root / found["file"]).read_bytes() == original
    assert found["bundle"] == item["bundle"] == sha256_digest(original)
    assert found["reference"] == item["reference"]

    verified = site.run("verify", "--format", "json", "--now", NOW)
    assert verified.code == 0, verified.text
    allowed = site.check()
    assert allowed.code == 0, allowed.text
    assert item["reference"] in allowed.out


def test_publishing_again_changes_nothing(site: Site) -> None:
    site.put("a.sigstore.json", bundle(site.provenance(), key("builder")))
    first = site.publish("--in", "a.sigstore.json")
    listed = site.registry.listed(site.image)
    again = site.publish("--in", "a.sigstore.json")
    assert [item.pop("new") for item in (*first["published"], *again["published"])] == [True, False]
    assert first == again
    assert site.registry.listed(site.image) == listed


def test_a_folder_is_published_at_once_and_what_others_attached_stays(site: Site) -> None:
    foreign = site.registry.attach(site.image, b'{"spdx":1}', "application/spdx+json")
    for name in "abc":
        site.put(f"in/{name}.sigstore.json", bundle(site.provenance(builder=f"https://{name}.example"), key("builder")))
    site.put("in/notes.txt", b"x")
    made = site.publish("--in", "in")
    assert (len(made["published"]), made["ignored"]) == (3, ["in/notes.txt"])
    done = site.run("pull", f"{site.registry.repository}@{site.image}", "--out", "pulled")
    assert done.code == 0
    assert f"{foreign}: not a bundle but 'application/spdx+json'" in done.out
    assert len(list((site.root / "pulled").iterdir())) == 3


def test_the_manifest_is_what_cosign_writes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795000000")
    site.put("a.sigstore.json", bundle(site.provenance(), key("builder")))
    made = site.publish("--in", "a.sigstore.json")
    digest = made["published"][0]["reference"].partition("@")[2]
    _, headers, data = site.registry.call(
        "GET", f"/v2/{REPOSITORY}/manifests/{digest}", Accept="application/vnd.oci.image.manifest.v1+json"
    )
    manifest = json.loads(data)
    assert headers["content-type"] == manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert manifest["artifactType"] == MEDIA_TYPE
    assert manifest["config"]["mediaType"] == "application/vnd.oci.empty.v1+json"
    assert manifest["config"]["digest"] == sha256_digest(b"{}")
    assert [layer["mediaType"] for layer in manifest["layers"]] == [MEDIA_TYPE]
    assert manifest["subject"]["digest"] == site.image
    assert manifest["annotations"] == {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1",
        "org.opencontainers.image.created": "2026-11-18T11:06:40Z",
    }


def test_another_client_finds_what_was_published(site: Site) -> None:
    site.put("a.sigstore.json", bundle(site.provenance(), key("builder")))
    made = site.publish("--in", "a.sigstore.json")
    found = site.registry.oras("referrers", site.reference)
    assert [item["digest"] for item in found] == [made["published"][0]["reference"].partition("@")[2]]


def test_what_another_client_attached_is_found(site: Site) -> None:
    path = site.put("a.sigstore.json", bundle(site.provenance(), key("builder")))
    (digest,) = site.registry.oras("attach", site.reference, MEDIA_TYPE, str(path))
    if "no-referrers" in site.registry.options:
        # This registry says with each manifest that it knows referrers, and does not: the other client believes it.
        assert site.run("pull", site.reference, "--out", "pulled").code == 10
        return
    done = site.run("pull", site.reference, "--out", "pulled", "--format", "json")
    assert [item["reference"] for item in json.loads(done.out)["pulled"]] == [f"{site.registry.repository}@{digest}"]
    site.configure()
    assert site.check().code == 0


def test_a_tag_is_looked_up_once_and_the_digest_is_told(site: Site) -> None:
    site.put("a.sigstore.json", bundle(site.provenance(), key("builder")))
    site.registry.put_image("moving", b"of this test only")
    done = site.run("publish", "--in", "a.sigstore.json", "--oci", f"{site.registry.repository}:moving")
    assert done.code == 0, done.text
    image = next(line for line in done.out.splitlines() if line.startswith("image"))
    pulled = site.run("pull", f"{site.registry.repository}:moving", "--out", "pulled")
    assert image in pulled.out
    assert "1 pulled, 0 skipped" in pulled.out


def test_nothing_there_is_missing_and_no_error(site: Site) -> None:
    assert site.run("pull", site.reference, "--out", "pulled").code == 10
    unknown = f"{site.registry.repository}@sha256:{'0' * 64}"
    done = site.run("pull", unknown, "--out", "pulled", "--format", "json")
    assert (done.code, json.loads(done.out)) == (10, {"exit_code": 10, "pulled": [], "skipped": {}, "subject": unknown})
    assert site.run("pull", f"{site.registry.repository}:absent", "--out", "pulled").code == 10
    assert site.run("pull", f"{site.registry.host}/no/such@{site.image}", "--out", "pulled").code == 10
    assert not (site.root / "pulled").exists()


def test_evidence_may_lie_in_another_repository(site: Site) -> None:
    site.put("a.sigstore.json", bundle(site.provenance(), key("builder")))
    other = f"{site.registry.host}/team/evidence"
    made = site.publish("--in", "a.sigstore.json", "--repository", other)
    assert made["subject"] == f"{other}@{site.image}"
    site.configure()
    assert site.check().code == 10
    site.configure(f"repository: {other}")
    assert site.check().code == 0


def test_a_stranger_s_bundle_is_rejected_like_any_other(site: Site) -> None:
    site.put("a.sigstore.json", bundle(site.provenance(), key("stranger")))
    site.publish("--in", "a.sigstore.json")
    site.configure()
    assert site.check().code == 11


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"junk", "not JSON"),
        (b"{}", "neither a DSSE envelope nor a Sigstore bundle"),
        (encode({"mediaType": "application/vnd.dev.sigstore.bundle.v0.9+json"}), "bundle version"),
    ],
)
def test_d4_what_is_no_bundle_is_not_published(site: Site, data: bytes, message: str) -> None:
    site.put("in/a.sigstore.json", bundle(site.provenance(), key("builder")))
    site.put("in/b.sigstore.json", data)
    done = site.run("publish", "--in", "in", "--subject", site.reference)
    assert done.code == 5
    assert message in done.err
    assert site.run("pull", site.reference, "--out", "pulled").code == 10, "nothing was sent, not even the good one"


def test_d4_other_media_types_are_not_pulled(site: Site) -> None:
    site.registry.attach(site.image, b"\x7fELF", "application/octet-stream")
    done = site.run("pull", site.reference, "--out", "pulled", "--format", "json")
    assert done.code == 10
    (reason,) = json.loads(done.out)["skipped"].values()
    assert reason == "not a bundle but 'application/octet-stream'"


def test_the_limit_of_bytes_holds_while_reading(site: Site) -> None:
    site.put("a.sigstore.json", bundle(site.provenance(), key("builder")))
    site.publish("--in", "a.sigstore.json")
    site.configure()
    with (site.root / "gate.yaml").open("a") as file:
        file.write("limits: {evidence_bytes: 100}\n")
    done = site.check()
    assert done.code == 3
    assert "raise limits.evidence_bytes" in done.err


def test_the_limit_of_number_holds_while_reading(site: Site) -> None:
    for name in "ab":
        site.put(f"in/{name}.sigstore.json", bundle(site.provenance(builder=f"https://{name}.example"), key("builder")))
    site.publish("--in", "in")
    site.configure()
    with (site.root / "gate.yaml").open("a") as file:
        file.write("limits: {evidence_count: 1}\n")
    done = site.check()
    assert done.code == 3
    assert "more than 1 manifests" in done.err


def test_a_tag_that_is_no_index_is_not_overwritten(site: Site) -> None:
    tag = site.image.replace(":", "-")
    path = f"/v2/{REPOSITORY}/manifests/{tag}"
    site.registry.put_image(tag, b"an image of that name")
    before = site.registry.call("GET", path, Accept=MANIFEST)
    site.put("a.sigstore.json", bundle(site.provenance(), key("builder")))
    done = site.run("publish", "--in", "a.sigstore.json", "--subject", site.reference)
    assert done.code == (0 if site.registry.has_api else 5), done.text
    assert before[0] == 200
    assert site.registry.call("GET", path, Accept=MANIFEST)[2] == before[2]


def test_the_program_itself_publishes_and_pulls(site: Site) -> None:
    site.put("a.sigstore.json", bundle(site.provenance(), key("builder")))
    for arguments in (["publish", "--in", "a.sigstore.json", "--oci"], ["pull", "--out", "pulled"]):
        done = gate(*arguments, site.reference, cwd=site.root)
        assert done.code == 0, done.text
