"""Policy bundles as their people use them: built, verified, judged by, diffed, and given to a real OPA."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gate.app import policy_bundle
from gate.attest.signers.key import PKCS1, key_signer
from gate.evaluate.opa_bundle import pack, unpack
from tests.acceptance.world import ENVIRONMENT, Done, World, command, gate, inside
from tests.support.opa_server import OpaServer, opa_program
from tools.scenario_draft import SIGNERS, config

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "ship-a-policy.md"
MODULE = "policy/custom/acme/reviewed/reviewed.rego"
CONTROL = b"""\
# METADATA
# title: A control of the team
# description: Passes.
# custom:
#   severity: high
#   claims: []
#   artifacts: [weights]
#   targets: [deployment]
#   waivable: true
#   fix: Nothing to do.
package custom.acme.reviewed

status := "pass"

evidence := set()

violations := set()

reason := "always"
"""
PROFILE = {"name": "acme", "description": "Ours.", "extends": "baseline"}
ALGORITHMS = {"p256": "ES256", "p384": "ES384", "ed25519": "EdDSA", "rsa": "PS256"}


def make_key(root: Path, kind: str = "p256") -> None:
    """`keys/policy.key` and its public key below a folder."""
    if kind != "rsa":
        assert inside("keygen", "--no-passphrase", "--type", kind, "--out", "keys/policy", cwd=root).code == 0
        return
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (root / "keys").mkdir(exist_ok=True)
    path = root / "keys" / "policy.key"
    path.touch(0o600)
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (root / "keys" / "policy.pub").write_bytes(public)


def write_policy(root: Path) -> None:
    profile = {**PROFILE, "controls": {"custom.acme.reviewed": {"mode": "enforce"}}}
    for name, data in {MODULE: CONTROL, "policy/gate/profiles/acme/data.json": json.dumps(profile).encode()}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a policy directory and a key."""
    root = tmp_path / "place"
    root.mkdir()
    write_policy(root)
    make_key(root)
    return root


def build(root: Path, serial: int = 1, *more: str, **environment: str) -> Done:
    arguments = ("--out", "policy.tar.gz", "--key", "keys/policy.key", "--serial", str(serial), *more)
    if environment:
        return gate("policy", "bundle", *arguments, cwd=root, environment=environment)
    return inside("policy", "bundle", *arguments, cwd=root)


def settings(serial: int = 1, claims: str = "claims: [policy.bundle]", trust: str = "") -> bytes:
    more = f"policy: {{bundle: policy.tar.gz, serial: {serial}}}\n"
    return config(signers={**SIGNERS, "policy": claims}, profile="acme", trust=trust, more=more)


def both(root: Path) -> dict[str, bytes]:
    return {name: (root / name).read_bytes() for name in ("policy.tar.gz", "policy.tar.gz.sigstore.json")}


@pytest.fixture
def judged(world: World, tmp_path: Path) -> World:
    """A good change in a repository whose policy is a bundle."""
    maker = tmp_path / "maker"
    maker.mkdir()
    write_policy(maker)
    make_key(maker)
    assert build(maker, 2).code == 0
    public = (maker / "keys/policy.pub").read_bytes()
    world.on_main({"gate.yaml": settings(2), "keys/policy.pub": public, **both(maker)})
    return world


class TestJudging:
    def test_the_bundle_judges_and_the_decision_names_it(self, judged: World) -> None:
        done = judged.judge()
        assert done.code == 0, done.text
        assert done.decision["policy"] == {
            "origin": "bundle",
            "serial": 2,
            "own": ["custom.acme.reviewed"],
            "replaced": [],
        }
        assert done.decision["controls"]["custom.acme.reviewed"]["status"] == "pass"

    @pytest.mark.parametrize("form", ["text", "markdown"])
    def test_reports_name_own_controls(self, judged: World, form: str) -> None:
        done = judged.run("check", "--base", "main", "--now", "2026-11-20T12:00:00Z", "--format", form)
        assert (done.code, done.err) == (0, "")
        line = next(line for line in done.out.splitlines() if "Own controls judged" in line)
        assert re.search(r"custom\S*acme\S*reviewed", line)
        assert "beside the library" in line

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            (settings(3), "asks for at least 3"),
            (settings(2, "claims: [prompt]"), "may not speak for policy.bundle"),
            (settings(2, "valid_until: 2026-01-01T00:00:00Z, claims: [policy.bundle]"), "validity window"),
            (settings(2, trust="  revoked: {keys: [policy]}\n"), "is revoked"),
        ],
        ids=["older", "claim", "expired", "revoked"],
    )
    def test_a_bundle_that_may_not_judge_is_exit_4(self, judged: World, text: bytes, what: str) -> None:
        judged.on_main({"gate.yaml": text})
        done = judged.judge()
        assert (done.code, done.out) == (4, "")
        assert what in done.err
        assert "try: " in done.err

    def test_a_bundle_that_is_changed_on_main_is_exit_4(self, judged: World) -> None:
        data = bytearray((judged.root / "policy.tar.gz").read_bytes())
        data[len(data) // 2] ^= 1
        judged.on_main({"policy.tar.gz": bytes(data)})
        done = judged.judge()
        assert (done.code, done.out) == (4, "")
        assert "but its envelope signs" in done.err

    def test_a_change_cannot_bring_its_own_bundle(self, judged: World) -> None:
        judged.write("policy.tar.gz", b"other")
        judged.write("policy.tar.gz.sigstore.json", b"{}")
        judged.commit()
        done = judged.judge()
        assert done.decision["policy"]["serial"] == 2
        assert "change.policy_unchanged" in done.failing


class TestBuilding:
    def test_it_says_what_to_do_next(self, place: Path) -> None:
        done = build(place, 7)
        assert done.code == 0, done.err
        for text in ("serial    7", "own       custom.acme.reviewed", "  bundle: policy.tar.gz", "--signing-alg ES256"):
            assert text in done.out
        again = build(place, 7)
        assert (again.code, again.out) == (2, "")
        assert "--serial 8" in again.err

    @pytest.mark.parametrize("kind", ["p256", "p384", "ed25519"])
    def test_the_bytes_depend_on_nothing_else(self, tmp_path: Path, kind: str) -> None:
        first, second = tmp_path / "a", tmp_path / "b" / "deeper"
        first.mkdir()
        write_policy(first)
        make_key(first, kind)
        shutil.copytree(first, second)
        os.utime(second / MODULE, (1, 1))
        (second / MODULE).chmod(0o755)
        assert build(first).code == 0
        assert build(second, LC_ALL="C", TZ="Asia/Tokyo", PYTHONHASHSEED="7", SOURCE_DATE_EPOCH="1").code == 0
        assert both(first) == both(second)

    def test_only_the_signatures_of_rsa_keys_differ(self, tmp_path: Path) -> None:
        write_policy(tmp_path)
        make_key(tmp_path, "rsa")
        files = []
        for serial in (1, 1):
            (tmp_path / "policy.tar.gz").unlink(missing_ok=True)
            (tmp_path / "policy.tar.gz.sigstore.json").unlink(missing_ok=True)
            assert build(tmp_path, serial).code == 0
            files.append(unpack((tmp_path / "policy.tar.gz").read_bytes()))
        assert {path for path in files[0] if files[0][path] != files[1][path]} == {".signatures.json"}

    def test_it_is_looked_at_without_being_verified(self, place: Path) -> None:
        assert build(place).code == 0
        done = inside("controls", "diff", "packaged", str(place / "policy.tar.gz"))
        assert done.code == 0
        assert "+ custom.acme.reviewed" in done.out
        assert "is not verified here" in done.err


class TestVerifying:
    def verify(self, place: Path, serial: int = 1) -> Done:
        (place / "gate.yaml").write_bytes(settings(serial))
        (place / "models/summarizer").mkdir(parents=True, exist_ok=True)
        for name in SIGNERS:
            shutil.copy(place / "keys/policy.pub", place / f"keys/{name}.pub")
        return gate("policy", "verify", "policy.tar.gz", cwd=place)

    def test_it_tells_people_what_the_gate_found(self, place: Path) -> None:
        assert build(place, 4).code == 0
        done = self.verify(place)
        assert done.code == 0, done.err
        for text in ("signers   policy sha256:", "serial    4  (at least 1", "own       custom.acme.reviewed"):
            assert text in done.out

    def test_what_does_not_hold_is_exit_4(self, place: Path) -> None:
        assert build(place, 4).code == 0
        done = self.verify(place, 5)
        assert (done.code, done.out) == (4, "")
        assert "asks for at least 5" in done.err


class TestOpa:
    @pytest.mark.parametrize("kind", sorted(ALGORITHMS))
    def test_opa_verifies_the_bundle_itself(self, tmp_path: Path, kind: str) -> None:
        write_policy(tmp_path)
        make_key(tmp_path, kind)
        assert build(tmp_path).code == 0
        done = opa_build(tmp_path, ALGORITHMS[kind])
        assert done.returncode == 0, done.stderr
        wrong = opa_build(tmp_path, ALGORITHMS[kind], scope="read")
        assert b"scope mismatch" in wrong.stdout
        files = unpack((tmp_path / "policy.tar.gz").read_bytes())
        changed = {**files, "gate/main/main.rego": files["gate/main/main.rego"] + b"\n"}
        for name, other in {
            "changed": changed,
            "stripped": {path: data for path, data in files.items() if path != ".signatures.json"},
            "extra": {**files, "gate/lib/x/x.rego": b"package gate.lib.x\n"},
            "missing": {path: data for path, data in files.items() if path != "gate/profiles/strict/data.json"},
        }.items():
            (tmp_path / "policy.tar.gz").write_bytes(pack(other))
            assert opa_build(tmp_path, ALGORITHMS[kind]).returncode != 0, name

    @pytest.mark.parametrize("kind", ["p256", "p384", "rsa"])
    def test_a_server_runs_it(self, tmp_path: Path, kind: str) -> None:
        write_policy(tmp_path)
        make_key(tmp_path, kind)
        revision = re.findall(r"revision  (\S+)", build(tmp_path).out)[0]
        options = [*options_of(tmp_path, ALGORITHMS[kind]), "--bundle", str(tmp_path / "policy.tar.gz")]
        with OpaServer(*options) as server:
            status, body = server.post("/v1/data/gate/main/report?provenance=true", b'{"input": {}}')
        answer: dict[str, Any] = json.loads(body)
        assert status == 200
        assert [item["revision"] for item in answer["provenance"]["bundles"].values()] == [revision]
        assert answer["result"]["schema"] == "urn:gate:report:v1"


def options_of(root: Path, algorithm: str, scope: str = "write") -> list[str]:
    key = ["--verification-key", str(root / "keys/policy.pub"), "--verification-key-id", "gate"]
    return [*key, "--signing-alg", algorithm, "--scope", scope]


def opa_build(root: Path, algorithm: str, scope: str = "write") -> subprocess.CompletedProcess[bytes]:
    arguments = ["build", "--bundle", "policy.tar.gz", "--output", "out.tar.gz", *options_of(root, algorithm, scope)]
    return subprocess.run([opa_program(), *arguments], cwd=root, capture_output=True, check=False)


@pytest.mark.no_cover
def test_the_page_works_as_written(tmp_path: Path) -> None:
    text = PAGE.read_text()
    write_policy(tmp_path)
    (model := tmp_path / "models/summarizer").mkdir(parents=True)
    (model / "config.json").write_text("{}")
    blocks = re.findall(r"```(sh|yaml)\n(.*?)```", text, re.DOTALL)
    assert [kind for kind, _ in blocks] == ["sh", "sh", "yaml", "sh", "sh", "sh"]
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "opa").symlink_to(opa_program())
    (programs / "gate").write_text(f'#!/bin/sh\nexec {" ".join(command())} "$@"\n')
    (programs / "gate").chmod(0o755)
    environment = {**ENVIRONMENT, "PATH": f"{programs}:{Path(sys.executable).parent}:{ENVIRONMENT['PATH']}"}
    for kind, block in blocks:
        if kind == "yaml":
            head = config(signers={}, profile="acme", gates="").decode().replace("trust:\n  signers:\n", "")
            (tmp_path / "gate.yaml").write_text(head + block)
            continue
        done = subprocess.run(
            ["sh", "-e", "-c", block], cwd=tmp_path, env=environment, capture_output=True, check=False
        )
        assert done.returncode == 0, (block, done.stdout, done.stderr)
    assert (tmp_path / "checked.tar.gz").exists()


def test_a_key_that_may_only_sign_with_pkcs1_signs(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As some services make them."""
    private = rsa.generate_private_key(65537, 2048)
    signer = key_signer(private.public_key(), "x", lambda data: private.sign(data, PKCS1v15(), SHA256()), PKCS1)
    monkeypatch.setattr(policy_bundle, "open_signer", lambda *_: signer)
    built = policy_bundle.build_bundle(policy_bundle.BuildRequest(place, Path("policy.tar.gz"), "key", 1), str)
    assert built.algorithm == "RS256"
    assert sorted(both(place)) == [built.path.name, built.envelope.name]
