"""A real Sigstore, and cosign as the judge of what the gate makes: `make test-slow`.

Fulcio, Rekor v2 and the timestamp authority run on loopback; verification reads nothing but the pinned root.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gate.model.evidence import TimeSource
from tests.acceptance.world import Done, gate
from tests.support.evidence import SLSA, digest_of, encode, only_rejected, provenance, signer, trust, verify
from tests.support.keyless import admitted, keyless, keyless_trust
from tests.support.sigstore_stack import MAIL, REPOSITORY, SUBJECT, Stack, running
from tools import build

CONTENT = b"weights"
STATEMENT = provenance({"model.bin": digest_of(CONTENT)})
GENERIC = "urn:promotion-gate:predicate:approval:v1"


@pytest.fixture(scope="module")
def programs() -> Path:
    return build.program("sigparts")


@pytest.fixture(scope="module")
def stack(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(programs, tmp_path_factory.mktemp("stack")) as found:
        (found.folder / "trust.json").write_bytes(encode(found.trust_config()))
        (found.folder / "root.json").write_bytes(encode(found.trusted_root()))
        (found.folder / "signing.json").write_bytes(encode(found.signing_config()))
        (found.folder / "model.bin").write_bytes(CONTENT)
        (found.folder / "statement.json").write_bytes(STATEMENT)
        yield found


def sign(stack: Stack, out: str, key: str = "", *, workflow: bool = True) -> Path:
    stack.workflow = workflow
    key = key or f"sigstore:?trust_config={stack.folder}/trust.json"
    arguments = ["sign", "statement.json", "--key", key, "--out", out]
    done = gate(*arguments, cwd=stack.folder, environment=stack.environment)
    assert done.code == 0, done.text
    return stack.folder / out


def cosign(programs: Path, stack: Stack, *arguments: str) -> Done:
    environment = {"PATH": os.environ["PATH"], "HOME": str(stack.folder), "COSIGN_PASSWORD": ""}
    done = subprocess.run(
        [str(programs / "cosign"), *arguments],
        cwd=stack.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def store(stack: Stack, subject: str = SUBJECT, issuer: str = "", repository: str | None = None) -> Any:
    name = keyless("release", subject, issuer or f"{stack.issuer}/actions", repository)
    return keyless_trust(name, root=encode(stack.trusted_root()), now_s=int(time.time()))


def judged_by_cosign(programs: Path, stack: Stack, bundle: Path, identity: str, issuer: str) -> Done:
    who = ["--certificate-identity", identity, "--certificate-oidc-issuer", issuer]
    what = ["--bundle", str(bundle), "--trusted-root", "root.json", "--type", SLSA, "model.bin"]
    return cosign(programs, stack, "verify-blob-attestation", *who, *what)


def test_a_workflow_signs_and_is_verified(stack: Stack) -> None:
    bundle = json.loads(sign(stack, "workflow.sigstore.json").read_bytes())
    found = admitted(bundle, store(stack, repository=REPOSITORY))
    assert found.signers[0].subject == SUBJECT
    assert (found.time_source, found.log_included) == (TimeSource.TIMESTAMP_AUTHORITY, True)
    other = only_rejected(verify(encode(bundle), store=store(stack, repository="https://github.com/mallory/model")))
    assert other.code == "signature.keyless_repository"


def test_a_person_signs_and_is_verified(stack: Stack) -> None:
    bundle = json.loads(sign(stack, "person.sigstore.json", workflow=False).read_bytes())
    assert admitted(bundle, store(stack, MAIL, stack.issuer)).signers[0].subject == MAIL
    other = only_rejected(verify(encode(bundle), store=store(stack, MAIL)))
    assert other.code == "signature.keyless_issuer"


@pytest.mark.parametrize("workflow", [True, False])
def test_cosign_accepts_what_an_identity_signs(programs: Path, stack: Stack, *, workflow: bool) -> None:
    bundle = sign(stack, f"cosign-{workflow}.sigstore.json", workflow=workflow)
    identity = SUBJECT if workflow else MAIL
    issuer = stack.issuer_of_tokens
    done = judged_by_cosign(programs, stack, bundle, identity, issuer)
    assert done.code == 0, done.text
    assert judged_by_cosign(programs, stack, bundle, "mallory@example.test", issuer).code != 0


@pytest.mark.parametrize("kind", ["p256", "ed25519"])  # it verifies every ECDSA key with SHA-256, also P-384
def test_cosign_accepts_what_a_key_signs(programs: Path, stack: Stack, kind: str) -> None:
    keys = ["--private", f"{kind}.key", "--public", f"{kind}.pub"]
    assert gate("keygen", "--type", kind, "--no-passphrase", *keys, cwd=stack.folder).code == 0
    bundle = sign(stack, f"{kind}.sigstore.json", f"{kind}.key")
    what = ["--bundle", str(bundle), "--insecure-ignore-tlog", "--type", SLSA, "model.bin"]
    done = cosign(programs, stack, "verify-blob-attestation", "--key", f"{kind}.pub", *what)
    assert done.code == 0, done.text


def test_what_cosign_signs_for_an_identity_is_accepted(programs: Path, stack: Stack) -> None:
    stack.workflow = True
    what = ["--statement", "statement.json", "--bundle", "theirs.json", "--yes", "model.bin"]
    instance = ["--trusted-root", "root.json", "--signing-config", "signing.json", "--identity-token", "token"]
    (stack.folder / "token").write_text(stack.token())
    done = cosign(programs, stack, "attest-blob", *instance, *what)
    assert done.code == 0, done.text
    bundle = (stack.folder / "theirs.json").read_bytes()
    found = admitted(json.loads(bundle), store(stack, repository=REPOSITORY))
    assert found.statement.subjects[0].digest == digest_of(CONTENT)


def test_what_cosign_signs_with_a_key_is_accepted(programs: Path, stack: Stack) -> None:
    assert cosign(programs, stack, "generate-key-pair", "--output-key-prefix", "theirs").code == 0
    what = ["--statement", "statement.json", "--bundle", "keyed.json", "--yes", "model.bin"]
    done = cosign(programs, stack, "attest-blob", "--key", "theirs.key", "--signing-config", "signing.json", *what)
    assert done.code == 0, done.text
    public = (stack.folder / "theirs.pub").read_bytes()
    release = signer("release", claims=("build.provenance",))
    release = type(release)(**{**{n: getattr(release, n) for n in type(release).__slots__}, "key_pem": public})
    found = admitted(json.loads((stack.folder / "keyed.json").read_bytes()), trust(release))
    assert found.signers[0].kind == "key"
