"""A model that identities sign, from `gate sign --key sigstore:` to the decision; and whom that does not let in."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from sigstore.models import ClientTrustConfig

from gate.verify import keyless as keyless_module
from tests.acceptance.world import MODEL, NOW, Done, World, gate, inside
from tests.support.sigstore_server import Served, served
from tests.support.virtual_sigstore import ISSUER, REPOSITORY, WORKFLOW, Person, VirtualSigstore
from tools.scenario_draft import config

AT: Final = datetime.fromisoformat(NOW) - timedelta(hours=1)
ROOT: Final = "trust/trusted_root.json"
BUILDER: Final = Person("https://builder.test/acme", "https://builder.test", {})
OURS: Final = VirtualSigstore(now=lambda: AT)
THEIRS: Final = VirtualSigstore(now=lambda: AT)


def root_of(sigstore: VirtualSigstore) -> bytes:
    return json.dumps(sigstore.trusted_root()).encode()


def settings(root: bytes | None, *, signers: str = "", revoked: str = "", more: str = "") -> bytes:
    """A `gate.yaml` that trusts two identities, and a root when there is one."""
    trust = (
        f"    release: {{identity: {{issuer: {ISSUER}, subject: '{WORKFLOW}', source_repository: '{REPOSITORY}'}},"
        f" claims: [artifact.signature]}}\n"
        f"    builder: {{identity: {{issuer: '{BUILDER.issuer}', subject: '{BUILDER.subject}'}},"
        f" claims: ['build.*']}}\n"
    )
    pinned = f"{{trusted_root: {ROOT}, sha256: {hashlib.sha256(root).hexdigest()}}}" if root is not None else ""
    trust += signers + (f"  sigstore: {pinned}\n" if pinned else "") + revoked
    return config(signers={}, trust=trust, more=more)


def world(place: Path, text: bytes | None = None, root: bytes | None = None, **more: Any) -> World:
    """The retrained model in a repository that pins a root; without evidence."""
    root = root_of(OURS) if root is None else root
    base: Mapping[str, bytes] = {ROOT: root}
    return World.make(place / "w", text or settings(root), keys=(), base=base, evidence=False, **more)


def attest(
    found: World, sigstore: VirtualSigstore = OURS, person: Person | None = None, log: str = "v1", at: datetime = AT
) -> None:
    """Keyless evidence for the model as it lies there; `person` signs it in place of whoever should."""
    signed = sigstore.sign(found.signature(), person or Person(), log=log, at=at)
    built = sigstore.sign(found.provenance(), BUILDER, log=log, at=AT)
    found.put("signature.sigstore.json", json.dumps(signed).encode())
    found.put("provenance.sigstore.json", json.dumps(built).encode())


def codes(found: World, exit_code: int = 11) -> set[str]:
    """Why evidence was refused, in a decision with that exit code."""
    done = found.judge()
    assert done.code == exit_code, done.text
    verified = inside("verify", "--root", str(found.root), "--base", "main", "--now", NOW, "--format", "json")
    return {failure["code"] for item in json.loads(verified.out)["items"] for failure in item["failures"]}


@pytest.mark.parametrize("log", ["v1", "v2"])
def test_a_model_that_trusted_identities_sign_is_allowed(tmp_path: Path, log: str) -> None:
    found = world(tmp_path)
    attest(found, log=log)
    done = found.check()
    assert done.code == 0, done.text
    assert done.err == ""
    assert "nobody can prove this identity" not in inside("doctor", "--root", str(found.root)).out


def test_trusted_time_makes_evidence_fresh(tmp_path: Path) -> None:
    root = root_of(OURS)
    more = "parameters: {evidence.fresh: {artifact.signature: 2d}}\n"
    found = world(tmp_path, settings(root, more=more), root)
    attest(found)
    assert found.judge().code == 0
    attest(found, at=AT - timedelta(days=3))
    done = found.judge()
    assert done.code == 13
    assert done.failing == {"evidence.fresh"}
    attest(found, at=AT + timedelta(days=1))
    assert codes(found) == {"signature.keyless_time"}


@pytest.mark.parametrize(
    ("person", "code"),
    [
        (Person("https://forge.test/mallory/model/.forge/workflows/release.yml@refs/heads/main"), "identity"),
        (Person(WORKFLOW.replace("main", "mine")), "identity"),
        (Person(issuer="https://token.actions.example"), "issuer"),
        (Person(WORKFLOW, ISSUER, {12: "https://forge.test/mallory/model"}), "repository"),
        (Person(WORKFLOW, ISSUER, {}), "repository"),
    ],
    ids=["repository of the workflow", "branch", "issuer", "source repository", "no source repository"],
)
def test_s08_who_is_nearly_a_trusted_identity_is_not(tmp_path: Path, person: Person, code: str) -> None:
    found = world(tmp_path)
    attest(found, person=person)
    assert codes(found) == {f"signature.keyless_{code}"}


def test_a_trusted_identity_speaks_for_its_claims_only(tmp_path: Path) -> None:
    found = world(tmp_path)
    attest(found, person=BUILDER)
    assert codes(found) == {"signature.claim"}


def test_s02_an_instance_that_nobody_pinned_proves_nothing(tmp_path: Path) -> None:
    found = world(tmp_path)
    attest(found, THEIRS)
    assert codes(found) == {"signature.keyless_log"}


def test_s02_without_a_pinned_root_the_refusal_says_what_to_configure(tmp_path: Path) -> None:
    found = world(tmp_path, settings(None))
    attest(found)
    assert codes(found) == {"signature.keyless_unconfigured"}
    told = found.run("verify", "--base", "main", "--now", NOW)
    assert told.code == 11
    assert "gate.yaml has no trust.sigstore (trusted_root and sha256)" in told.text


def test_s24_a_change_cannot_bring_its_own_root(tmp_path: Path) -> None:
    theirs = root_of(THEIRS)
    found = world(tmp_path, change={ROOT: theirs, "gate.yaml": settings(theirs)})
    attest(found, THEIRS)
    assert "signature.keyless_log" in codes(found)


def test_a_root_of_other_bytes_is_a_configuration_error(tmp_path: Path) -> None:
    found = world(tmp_path, settings(b"other bytes"))
    attest(found)
    done = found.judge()
    assert done.code == 2
    assert "SHA-256" in done.err


def test_a_root_that_is_none_is_a_configuration_error(tmp_path: Path) -> None:
    found = world(tmp_path, settings(b"{}"), b"{}")
    done = found.judge()
    assert done.code == 2
    assert f"{ROOT}: not a trusted root of Sigstore" in done.err


def test_s07_a_revoked_identity_is_refused(tmp_path: Path) -> None:
    root = root_of(OURS)
    found = world(tmp_path, settings(root, revoked=f"  revoked: {{identities: ['{WORKFLOW}']}}\n"), root)
    attest(found)
    assert codes(found) == {"signature.revoked"}


def forged(bundle: dict[str, Any], material: dict[str, Any]) -> bytes:
    return json.dumps({**bundle, "verificationMaterial": material}).encode()


def test_a02_an_identity_that_somebody_only_claims_is_no_identity(tmp_path: Path) -> None:
    found = world(tmp_path)
    attest(found)
    bundle = THEIRS.sign(found.signature())
    claimed = {"publicKey": {"hint": f"sigstore {ISSUER} {WORKFLOW}"}, "tlogEntries": []}
    found.put("signature.sigstore.json", forged(bundle, claimed))
    assert codes(found) == {"signature.untrusted"}
    certificate = bundle["verificationMaterial"]["certificate"]
    found.put("signature.sigstore.json", forged(bundle, {"certificate": certificate, "tlogEntries": []}))
    assert codes(found) == {"signature.keyless_log"}


@pytest.mark.parametrize("mode", ["banana", "sigstore", "x509", "key"])
def test_a03_a_mode_of_trust_that_does_not_exist_is_none(tmp_path: Path, mode: str) -> None:
    found = world(tmp_path)
    attest(found)
    found.put("signature.sigstore.json", forged(OURS.sign(found.signature()), {mode: {"issuer": ISSUER}}))
    assert codes(found, 14) == {"envelope.material_mode"}


def run(found: World, instance: Served, *arguments: str) -> Done:
    """The program as a CI job of the instance runs it."""
    return gate(*arguments, cwd=found.root, environment=instance.environment)


def test_what_an_identity_signs_is_allowed_end_to_end(tmp_path: Path) -> None:
    with served() as instance:
        root = root_of(instance.sigstore)
        found = world(tmp_path, settings(root), root)
        (tmp_path / "trust.json").write_text(json.dumps(instance.trust_config()), "utf-8")
        key = f"sigstore:?trust_config={tmp_path / 'trust.json'}"
        done = run(found, instance, "sign", MODEL, "--key", key)
        assert done.code == 0, done.text
        assert f"identity  {WORKFLOW} of {ISSUER}" in done.out
        assert done.err == ""
        bundle = found.root / ".gate/attestations/models-summarizer.sigstore.json"
        statement = tmp_path / "provenance.json"
        statement.write_bytes(found.provenance())
        instance.person = BUILDER
        signed = ["sign", str(statement), "--key", key]
        assert run(found, instance, *signed).code == 0
        # Another identity signs the same statement: its bundle lies beside the first.
        instance.person = Person("ann@acme.test")
        assert run(found, instance, *signed).code == 0
        assert run(found, instance, *signed).code == 0
    names = sorted(path.name for path in bundle.parent.iterdir())
    assert len([name for name in names if name.startswith("provenance.")]) == 2
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    judged = found.run("check", "--base", "main", "--format", "json", "--now", now)
    assert judged.code == 11, judged.text
    for name in names:
        if name.startswith("provenance.") and name != "provenance.sigstore.json":
            (bundle.parent / name).unlink()
    assert found.run("check", "--base", "main", "--format", "json", "--now", now).code == 0


def test_without_an_identity_nothing_is_written(tmp_path: Path) -> None:
    found = world(tmp_path)
    with served() as instance:
        (tmp_path / "trust.json").write_text(json.dumps(instance.trust_config()), "utf-8")
        done = found.run("sign", MODEL, "--key", f"sigstore:?trust_config={tmp_path / 'trust.json'}")
    assert done.code == 5
    assert "no identity" in done.err
    assert not (found.root / ".gate/attestations").exists()


def test_a_policy_bundle_is_signed_by_a_key(tmp_path: Path) -> None:
    found = world(tmp_path)
    found.write("policy/README", b"")
    done = found.run("policy", "bundle", "--key", "sigstore:", "--serial", "1", "--out", "policy.tar.gz")
    assert done.code == 5
    assert "a key is needed" in done.err


PAGE: Final = Path(__file__).parents[2] / "docs/how-to/sign-keyless.md"


def test_the_guide_works_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guide = PAGE.read_text("utf-8")
    (snippet,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    lines = [line for block in re.findall(r"```sh\n(.*?)```", guide, re.DOTALL) for line in block.splitlines()]
    subject, issuer = re.findall(r"^identity  (\S+) of (\S+)$", guide, re.MULTILINE)[0]
    with served(Person(subject, issuer, {12: "https://github.com/acme/models"})) as instance:
        root = root_of(instance.sigstore)
        text = config(signers={}).replace(b"trust:\n  signers:\n", snippet.encode())
        found = world(tmp_path, text.replace(b"SHA256-OF-THAT-FILE", hashlib.sha256(root).hexdigest().encode()), root)
        monkeypatch.chdir(found.root)
        found.write("trust/client.json", json.dumps(instance.trust_config()).encode())
        found.write("slsa.json", json.dumps(json.loads(found.provenance())["predicate"]).encode())
        trust = ClientTrustConfig.from_json(json.dumps(instance.trust_config()))
        monkeypatch.setattr(ClientTrustConfig, "production", lambda: trust)
        for name, value in instance.environment.items():
            monkeypatch.setenv(name, value)
        told = ""
        for line in lines:
            program, *arguments = shlex.split(line)
            done = inside(*arguments)
            assert (program, done.code, done.err) == ("gate", 0, ""), done.text
            told += done.out
    assert told.count(f"identity  {subject} of {issuer}\n") == 3


def test_the_guide_names_every_reason() -> None:
    folder = Path(keyless_module.__file__ or "").parent
    sources = [*folder.glob("*.py"), *(folder / "sigstore").glob("*.py")]
    source = "".join(path.read_text("utf-8") for path in sources)
    codes = set(re.findall(r'KeylessError\(\s*"([a-z]+)"', source)) | {"sct", "signature", "bundle", "invalid"}
    codes |= {"repository", "ref", "digest", "trigger", "runner"}
    guide = PAGE.read_text("utf-8")
    assert codes <= set(re.findall(r"_([a-z]+)`", guide))
