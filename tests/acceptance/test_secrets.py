"""What is secret stays out of every output: private keys, passphrases, and what predicates hold."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest

from gate.report.interface import REPORTS
from tests.acceptance.world import ENVIRONMENT, NOW, Done, World, command, inside
from tests.support.secrets import SECRETS, core
from tools.scenario_draft import config
from tools.scenario_evidence import encode, envelope, key, sarif


def test_there_are_25_kinds() -> None:
    assert len(set(SECRETS.values())) == 25


def outputs(world: World) -> list[Done]:
    root = ["--root", str(world.root), "--now", NOW]
    forms = [["check", "--base", "main", "--format", form, *root] for form in ("text", "markdown", "json")]
    return [inside(*arguments) for arguments in (*forms, ["verify", *root], ["verify", "--format", "json", *root])]


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("holds", [True, False], ids=["verified", "rejected"])
def test_what_predicates_hold_is_not_told(world: World, kind: str, holds: bool) -> None:
    """`gate input` is the one command that prints predicates: that is what it is for. A verdict needs none of them."""
    secret = SECRETS[kind]
    value = json.loads(world.provenance())
    value["predicate"]["buildDefinition"]["externalParameters"] = {"token": secret, "deep": [{"er": secret}]}
    value["predicate"]["runDetails"]["metadata"]["invocationId"] = secret
    value["predicate"]["buildDefinition"]["internalParameters"] = {secret: secret}
    world.put("provenance.dsse.json", envelope(encode(value), key("builder" if holds else "stranger")))
    for done in outputs(world)[:4]:
        assert done.code == (0 if holds else 11)
        assert not any(text in done.text for text in core(secret))


@pytest.mark.parametrize("kind", SECRETS)
def test_secrets_in_what_cannot_be_read_are_not_told(world: World, kind: str) -> None:
    """Messages about broken files give the place, not the contents."""
    secret = SECRETS[kind]
    world.put("broken.json", encode({"payload": secret, "signatures": secret, "payloadType": "x"})[:-1])
    world.put("odd.json", envelope(secret.encode(), key("builder")))
    for done in outputs(world):
        assert done.code == 14
        assert not any(text in done.text for text in core(secret))


class Leaking:
    """The good world with a secret of each kind wherever text can come in from outside."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.names = [secret for secret in SECRETS.values() if re.fullmatch(r"[^/\n]{1,200}", secret)]
        self.configure()
        self.report()
        self.deploy()
        for number, secret in enumerate(self.names):
            world.write(f"models/summarizer/{secret}", b"{}")
            world.write(f"app/{secret}/prompt-{number}.txt", b"Be kind.")
            world.put(f"{secret}.json", encode({"payload": secret})[:-1])
        world.commit("\n\n".join(SECRETS.values()))

    def configure(self) -> None:
        """Messages of gates, waivers and a path of a report that is not there."""
        gates = [
            {"id": f"G{n}", "trigger_paths": ["app/**"], "required_attestations": ["prompt"], "message": secret}
            for n, secret in enumerate(SECRETS.values())
        ]
        lines = [f"  - {json.dumps(gate)}" for gate in gates]
        more = "reports:\n  - {tool: sarif, path: scan.sarif}\nmanifests: [deploy/*.yaml]\nwaivers: waivers.yaml\n"
        self.world.write("gate.yaml", config(gates="\n".join(lines) + "\n", more=more))
        waivers = [
            {
                "id": f"W-{n}",
                "control": "scan.coverage",
                "artifact": "sha256:" + "0" * 64,
                "reason": secret,
                "ticket": secret,
                "owner": f"ann {secret}",
                "approver": f"bob {secret}",
                "created": "2026-11-01",
                "expires": "2026-12-01",
            }
            for n, secret in enumerate(SECRETS.values())
        ]
        self.world.write("waivers.yaml", json.dumps({"version": 1, "waivers": waivers}).encode())

    def report(self) -> None:
        """What a scanner says: names of rules, messages, places."""
        results = [
            {
                "ruleId": secret,
                "level": "error",
                "message": {"text": f"found {secret}"},
                "locations": [{"physicalLocation": {"artifactLocation": {"uri": "models/summarizer/config.json"}}}],
            }
            for secret in SECRETS.values()
        ]
        self.world.write("scan.sarif", sarif(self.world.model_files(), results))

    def deploy(self) -> None:
        """Manifests with variables, commands and annotations."""
        containers = [
            {
                "name": f"c{n}",
                "image": "registry.example/x:1",
                "args": [f"--api-key={secret}", secret],
                "env": [{"name": "PASSWORD", "value": secret}],
            }
            for n, secret in enumerate(SECRETS.values())
        ]
        metadata = {"name": "server", "annotations": {"note": "\n".join(SECRETS.values())}}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers}}
        self.world.write("deploy/pod.yaml", json.dumps(pod).encode())


def test_s35_no_output_shows_what_came_in_anywhere(world: World, tmp_path: Path) -> None:
    """Names of files, messages of gates, waivers, reports, manifests and messages of commits, in every format."""
    Leaking(world)
    place = ["--root", str(world.root), "--now", NOW]
    where = ["--base", "main", "--config-from", "worktree", *place]
    files = {form: tmp_path / f"report.{form}" for form in REPORTS}
    reports = [word for form, path in files.items() for word in ("--report", f"{form}={path}")]
    done = inside("check", *where, *reports, "--output", str(tmp_path / "decision.json"))
    assert done.code == 12, done.text
    shown = {form: path.read_text("utf-8") for form, path in files.items()}
    shown |= {"text": done.text, "saved": (tmp_path / "decision.json").read_text()}
    saved = ["--decision", str(tmp_path / "decision.json")]
    for words in (
        *(["input", *where], ["verify", *where], ["verify", "--format", "json", *where], ["chain", "show", *place]),
        *(["lineage", "--format", "json", *place], ["explain", "change.attested", *saved]),
        *(["scan", str(world.root / "models")], ["scan", str(world.root / "models"), "--format", "sarif"]),
    ):
        shown[" ".join(words[:3])] = inside(*words).text
    for name, text in shown.items():
        assert "[redacted" in text or name not in {"text", "json", "html", "sarif", "markdown", "saved"}, name
        for kind, secret in SECRETS.items():
            assert not any(part in text for part in core(secret)), (name, kind)


@pytest.mark.parametrize("kind", SECRETS)
def test_s35_no_error_shows_a_secret(kind: str, world: World) -> None:
    secret = SECRETS[kind]
    for words in (
        ["check", "--base", secret, "--root", str(world.root)],
        ["check", "--config", secret, "--root", str(world.root)],
        ["explain", secret],
        ["report", secret],
        ["check", "--format", secret],
        [secret],
    ):
        done = inside(*words)
        assert done.code != 0
        assert not any(part in done.text for part in core(secret)), words


def test_private_keys_are_never_shown(world: World, tmp_path: Path) -> None:
    private = tmp_path / "release.key"
    private.write_bytes(key("release").private_pem)
    private.chmod(0o600)
    world.write("keys/release.pub", key("release").private_pem)
    lines = key("release").private_pem.decode().splitlines()[1:-1]
    arguments = [
        ["check", "--config-from", "worktree", "--root", str(world.root)],
        ["doctor", "--root", str(world.root)],
        ["sign", str(world.root / "models/summarizer"), "--key", str(private), "--root", str(world.root)],
        ["sign", str(private), "--key", str(private), "--root", str(world.root)],
        ["sign", str(world.root / "models/summarizer"), "--key", str(world.root / "gate.yaml")],
        ["check", "--config", "keys/release.pub", "--root", str(world.root)],
    ]
    for words in arguments:
        done = inside(*words)
        assert not any(line in done.text for line in lines), words
    for path in (world.root / ".gate").rglob("*"):
        assert not path.is_file() or not any(line.encode() in path.read_bytes() for line in lines)


def test_passphrases_are_never_shown(tmp_path: Path) -> None:
    """Typed on a terminal, where nothing of it comes back; and there is no other way to give one."""
    passphrase = "correct horse battery staple"
    leader, follower = pty.openpty()
    words = command("keygen", "--out", "me", "--passphrase")
    process = subprocess.Popen(
        words, cwd=tmp_path, env=ENVIRONMENT, stdin=follower, stdout=follower, stderr=follower, start_new_session=True
    )
    os.close(follower)
    shown = b""
    for question in ("new key: ", "Again: ", None):
        while question is None or question.encode() not in shown:
            ready, _, _ = select.select([leader], [], [], 60)
            assert ready, shown
            try:
                more = os.read(leader, 1024)
            except OSError:
                break
            if not more:
                break
            shown += more
        if question is not None:
            os.write(leader, passphrase.encode() + b"\n")
    assert process.wait(60) == 0
    os.close(leader)
    assert passphrase.encode() not in shown
    assert b"encrypted" in shown
    assert b"ENCRYPTED" in (tmp_path / "me.key").read_bytes()
    help_text = subprocess.run(
        [sys.executable, "-m", "gate", "sign", "--help"], env=ENVIRONMENT, cwd=tmp_path, capture_output=True, check=True
    ).stdout
    assert b"--passphrase" not in help_text
