"""What cosign attached to an image is judged: in real registries, and in a layout on disk without any registry."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gate.formats.oci import MANIFEST
from gate.model.digest import Digest
from tests.acceptance.world import NOW, Done, inside
from tests.support.layouts import (
    CONFIG,
    ENVELOPE,
    SIGNATURE,
    SIMPLE_SIGNING,
    STATEMENT,
    LayoutFolder,
    b64,
    simple_signing,
)
from tests.support.registries import Registry
from tools.scenario_evidence import bundle, envelope, key, provenance

_NUMBERS = itertools.count()
OTHER = "sha256:" + "1" * 64
SIGNED_ARTIFACT = ("container.signed",)


def write_gate(
    root: Path, image: str, *controls: str, evidence: str = "oci: {artifact: server}", more: str = ""
) -> None:
    """A gate.yaml that asks of the image what the controls say."""
    modes = ("artifact.pinned", "evidence.accepted", *controls)
    (root / "keys").mkdir(exist_ok=True)
    for name in ("builder", "release"):
        (root / "keys" / f"{name}.pub").write_bytes(key(name).pem)
    profile = "name: own\ndescription: Test.\ncontrols:\n" + "".join(f"  {name}: {{mode: enforce}}\n" for name in modes)
    (root / "profile.yaml").write_text(profile)
    (root / "gate.yaml").write_text(
        "version: 1\ntarget: deployment\nenvironment: production\nprofile: profile.yaml\n"
        f'artifacts:\n  server: {{kind: container, image: "{image}"}}\n'
        f"evidence:\n  - {evidence}\n"
        'trust:\n  signers:\n    builder: {key: keys/builder.pub, claims: ["build.*"]}\n'
        '    release: {key: keys/release.pub, claims: ["artifact.signature"]}\n' + more
    )


def check(root: Path, *arguments: str) -> Done:
    return inside("check", "--format", "json", "--now", NOW, "--root", str(root), *arguments)


def codes(done: Done) -> set[str]:
    """Why evidence was rejected."""
    return {item["code"] for item in done.decision["rejected"].values()} if "rejected" in done.decision else set()


def about(digest: str, name: str = "server") -> list[dict[str, Any]]:
    return [{"name": name, "digest": {"sha256": digest.partition(":")[2]}}]


@dataclass(frozen=True)
class Site:
    """A registry with an image, and a folder of a release that holds it."""

    registry: Registry
    root: Path
    image: Digest

    def layer(self, data: bytes, kind: str, **annotations: str) -> dict[str, Any]:
        return {"mediaType": kind, **self.registry.put_blob(data), "annotations": annotations}

    def signature(self, digest: str = "", signer: str = "release") -> dict[str, Any]:
        payload = simple_signing(digest or self.image)
        return self.layer(payload, SIMPLE_SIGNING, **{SIGNATURE: b64(key(signer).sign(payload))})

    def attestation(self, digest: str = "", signer: str = "builder") -> dict[str, Any]:
        return self.layer(envelope(provenance(about(digest or self.image)), key(signer)), ENVELOPE, **{SIGNATURE: ""})

    def tag(self, suffix: str, *layers: Mapping[str, Any], image: str = "") -> None:
        config = {"mediaType": CONFIG, **self.registry.put_blob(b"{}")}
        document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": list(layers)}
        self.registry.put_manifest(document, reference=(image or self.image).replace(":", "-") + suffix)

    def configure(self, *controls: str) -> None:
        write_gate(self.root, f"{self.registry.repository}@{self.image}", *controls)


@pytest.fixture(scope="module", params=["debian", "cue"])
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry(tmp_path_factory.mktemp("registry"), request.param) as running:
        yield running


@pytest.fixture
def site(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    return Site(registry, tmp_path, registry.put_image("v1", f"attached {next(_NUMBERS)}".encode()))


class TestRegistry:
    def test_what_cosign_attached_is_approved(self, site: Site) -> None:
        site.configure("container.signed", "container.provenance")
        assert check(site.root).code == 10
        site.tag(".sig", site.signature())
        site.tag(".att", site.attestation())
        done = check(site.root)
        assert done.code == 0, done.text
        site.tag(".sig", site.layer(b"{}", "text/html"))
        assert check(site.root).code == 10, "without the signature it is missing again"

    def test_a_signature_of_another_image_under_this_tag_is_no_signature_of_this_one(self, site: Site) -> None:
        """The tag says which image is meant; what is signed says which one it is."""
        site.configure("container.signed")
        site.tag(".sig", site.signature(OTHER))
        done = check(site.root)
        assert done.code == 10, done.text
        assert done.failing == {"container.signed"}

    def test_an_attestation_of_another_image_under_this_tag_is_none_of_this_one(self, site: Site) -> None:
        site.configure("container.provenance")
        site.tag(".att", site.attestation(OTHER))
        done = check(site.root)
        assert done.code == 10, done.text

    def test_two_payloads_that_disagree_do_not_help_each_other(self, site: Site) -> None:
        """A trusted signature of another image, and a payload about this one that somebody else signed."""
        site.configure("container.signed")
        site.tag(".sig", site.signature(OTHER), site.signature(signer="stranger"))
        done = check(site.root)
        assert done.code == 11, done.text

    def test_a_signature_beside_another_payload_is_no_signature(self, site: Site) -> None:
        site.configure("container.signed")
        good, payload = site.signature(OTHER), simple_signing(site.image)
        site.tag(".sig", site.layer(payload, SIMPLE_SIGNING, **good["annotations"]))
        done = check(site.root)
        assert done.code == 11, done.text

    def test_one_good_signature_among_those_of_other_images_counts(self, site: Site) -> None:
        site.configure("container.signed")
        site.tag(".sig", site.signature(OTHER), site.signature(), site.signature("sha256:" + "2" * 64))
        done = check(site.root)
        assert done.code == 0, done.text

    def test_a_signer_of_builds_may_not_sign_images(self, site: Site) -> None:
        site.configure("container.signed")
        site.tag(".sig", site.signature(signer="builder"))
        assert check(site.root).code == 11

    def test_pull_writes_attestations_and_says_why_not_signatures(self, site: Site) -> None:
        site.tag(".sig", site.signature())
        item = bundle(provenance(about(site.image)), key("builder"))
        site.registry.attach(site.image, item, "application/vnd.dev.sigstore.bundle.v0.3+json")
        out = site.root / "pulled"
        done = inside("pull", f"{site.registry.repository}@{site.image}", "--out", str(out), "--format", "json")
        assert done.code == 0, done.text
        assert [path.read_bytes() for path in out.iterdir()] == [item]
        (reason,) = json.loads(done.out)["skipped"].values()
        assert reason.startswith("cosign's signature of an image has no file")


class TestLayout:
    @pytest.fixture
    def layout(self, tmp_path: Path) -> LayoutFolder:
        return LayoutFolder(tmp_path / "image")

    @staticmethod
    def configure(layout: LayoutFolder, *controls: str, **more: str) -> None:
        write_gate(layout.folder.parent, f"oci-layout:image@{layout.digest}", *controls, **more)

    def test_image_and_evidence_are_judged_without_a_registry(self, layout: LayoutFolder) -> None:
        self.configure(layout, "container.signed", "container.provenance")
        root = layout.folder.parent
        assert check(root).code == 10
        layout.name(layout.attached(layout.signature(key("release"))), ".sig")
        assert check(root).code == 10
        layout.list(layout.referrer(bundle(provenance(about(layout.digest)), key("builder"))))
        done = check(root)
        assert done.code == 0, done.text
        assert inside("verify", "--now", NOW, "--root", str(root)).code == 0

    @pytest.mark.parametrize("what", ["image", "config", "layer"])
    @pytest.mark.parametrize("how", ["missing", "altered"])
    def test_a_part_of_the_image_that_is_missing_or_altered_is_exit_3(
        self, layout: LayoutFolder, what: str, how: str
    ) -> None:
        self.configure(layout, "container.signed")
        layout.name(layout.attached(layout.signature(key("release"))), ".sig")
        path = layout.blob({"image": layout.image, "config": layout.config, "layer": layout.layers[1]}[what])
        data = path.read_bytes()
        path.unlink()
        if how == "altered":
            path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
        for done in (check(layout.folder.parent), inside("verify", "--now", NOW, "--root", str(layout.folder.parent))):
            assert done.code == 3, done.text
            assert "copy the image again" in done.err
        path.write_bytes(data)
        assert check(layout.folder.parent).code == 0

    def test_evidence_of_one_platform_does_not_cover_the_index(self, layout: LayoutFolder) -> None:
        platform = layout.digest
        statement = envelope(provenance(about(platform)), key("builder"))
        inner = layout.attached(layout.put(statement, STATEMENT))
        marks = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": platform}
        layout.image = layout.put_index(layout.image, {**inner, "annotations": marks})
        layout.index = [layout.image]
        layout.name(layout.attached(layout.signature(key("release"), platform)), ".sig")
        self.configure(layout, "container.signed", "container.provenance")
        done = check(layout.folder.parent)
        assert done.code == 10, done.text
        assert done.failing == {"container.signed", "container.provenance"}

    def test_evidence_of_the_index_does_not_cover_one_platform(self, layout: LayoutFolder) -> None:
        index = layout.put_index(layout.image)
        layout.index = [index]
        layout.name(layout.attached(layout.signature(key("release"), index["digest"])), ".sig")
        self.configure(layout, "container.signed")
        assert check(layout.folder.parent).code == 10

    def test_a_statement_that_nobody_signed_is_listed_as_skipped(self, layout: LayoutFolder) -> None:
        statement = provenance(about(layout.digest))
        inner = layout.attached(layout.put(statement, STATEMENT), subject=layout.image)
        layout.list(inner)
        self.configure(layout, "container.provenance")
        done = check(layout.folder.parent)
        assert done.code == 10
        assert (
            "a statement that nobody signed is no evidence"
            in inside("verify", "--now", NOW, "--root", str(layout.folder.parent)).text
        )

    def test_the_folder_of_evidence_counts_for_it_too(self, layout: LayoutFolder) -> None:
        (layout.folder.parent / "evidence").mkdir()
        path = layout.folder.parent / "evidence" / "a.sigstore.json"
        path.write_bytes(bundle(provenance(about(layout.digest)), key("builder")))
        self.configure(layout, "container.provenance", evidence="directory: evidence")
        done = check(layout.folder.parent)
        assert done.code == 0, done.text

    def test_a_registry_may_hold_the_evidence_of_a_layout(self, layout: LayoutFolder, site: Site) -> None:
        site.tag(".sig", site.signature(layout.digest), image=layout.digest)
        repository = site.registry.repository
        self.configure(layout, "container.signed", evidence=f"oci: {{artifact: server, repository: {repository}}}")
        done = check(layout.folder.parent)
        assert done.code == 0, done.text

    @pytest.mark.parametrize(
        ("image", "evidence", "message"),
        [
            ("oci-layout:image", "oci: {artifact: server}", "has no digest: a layout is named as"),
            ("oci-layout:image@sha256:12", "oci: {artifact: server}", "has no digest: a layout is named as"),
            (f"oci-layout:../image@{OTHER}", "directory: x", "the path of a layout is relative to the root"),
            (f"oci-layout:/image@{OTHER}", "oci: {artifact: server}", "the path of a layout is relative to the root"),
            (f"oci-layout:image@{OTHER}", "oci: {artifact: server, insecure: true}", "lies in a layout on disk"),
        ],
    )
    def test_what_is_no_layout_is_exit_2(self, layout: LayoutFolder, image: str, evidence: str, message: str) -> None:
        write_gate(layout.folder.parent, image, "container.signed", evidence=evidence)
        done = check(layout.folder.parent)
        assert done.code == 2, done.text
        assert message in done.err

    @pytest.mark.parametrize("command", [["pull", "--out", "x"], ["publish", "--in", ".", "--oci"]])
    def test_commands_of_registries_say_that_a_layout_is_none(self, layout: LayoutFolder, command: list[str]) -> None:
        done = inside(*command, f"oci-layout:image@{layout.digest}")
        assert done.code == 2, done.text
        assert "is a layout on disk, not an image in a registry" in done.err
