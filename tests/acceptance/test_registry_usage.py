"""`gate publish` and `gate pull` used wrongly, or on what they must not touch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.cli.main import COMMANDS
from tests.acceptance.world import inside
from tests.support.hostile_registry import BUNDLE, HostileRegistry
from tests.support.liar import Authority, server_context
from tools.scenario_evidence import bundle, encode, envelope, key, provenance

ABOUT = [{"name": "server", "digest": {"sha256": "1" * 64}}]
GOOD = bundle(provenance(ABOUT), key("builder"))
UNSIGNED = {**json.loads(GOOD), "dsseEnvelope": {**json.loads(GOOD)["dsseEnvelope"], "signatures": []}}
PINNED = "registry.example/a@sha256:" + "1" * 64


@pytest.fixture
def registry() -> Iterator[HostileRegistry]:
    with HostileRegistry() as running:
        yield running


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "good.sigstore.json"
    path.parent.mkdir()
    path.write_bytes(GOOD)
    return path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "by --subject with its digest, or by --oci"),
        (["--subject", PINNED, "--oci", PINNED], "by --subject with its digest, or by --oci"),
        (["--subject", "registry.example/a:v1"], "has no digest, and a tag may change"),
        (["--subject", "no image"], "not an image reference"),
        (["--oci", PINNED, "--repository", "registry.example/b:v1"], "neither tag nor digest"),
        (["--oci", PINNED, "--insecure", "--ca", "x"], "no certificate to check"),
        (["--oci", PINNED, "--ca", "/no/such/file"], "--ca: cannot read"),
        (["--oci", PINNED, "--token-host", "https://x"], "is not a host"),
        (["--oci", PINNED, "--timeout", "0"], "not in the range"),
    ],
)
def test_wrong_usage_is_exit_2(good: Path, arguments: list[str], message: str) -> None:
    done = inside("publish", "--in", str(good), *arguments)
    assert done.code == 2
    assert message in done.err


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (envelope(provenance(ABOUT), key("builder")), "no signed Sigstore bundle v0.3"),
        (bundle(b"{}", key("builder")), "is not published"),
        (
            bundle(provenance(ABOUT), key("builder")).replace(b'"signatures":[{', b'"signatures":[],"x":[{'),
            "is not published",
        ),
        (
            encode({**json.loads(GOOD), "dsseEnvelope": {**json.loads(GOOD)["dsseEnvelope"], "signatures": []}}),
            "no signed",
        ),
        (b"", "is not published"),
        (b"\x7fELF", "is not published"),
    ],
)
def test_d4_what_is_no_signed_bundle_is_exit_5_and_nothing_is_sent(
    good: Path, registry: HostileRegistry, data: bytes, message: str
) -> None:
    (good.parent / "bad.sigstore.json").write_bytes(data)
    done = inside("publish", "--in", str(good.parent), "--oci", registry.reference)
    assert done.code == 5
    assert message in done.err
    assert registry.requests == []


def test_links_and_folders_without_bundles_are_refused(good: Path, tmp_path: Path) -> None:
    (tmp_path / "link.sigstore.json").symlink_to(good)
    (tmp_path / "empty").mkdir()
    for path, message in (("link.sigstore.json", "is a link"), ("empty", "holds no file named")):
        done = inside("publish", "--in", str(tmp_path / path), "--oci", PINNED)
        assert done.code == 5
        assert message in done.err


def test_a_folder_that_cannot_be_read(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    done = inside("publish", "--in", str(good.parent), "--oci", PINNED)
    assert (done.code, "Permission denied" in done.err) == (5, True)


@pytest.mark.parametrize("image", ["{host}/team/app:absent", "{host}/team/app@sha256:" + "0" * 64, "{host}/other"])
def test_an_image_that_is_not_there_is_exit_5(good: Path, registry: HostileRegistry, image: str) -> None:
    done = inside("publish", "--in", str(good), "--oci", image.format(host=registry.host))
    assert done.code == 5
    assert "there is no image" in done.err


def test_a_registry_that_fails_is_exit_5_for_publish_and_3_for_pull(good: Path, registry: HostileRegistry) -> None:
    registry.behave = lambda asked: asked.say(400)
    assert inside("publish", "--in", str(good), "--oci", registry.reference).code == 5
    out = good.parent / "out"
    assert inside("pull", registry.reference, "--out", str(out)).code == 3
    assert not out.exists()


def test_what_is_no_bundle_inside_is_skipped_by_pull(tmp_path: Path, registry: HostileRegistry) -> None:
    registry.attach(envelope(provenance(ABOUT), key("builder")))
    registry.attach(GOOD)
    done = inside("pull", registry.reference, "--out", str(tmp_path / "out"), "--format", "json")
    assert done.code == 0, done.text
    found = json.loads(done.out)
    assert sorted(reason.partition(":")[0] for reason in found["skipped"].values()) == [
        "no bundle",
        "no bundle that the gate reads",
    ]
    assert [path.read_bytes() for path in (tmp_path / "out").iterdir()] == [GOOD]
    assert BUNDLE not in {path.read_bytes() for path in (tmp_path / "out").iterdir()}


def test_pulling_again_writes_the_same(tmp_path: Path, registry: HostileRegistry) -> None:
    registry.attach(GOOD)
    for _ in range(2):
        assert inside("pull", registry.reference, "--out", str(tmp_path / "out")).code == 0
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_pull_needs_a_folder_that_can_be_written(tmp_path: Path, registry: HostileRegistry) -> None:
    registry.attach(GOOD)
    (tmp_path / "file").write_text("x")
    done = inside("pull", registry.reference, "--out", str(tmp_path / "file" / "below"))
    assert done.code == 5


def test_an_authority_of_its_own(tmp_path: Path, good: Path) -> None:
    authority = Authority(tmp_path)
    with HostileRegistry(tls=server_context(*authority.issue("registry", "127.0.0.1"))) as registry:
        done = inside("publish", "--in", str(good), "--oci", registry.reference, "--ca", str(authority.path))
        assert done.code == 0, done.text
        out = str(tmp_path / "out")
        assert inside("pull", registry.reference, "--out", out, "--ca", str(authority.path)).code == 0


def test_both_are_commands() -> None:
    assert {"publish", "pull"} <= COMMANDS.keys()
