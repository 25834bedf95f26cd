"""OCI layouts on disk: an image is whole or refused, and what is attached to it is evidence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gate.collect.directory import collect_artifact
from gate.collect.layout import check_image, read_layout
from gate.errors import ConfigError, EvidenceError, GateError, LimitError
from gate.formats.image_reference import LayoutReference
from gate.model.artifact import ArtifactKind
from gate.model.digest import Digest
from gate.model.evidence import Evidence
from gate.model.settings import ArtifactSettings, Limits
from tests.support.layouts import (
    BUNDLE,
    CONFIG,
    ENVELOPE,
    INDEX,
    LAYER,
    MANIFEST,
    SIMPLE_SIGNING,
    STATEMENT,
    LayoutFolder,
    simple_signing,
)
from tools.scenario_evidence import bundle, encode, envelope, key, provenance

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
LIMITS = Limits(evidence_bytes=1 << 16, evidence_count=20, files=50)
GOOD = bundle(provenance([{"name": "app", "digest": {"sha256": "1" * 64}}]), key("builder"))


@pytest.fixture
def layout(tmp_path: Path) -> LayoutFolder:
    (tmp_path / "images").mkdir()
    return LayoutFolder(tmp_path / "images" / "app")


def reference(layout: LayoutFolder, digest: str = "") -> LayoutReference:
    return LayoutReference("images/app", Digest(digest or layout.digest))


def root(layout: LayoutFolder) -> Path:
    return layout.folder.parents[1]


def check(layout: LayoutFolder, digest: str = "", limits: Limits = LIMITS) -> None:
    check_image(root(layout), reference(layout, digest), limits)


def read(layout: LayoutFolder, digest: str = "", limits: Limits = LIMITS) -> tuple[list[Evidence], dict[str, str]]:
    return read_layout(root(layout), reference(layout, digest), limits)


def collected(layout: LayoutFolder, image: str) -> Any:
    settings = ArtifactSettings("server", ArtifactKind.CONTAINER, None, image, None)
    return collect_artifact(root(layout), settings, LIMITS)


class TestImage:
    def test_an_image_that_is_whole_is_an_artifact_like_one_in_a_registry(self, layout: LayoutFolder) -> None:
        found = collected(layout, f"oci-layout:images/app@{layout.digest}")
        assert (found.digest, found.path, found.mutable_reference) == (layout.digest, None, False)
        assert found.reference == f"oci-layout:images/app@{layout.digest}"
        assert found.files == {}

    @pytest.mark.parametrize("image", ["oci-layout:images/app", "oci-layout:../x@sha256:" + "1" * 64, "oci-layout:"])
    def test_what_names_no_layout_is_a_wrong_configuration(self, layout: LayoutFolder, image: str) -> None:
        with pytest.raises(ConfigError, match="artifact server: 'oci-layout:"):
            collected(layout, image)

    def test_an_index_is_whole_with_every_platform(self, layout: LayoutFolder) -> None:
        index = layout.put_index(layout.image, layout.put_index(layout.image))
        layout.index = [index]
        layout.write()
        check(layout, index["digest"])
        check(layout)  # one platform, which is listed inside of the index
        layout.blob(layout.layers[1]).unlink()
        with pytest.raises(EvidenceError, match="does not exist"):
            check(layout, index["digest"])

    def test_the_types_of_docker_are_read_too(self, layout: LayoutFolder) -> None:
        image = {"schemaVersion": 2, "mediaType": DOCKER, "config": layout.config, "layers": layout.layers}
        item = layout.put(encode(image), DOCKER)
        index = layout.put(encode({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": [item]}), DOCKER_LIST)
        layout.index = [index]
        layout.write()
        check(layout, index["digest"])
        check(layout, item["digest"])

    def test_a_manifest_need_not_repeat_its_type(self, layout: LayoutFolder) -> None:
        image = {"schemaVersion": 2, "config": layout.config, "layers": layout.layers}
        item = layout.list(layout.put(encode(image), MANIFEST))
        check(layout, item["digest"])

    def test_layers_are_read_whatever_their_size(self, layout: LayoutFolder) -> None:
        seen: list[int] = []
        large = layout.put(b"x" * (1 << 21), LAYER)
        item = layout.list(layout.put_manifest(config=layout.config, layers=[large, large]))
        check_image(root(layout), reference(layout, item["digest"]), LIMITS, seen.append)
        assert sum(seen) == (1 << 21) + layout.config["size"]

    def test_more_parts_than_the_limit(self, layout: LayoutFolder) -> None:
        with pytest.raises(LimitError, match="more than 3 parts"):
            check(layout, limits=replace(LIMITS, files=3))

    def test_more_indexes_than_the_limit(self, layout: LayoutFolder) -> None:
        layout.index = [layout.put_index(annotations={"n": str(number)}) for number in range(5)]
        layout.write()
        with pytest.raises(LimitError, match="more than 3 parts"):
            check(layout, limits=replace(LIMITS, files=3))


def swapped(layout: LayoutFolder) -> None:
    one, two = (layout.blob(item) for item in layout.layers)
    data = one.read_bytes()
    one.write_bytes(two.read_bytes()[: len(data)])


def linked(layout: LayoutFolder) -> None:
    path = layout.blob(layout.layers[0])
    path.rename(layout.folder / "elsewhere")
    path.symlink_to(layout.folder / "elsewhere")


def linked_manifest(layout: LayoutFolder) -> None:
    path = layout.blob(layout.image)
    path.rename(layout.folder / "elsewhere")
    path.symlink_to(layout.folder / "elsewhere")


def folder_for_manifest(layout: LayoutFolder) -> None:
    layout.blob(layout.image).unlink()
    layout.blob(layout.image).mkdir()


def linked_blobs(layout: LayoutFolder) -> None:
    layout.blobs.rename(layout.folder / "elsewhere")
    layout.blobs.symlink_to(layout.folder / "elsewhere")


def linked_layout(layout: LayoutFolder) -> None:
    layout.folder.rename(layout.folder.parent / "elsewhere")
    layout.folder.symlink_to(layout.folder.parent / "elsewhere")


def pipe(layout: LayoutFolder) -> None:
    layout.blob(layout.layers[0]).unlink()
    os.mkfifo(layout.blob(layout.layers[0]))


def pipe_index(layout: LayoutFolder) -> None:
    (layout.folder / "index.json").unlink()
    os.mkfifo(layout.folder / "index.json")


def of_image(**members: Any) -> Callable[[LayoutFolder], None]:
    """The image's manifest has other members, and is listed with its new digest as if it were the old one."""

    def spoil(layout: LayoutFolder) -> None:
        layout.image = layout.put_manifest(**{"config": layout.config, "layers": layout.layers, **members})
        layout.index = [layout.image]
        layout.write()

    return spoil


def of_index(**changes: Any) -> Callable[[LayoutFolder], None]:
    def spoil(layout: LayoutFolder) -> None:
        layout.index = [{**layout.image, **changes}]
        layout.write()

    return spoil


def written(name: str, data: bytes) -> Callable[[LayoutFolder], None]:
    def spoil(layout: LayoutFolder) -> None:
        (layout.folder / name).write_bytes(data)

    return spoil


def of_manifest(data: bytes, kind: str = MANIFEST) -> Callable[[LayoutFolder], None]:
    """The image is these bytes, described as they are."""

    def spoil(layout: LayoutFolder) -> None:
        layout.image = layout.put(data, kind)
        layout.index = [layout.image]
        layout.write()

    return spoil


def nested_lie(layout: LayoutFolder) -> None:
    """An index that is listed inside of another one as a manifest."""
    inner = layout.put_index(layout.image)
    layout.image = layout.put_index({**inner, "mediaType": MANIFEST})
    layout.index = [layout.image]
    layout.write()


def missing_platform(layout: LayoutFolder) -> None:
    other = {**layout.image, "digest": "sha256:" + "2" * 64}
    layout.image = layout.put_index(layout.image, other)
    layout.index = [layout.image]
    layout.write()


ITEM = {"mediaType": LAYER, "digest": "sha256:" + "3" * 64, "size": 5}
HOSTILE: dict[str, tuple[Callable[[LayoutFolder], object], str]] = {
    "no folder": (lambda it: it.folder.rename(it.folder.parent / "other"), "does not exist"),
    "the folder is a link": (linked_layout, "is a link or a file"),
    "no oci-layout": (lambda it: (it.folder / "oci-layout").unlink(), "has no file 'oci-layout'"),
    "no index": (lambda it: (it.folder / "index.json").unlink(), "has no file 'index.json'"),
    "another version": (written("oci-layout", b'{"imageLayoutVersion":"2.0.0"}'), "is not '1.0.0'"),
    "no version": (written("oci-layout", b"{}"), "is not '1.0.0'"),
    "no JSON for a version": (written("oci-layout", b"1.0.0"), "not strict JSON"),
    "two versions": (
        written("oci-layout", b'{"imageLayoutVersion":"1.0.0","imageLayoutVersion":"1.0.0"}'),
        "not strict JSON",
    ),
    "an index with a key twice": (
        written("index.json", b'{"schemaVersion":2,"manifests":[],"manifests":[]}'),
        "not strict JSON",
    ),
    "an index of 4 MiB and more": (written("index.json", b" " * ((4 << 20) + 1)), "more than the 4194304 bytes"),
    "an index that is a pipe": (pipe_index, "not a regular file"),
    "a manifest for an index": (
        written("index.json", encode({"schemaVersion": 2, "mediaType": MANIFEST, "manifests": []})),
        "not a document of the type",
    ),
    "an image that is not listed": (of_index(digest="sha256:" + "0" * 64), "does not list"),
    "an empty index": (written("index.json", b'{"schemaVersion":2}'), "does not list"),
    "annotations that are no texts": (of_index(annotations={"a": 1}), "annotations that are no texts"),
    "annotations that are a list": (of_index(annotations=["a"]), "annotations that are no texts"),
    "a digest that is a path": (of_index(digest="sha256:../../../../etc/passwd"), "has no sha256 digest"),
    "a digest in capitals": (of_index(digest="sha256:" + "A" * 64), "has no sha256 digest"),
    "a digest of another kind": (of_index(digest="sha512:" + "a" * 128), "has no sha256 digest"),
    "another size of the manifest": (of_index(size=1), "is described as 1 bytes"),
    "another type of the manifest": (of_index(mediaType=INDEX), "is described as"),
    "a type that is none": (of_index(mediaType="text/html"), "is described as"),
    "no manifest": (lambda it: it.blob(it.image).unlink(), "is listed and is not there"),
    "another manifest": (lambda it: it.blob(it.image).write_bytes(b"{}"), "holds other bytes"),
    "the manifest is a link": (linked_manifest, "not a regular file"),
    "the manifest is a folder": (
        folder_for_manifest,
        "not a regular file",
    ),
    "all blobs behind a link": (linked_blobs, "is a link or a file"),
    "a manifest that is no JSON": (of_manifest(b"junk"), "not strict JSON"),
    "a manifest with a key twice": (
        of_manifest(b'{"schemaVersion":2,"layers":[],"layers":[],"config":{}}'),
        "not strict JSON",
    ),
    "a manifest and an index at once": (of_image(manifests=[]), "not clearly either"),
    "neither a manifest nor an index": (of_manifest(b'{"schemaVersion":2}'), "not clearly either"),
    "a manifest that says it is an index": (
        of_manifest(encode({"schemaVersion": 2, "mediaType": INDEX, "layers": [], "config": {}}), INDEX),
        "another type than it says",
    ),
    "an old manifest": (of_manifest(b'{"schemaVersion":1,"layers":[]}'), "not a document of the type"),
    "layers that are no list": (of_image(layers={}), "no list of layers"),
    "a layer without size": (of_image(layers=[{**ITEM, "size": None}]), "has no size"),
    "a layer with a path for a digest": (of_image(layers=[{**ITEM, "digest": "sha256:../x"}]), "no sha256 digest"),
    "no configuration": (of_image(config=None), "config is not a descriptor"),
    "an index for a manifest inside": (nested_lie, "is described as"),
    "a platform is missing": (missing_platform, "is listed and is not there"),
    "a layer is missing": (lambda it: it.blob(it.layers[1]).unlink(), "does not exist"),
    "the configuration is missing": (lambda it: it.blob(it.config).unlink(), "does not exist"),
    "a layer has other bytes": (swapped, "holds other bytes"),
    "a layer is shorter": (lambda it: it.blob(it.layers[0]).write_bytes(b"x"), "has 1 bytes, the image says 11"),
    "a layer is longer": (lambda it: it.blob(it.layers[0]).write_bytes(b"x" * 99), "has 99 bytes, the image says 11"),
    "a layer is a link": (linked, "no regular file"),
    "a layer is a pipe": (pipe, "no regular file"),
    "a layer has two sizes": (
        lambda it: of_image(layers=[it.layers[0], {**it.layers[0], "size": 5}])(it),
        "has 11 bytes, the image says 5",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_s12_an_image_that_is_not_whole_is_refused(layout: LayoutFolder, name: str) -> None:
    spoil, message = HOSTILE[name]
    spoil(layout)
    with pytest.raises(GateError, match=message) as caught:
        check(layout)
    assert caught.value.exit_code == 3


def test_indexes_nested_many_times_end_soon(layout: LayoutFolder) -> None:
    item = layout.image
    for number in range(20):  # 2 ** 20 ways lead to the image
        item = layout.put_index(item, item, annotations={"n": str(number)})
    layout.index = [item]
    layout.write()
    check(layout, item["digest"])
    check(layout)


def test_a_folder_that_cannot_be_searched_is_an_error(layout: LayoutFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("gate.collect.layout.os.lstat", refuse)
    with pytest.raises(EvidenceError, match="Permission denied"):
        check(layout)


class TestEvidence:
    def test_nothing_is_attached(self, layout: LayoutFolder) -> None:
        assert read(layout) == ([], {})

    def test_what_refers_to_the_image_is_evidence(self, layout: LayoutFolder) -> None:
        item = layout.list(layout.referrer(GOOD))
        (found,), skipped = read(layout)
        assert found == Evidence(f"images/app@{item['digest']}", GOOD)
        assert skipped == {}

    def test_other_images_and_what_refers_to_them_are_passed_over(self, layout: LayoutFolder) -> None:
        other = layout.list(layout.put_manifest(config=layout.config, layers=[]))
        layout.list(layout.referrer(GOOD, subject=other))
        assert read(layout) == ([], {})

    def test_the_tag_that_stands_for_the_referrers_api(self, layout: LayoutFolder) -> None:
        bundles = [layout.referrer(GOOD), layout.referrer(b"{}", "application/spdx+json")]
        layout.name(layout.put_index(*bundles, layout.put_index()), "")
        found, skipped = read(layout)
        assert [item.data for item in found] == [GOOD]
        assert set(skipped.values()) == {f"not a bundle but {INDEX!r}", "not a bundle but 'application/spdx+json'"}

    def test_the_same_manifest_listed_twice_counts_once(self, layout: LayoutFolder) -> None:
        item = layout.list(layout.referrer(GOOD))
        layout.name(layout.put_index(item), "")
        assert len(read(layout)[0]) == 1

    def test_a_manifest_for_the_index_of_referrers_is_refused(self, layout: LayoutFolder) -> None:
        layout.name(layout.referrer(GOOD), "")
        with pytest.raises(EvidenceError, match="no index of what refers to an image"):
            read(layout)

    def test_every_layer_under_cosign_s_tags_is_evidence(self, layout: LayoutFolder) -> None:
        one, two = layout.signature(key("builder")), layout.signature(key("release"))
        signed = layout.name(layout.attached(one, two), ".sig")
        statement = envelope(provenance([{"name": "app", "digest": {"sha256": layout.digest[7:]}}]), key("builder"))
        attested = layout.name(layout.attached(layout.put(statement, ENVELOPE)), ".att")
        found, skipped = read(layout)
        assert [(item.origin, item.message) for item in found] == [
            (f"images/app@{signed['digest']}#layers[0]", simple_signing(layout.digest)),
            (f"images/app@{signed['digest']}#layers[1]", simple_signing(layout.digest)),
            (f"images/app@{attested['digest']}#layers[0]", None),
        ]
        assert found[2].data == statement
        assert skipped == {}

    def test_the_whole_name_may_stand_before_a_tag(self, layout: LayoutFolder) -> None:
        item = layout.attached(layout.signature(key("builder")))
        tag = layout.digest.replace(":", "-")
        layout.list(item, org_opencontainers_image_ref_name=f"localhost:5000/team/app:{tag}.sig")
        assert len(read(layout)[0]) == 1

    def test_what_cosign_saved_is_found(self, layout: LayoutFolder) -> None:
        layout.list(layout.attached(layout.signature(key("builder"))), kind="dev.cosignproject.cosign/sigs")
        layout.list(layout.put_manifest(config=layout.config, layers=[]), kind="dev.cosignproject.cosign/image")
        assert len(read(layout)[0]) == 1

    def test_the_tag_of_another_image_is_passed_over(self, layout: LayoutFolder) -> None:
        item = layout.attached(layout.signature(key("builder")))
        layout.list(item, org_opencontainers_image_ref_name=f"sha256-{'1' * 64}.sig")
        assert read(layout) == ([], {})

    def test_an_sbom_that_nobody_signed_is_listed(self, layout: LayoutFolder) -> None:
        item = layout.name(layout.attached(layout.put(b"{}", "text/spdx+json")), ".sbom")
        found, skipped = read(layout)
        assert found == []
        assert skipped[f"images/app@{item['digest']}"].startswith("an SBOM that nobody signed")

    def test_attestations_of_buildkit_are_no_evidence_unless_signed(self, layout: LayoutFolder) -> None:
        statement = provenance([{"name": "app", "digest": {"sha256": "1" * 64}}])
        signed = envelope(statement, key("builder"))
        layers = [layout.put(data, STATEMENT) for data in (statement, signed, GOOD, b"junk", b"[]", b"x" * 70_000)]
        inner = layout.attached(*layers)
        marked = {**inner, "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
        gone = {**marked, "digest": "sha256:" + "4" * 64}
        layout.index = [layout.put_index(layout.image, marked, gone)]
        layout.write()
        found, skipped = read(layout, layout.index[0]["digest"])
        assert [item.data for item in found] == [signed, GOOD]
        origin = f"images/app@{inner['digest']}"
        assert list(skipped) == [*(f"{origin}#layers[{n}]" for n in (0, 3, 4, 5)), f"images/app@{gone['digest']}"]
        assert skipped[f"{origin}#layers[0]"].startswith("a statement that nobody signed is no evidence")
        assert skipped[f"{origin}#layers[5]"].endswith("it was not read, for it has 70000 bytes")
        assert "not there" in skipped[f"images/app@{gone['digest']}"]
        assert read(layout) == ([], {}), "what the index holds is not about one of its platforms"

    def test_the_same_evidence_twice_counts_once(self, layout: LayoutFolder) -> None:
        layer = layout.signature(key("builder"))
        item = layout.name(layout.attached(layer, layer), ".sig")
        found, skipped = read(layout)
        assert len(found) == 1
        origin = f"images/app@{item['digest']}#layers"
        assert skipped == {f"{origin}[1]": f"the same evidence as {origin}[0]"}

    def test_a_signature_that_refers_to_the_image_and_has_a_tag_counts_once(self, layout: LayoutFolder) -> None:
        kind = "application/vnd.dev.cosign.artifact.sig.v1+json"
        item = layout.attached(layout.signature(key("builder")), subject=layout.image, artifactType=kind)
        layout.name(item, ".sig")
        layout.list(item)
        found, skipped = read(layout)
        assert (len(found), skipped) == (1, {})

    def test_more_evidence_than_the_limit(self, layout: LayoutFolder) -> None:
        layers = [layout.put(b"%d" % number, ENVELOPE) for number in range(4)]
        layout.name(layout.attached(*layers), ".att")
        assert len(read(layout, limits=replace(LIMITS, evidence_count=4))[0]) == 4
        with pytest.raises(LimitError, match="more than 3 pieces of evidence"):
            read(layout, limits=replace(LIMITS, evidence_count=3))

    def test_larger_evidence_than_the_limit(self, layout: LayoutFolder) -> None:
        layout.name(layout.attached(layout.put(b"x" * 101, ENVELOPE)), ".att")
        with pytest.raises(LimitError, match="101 bytes, more than the 100"):
            read(layout, limits=replace(LIMITS, evidence_bytes=100))

    @pytest.mark.parametrize(
        ("spoil", "message"),
        [
            (lambda path: path.unlink(), "does not exist"),
            (lambda path: path.write_bytes(b"x"), "holds other bytes"),
            (lambda path: path.write_bytes(b"x" * 9000), "more than the"),
            (lambda path: (path.unlink(), path.symlink_to("/etc/passwd")), "not a regular file"),
        ],
    )
    def test_s30_an_attachment_is_what_it_says_or_an_error(
        self, layout: LayoutFolder, spoil: Callable[[Path], object], message: str
    ) -> None:
        layer = layout.signature(key("builder"))
        layout.name(layout.attached(layer), ".sig")
        spoil(layout.blob(layer))
        with pytest.raises(EvidenceError, match=message):
            read(layout)

    @pytest.mark.parametrize("suffix", [".sig", ".att"])
    def test_other_layers_and_an_index_under_a_tag_are_listed(self, layout: LayoutFolder, suffix: str) -> None:
        layout.name(layout.attached(layout.put(b"x", "text/html")), suffix)
        layout.name(layout.put_index(), suffix)
        found, skipped = read(layout)
        assert found == []
        assert sorted(skipped.values()) == [
            f"cosign's tag names no manifest but {INDEX!r}",
            "not a signature but 'text/html'",
        ]

    def test_a_signature_that_is_none_says_where_and_what_to_do(self, layout: LayoutFolder) -> None:
        item = layout.name(layout.attached(layout.put(b"{}", SIMPLE_SIGNING)), ".sig")
        with pytest.raises(EvidenceError, match=r"#layers\[0\] is attached as cosign attaches signatures") as caught:
            read(layout)
        assert item["digest"] in str(caught.value)
        assert caught.value.hint == "sign the image again, or remove what is attached"

    def test_bundles_of_every_version_are_handed_on(self, layout: LayoutFolder) -> None:
        old = "application/vnd.dev.sigstore.bundle+json;version=0.1"
        layout.list(layout.referrer(b"{}", old))
        (found,), _ = read(layout)
        assert found.data == b"{}"

    def test_what_says_it_is_a_bundle_holds_exactly_one(self, layout: LayoutFolder) -> None:
        two = [layout.put(b"{}", BUNDLE), layout.put(b"[]", BUNDLE)]
        layout.list(layout.referrer(b"{}", layers=two))
        with pytest.raises(EvidenceError, match="does not hold exactly one"):
            read(layout)

    def test_a_list_that_lies_is_an_error(self, layout: LayoutFolder) -> None:
        gone = layout.referrer(GOOD)
        layout.name(layout.put_index(gone), "")
        layout.blob(gone).unlink()
        with pytest.raises(EvidenceError, match="is listed and is not there"):
            read(layout)
        layout.blob(gone).write_bytes(encode({"schemaVersion": 2, "manifests": []}))
        with pytest.raises(EvidenceError, match="holds other bytes"):
            read(layout)

    def test_an_index_that_is_listed_as_a_manifest_is_an_error(self, layout: LayoutFolder) -> None:
        layout.name(layout.put_index({**layout.put_index(), "mediaType": MANIFEST}), "")
        with pytest.raises(EvidenceError, match="is of the type"):
            read(layout)

    def test_an_image_that_is_not_there_has_no_evidence_but_an_error(self, layout: LayoutFolder) -> None:
        with pytest.raises(EvidenceError, match="does not list"):
            read(layout, "sha256:" + "5" * 64)


def test_the_configuration_of_a_layer_is_a_blob_like_others(layout: LayoutFolder) -> None:
    item = layout.list(layout.put_manifest(config=layout.put(b"", CONFIG), layers=[]))
    check(layout, item["digest"])
    assert json.loads((layout.folder / "index.json").read_text())["manifests"][1] == item
