"""What cosign signs and attests with a key, in every form it knows, is judged; and what it saves to a layout."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.collect.oci import read_attached
from gate.model.registry import OciEvidence
from gate.model.settings import Limits
from gate.verify.pipeline import admit_evidence
from tests.acceptance.test_attachments import check
from tests.acceptance.world import inside
from tests.support.keyless import keyless, keyless_trust
from tests.support.registries import Registry
from tests.support.sigstore_stack import SUBJECT, running
from tools import build

OLD = ("--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false")
NEW = ("--signing-config", "signing.json", "--trusted-root", "root.json")
FORMS = {
    "tags": (OLD, {}),
    "bundles": (NEW, {}),
    "referrers": ((*OLD, "--registry-referrers-mode", "oci-1-1"), {"COSIGN_EXPERIMENTAL": "1"}),
}
PREDICATE = {
    "buildDefinition": {"buildType": "https://builder.example/v1", "externalParameters": {}},
    "runDetails": {"builder": {"id": "https://builder.example"}},
}


@pytest.fixture(scope="module")
def programs() -> Path:
    return build.program("sigparts")


@pytest.fixture(scope="module", params=["debian", "cue"])
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry(tmp_path_factory.mktemp("registry"), request.param) as running:
        yield running


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a key of cosign's, and a configuration that asks no service."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    kind = "application/vnd.dev.sigstore"
    (tmp_path / "signing.json").write_text(
        json.dumps({"mediaType": f"{kind}.signingconfig.v0.2+json", "rekorTlogConfig": {}, "tsaConfig": {}})
    )
    (tmp_path / "root.json").write_text(json.dumps({"mediaType": f"{kind}.trustedroot+json;version=0.1"}))
    (tmp_path / "predicate.json").write_text(json.dumps(PREDICATE))
    cosign(programs, tmp_path, "generate-key-pair", "--output-key-prefix", "theirs")
    return tmp_path


def cosign(programs: Path, folder: Path, *arguments: str, **more: str) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "COSIGN_PASSWORD": "", **more}
    done = subprocess.run(
        [str(programs / "cosign"), *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


def configure(folder: Path, image: str, *controls: str) -> None:
    modes = "".join(f"  {name}: {{mode: enforce}}\n" for name in ("artifact.pinned", "evidence.accepted", *controls))
    (folder / "profile.yaml").write_text(f"name: own\ndescription: Test.\ncontrols:\n{modes}")
    (folder / "gate.yaml").write_text(
        "version: 1\ntarget: deployment\nenvironment: production\nprofile: profile.yaml\n"
        f'artifacts:\n  server: {{kind: container, image: "{image}"}}\n'
        "evidence:\n  - oci: {artifact: server}\n"
        'trust:\n  signers:\n    theirs: {key: theirs.pub, claims: ["artifact.signature", "build.*"]}\n'
    )


@pytest.mark.parametrize("form", FORMS)
def test_what_cosign_signs_is_accepted(programs: Path, registry: Registry, folder: Path, form: str) -> None:
    arguments, environment = FORMS[form]
    image = registry.put_image("v1", f"signed {form} {registry.kind}".encode())
    reference = f"{registry.repository}@{image}"
    common = ("--key", "theirs.key", "--yes", "--allow-http-registry")
    configure(folder, reference, "container.signed")
    assert check(folder).code == 10
    cosign(programs, folder, "sign", *common, *arguments, reference, **environment)
    done = check(folder)
    assert done.code == 0, done.text
    if form == "referrers":
        return
    configure(folder, reference, "container.signed", "container.provenance")
    assert check(folder).code == 10
    predicate = ("--type", "slsaprovenance1", "--predicate", "predicate.json")
    cosign(programs, folder, "attest", *common, *arguments, *predicate, reference)
    done = check(folder)
    assert done.code == 0, done.text
    (folder / "theirs.pub").write_bytes((Path(__file__).parents[2] / "fixtures/keys/release.pub").read_bytes())
    assert check(folder).code == 11, "and by nobody else"


def test_what_cosign_saves_is_judged_without_the_registry(programs: Path, registry: Registry, folder: Path) -> None:
    image = registry.put_image("v1", f"saved {registry.kind}".encode())
    reference = f"{registry.repository}@{image}"
    cosign(programs, folder, "sign", "--key", "theirs.key", "--yes", "--allow-http-registry", *OLD, reference)
    cosign(programs, folder, "save", "--dir", "saved", "--allow-http-registry", reference)
    configure(folder, f"oci-layout:saved@{image}", "container.signed")
    done = check(folder)
    assert done.code == 0, done.text
    assert inside("verify", "--now", "2026-11-20T12:00:00Z", "--root", str(folder)).code == 0


def test_what_cosign_signs_for_an_identity_is_accepted(programs: Path, registry: Registry, folder: Path) -> None:
    image = registry.put_image("v1", f"keyless {registry.kind}".encode())
    reference = f"{registry.repository}@{image}"
    (folder / "stack").mkdir()
    with running(programs, folder / "stack") as stack:
        root = json.dumps(stack.trusted_root()).encode()
        (folder / "root.json").write_bytes(root)
        (folder / "signing.json").write_text(json.dumps(stack.signing_config()))
        (folder / "token").write_text(stack.token())
        common = ("--yes", "--allow-http-registry", "--identity-token", "token", *NEW)
        cosign(programs, folder, "sign", *common, reference)
        issuer = stack.issuer_of_tokens
    (item,), skipped = read_attached(folder, OciEvidence("server"), reference, Limits())
    assert skipped == {}
    for subject, count in ((SUBJECT, 1), (f"{SUBJECT}x", 0)):
        trust = keyless_trust(keyless("theirs", subject, issuer, claims=("artifact.signature",)), root=root)
        found = admit_evidence([item], trust, limit=1 << 20).settle({}, {}, lambda _digest, _algorithm: None)
        assert len(found.verified) == count, found.rejected
        assert [subject.digest for item in found.verified for subject in item.statement.subjects] == [image] * count
