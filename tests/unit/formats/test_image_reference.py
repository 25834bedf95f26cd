"""References by the grammar of the distribution specification, in one canonical form (OCI-11, OCI-12)."""

from __future__ import annotations

import pytest

from gate.formats.image_reference import (
    LayoutReference,
    Repository,
    image_digest,
    parse_image,
    parse_layout,
    parse_repository,
)
from gate.model.digest import Digest

HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "registry", "name", "tag"),
    [
        ("alpine", "docker.io", "library/alpine", None),
        ("alpine:3", "docker.io", "library/alpine", "3"),
        ("acme/app", "docker.io", "acme/app", None),
        ("docker.io/alpine", "docker.io", "library/alpine", None),
        ("index.docker.io/acme/app", "docker.io", "acme/app", None),
        ("registry-1.docker.io/acme/app", "docker.io", "acme/app", None),
        ("ghcr.io/org/img:v1", "ghcr.io", "org/img", "v1"),
        ("GHCR.io/org/img", "ghcr.io", "org/img", None),
        ("evil.io/ghcr.io/org/img", "evil.io", "ghcr.io/org/img", None),
        ("localhost/a", "localhost", "a", None),
        ("localhost:5000/a", "localhost:5000", "a", None),
        ("host:5000/a:5", "host:5000", "a", "5"),
        ("host/a", "docker.io", "host/a", None),
        ("127.0.0.1:5000/a/b", "127.0.0.1:5000", "a/b", None),
        ("[2001:db8::1]:5000/a", "[2001:db8::1]:5000", "a", None),
        ("a:5", "docker.io", "library/a", "5"),
    ],
)
def test_the_registry_is_told_from_the_name(text: str, registry: str, name: str, tag: str | None) -> None:
    for reference in (text, f"{text}@sha256:{HEX}"):
        found = parse_image(reference)
        assert (found.repository, found.tag) == (Repository(registry, name), tag)
        assert found.digest == (f"sha256:{HEX}" if "@" in reference else None)
        assert parse_image(str(found.repository)).repository == found.repository


@pytest.mark.parametrize(
    "text",
    [
        "",
        "UPPER",
        "a b",
        "a/",
        "/a",
        "a//b",
        "a..b",
        "-a",
        "a_-b",
        "host:0/a",
        "host:65536/a",
        "host:5000/A",
        "ghcr.io/../x",
        "ghcr.io/a:",
        "ghcr.io/a@sha256:" + "A" * 64,
        "ghcr.io/a@sha256:" + "a" * 63,
        "ghcr.io/a@sha256:" + "a" * 65,
        "ghcr.io/a@md5:" + "a" * 32,
        "ghcr.io/a@sha512:" + "a" * 128,
        "https://ghcr.io/a",
        "user@ghcr.io/a",
        "g\u04bbcr.io/a",
        "ghcr.io/" + "a" * 300,
        "a" * 2000,
        "ghcr.io/a\n",
        "Ghcr_io/a",
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_image(text)


def test_other_digests_pin_for_others() -> None:
    assert image_digest("ghcr.io/a@sha512:" + "a" * 128) is None


@pytest.mark.parametrize("text", ["ghcr.io/a:v1", f"ghcr.io/a@sha256:{HEX}", f"ghcr.io/a:1@sha256:{HEX}"])
def test_a_repository_has_neither_tag_nor_digest(text: str) -> None:
    with pytest.raises(ValueError, match="neither tag nor digest"):
        parse_repository(text)


class TestLayouts:
    def test_a_layout_has_a_path_and_a_digest(self) -> None:
        text = "oci-layout:images/my app@2@sha256:" + "a" * 64
        assert parse_layout(text) == LayoutReference("images/my app@2", Digest("sha256:" + "a" * 64))
        assert image_digest(text) == "sha256:" + "a" * 64

    @pytest.mark.parametrize("text", ["ghcr.io/a", "oci-layout", "oci-layout/a:v1", "docker.io/library/oci-layout:v1"])
    def test_other_references_are_none(self, text: str) -> None:
        assert parse_layout(text) is None

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("oci-layout:", "has no digest"),
            ("oci-layout:images", "has no digest"),
            ("oci-layout:images:latest", "has no digest"),
            ("oci-layout:images@sha256:" + "A" * 64, "has no digest"),
            ("oci-layout:images@sha256:" + "a" * 63, "has no digest"),
            ("oci-layout:images@sha512:" + "a" * 128, "has no digest"),
            ("oci-layout:sha256:" + "a" * 64, "has no digest"),
            ("oci-layout:" + "a" * 1000 + "@sha256:" + "a" * 64, "has no digest"),
            ("oci-layout:@sha256:" + "a" * 64, "relative to the root"),
            ("oci-layout:/etc@sha256:" + "a" * 64, "relative to the root"),
            ("oci-layout:a/../../b@sha256:" + "a" * 64, "relative to the root"),
            ("oci-layout:a//b@sha256:" + "a" * 64, "relative to the root"),
            ("oci-layout:a\nb@sha256:" + "a" * 64, "relative to the root"),
            ("oci-layout:a\\b@sha256:" + "a" * 64, "relative to the root"),
        ],
    )
    def test_what_looks_like_a_layout_and_is_none_is_refused(self, text: str, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            parse_layout(text)

    def test_a_layout_is_no_image_in_a_registry(self) -> None:
        with pytest.raises(ValueError, match="a layout on disk"):
            parse_image("oci-layout:app@sha256:" + "a" * 64)
