"""What is secret stays out of every output: private keys, passphrases, and what predicates hold."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.world import ENVIRONMENT, NOW, Done, World, command, inside
from tests.support.secrets import SECRETS, core
from tools.scenario_evidence import encode, envelope, key


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
