"""`gate attest reveal`: what was encrypted comes out for who holds a key, whole and checked, and for nobody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyrage
import pytest

from gate.attest.privacy import embed
from gate.formats.predicates.privacy import MODES
from tests.acceptance.world import Done, gate, inside

SECRET = b"You are a careful assistant.\n\x1b[2J"
TEMPLATE = b"Answer: {{ question }}\n"
IDENTITY = pyrage.x25519.Identity.generate()
CONFIG = {
    "system_prompt": "app/system.txt",
    "templates_dir": "app/templates",
    "tool_schemas_dir": "app/tools",
    "safety_policy": "app/safety.yaml",
}


def application(root: Path, **privacy: Any) -> Path:
    """A folder with a prompt, and the statement about it."""
    files = {
        "app/system.txt": SECRET,
        "app/templates/base.txt": TEMPLATE,
        "app/tools/search.json": b"{}\n",
        "app/safety.yaml": b"refuse: []\n",
        "prompt.yaml": json.dumps({**CONFIG, **privacy}).encode(),
        "key.txt": f"# a comment\n{IDENTITY}\n".encode(),
        "other.txt": f"{pyrage.x25519.Identity.generate()}\n".encode(),
    }
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    config = str(root / "prompt.yaml")
    done = inside("attest", "create", "--type", "prompt", "--config", config, "--root", str(root), "--out", str(root))
    assert done.code == 0, done.text
    return root / "prompt.json"


def encrypted(root: Path, **more: Any) -> Path:
    return application(root, privacy_mode="encrypted_payload", age_recipient=str(IDENTITY.to_public()), **more)


def reveal(statement: Path, *arguments: str, key: str | None = "key.txt") -> Done:
    identity = [] if key is None else ["--identity", str(statement.parent / key)]
    return inside("attest", "reveal", str(statement), *identity, *arguments)


def test_the_holder_of_a_key_gets_the_file(tmp_path: Path) -> None:
    statement = encrypted(tmp_path)
    assert SECRET not in statement.read_bytes()
    out = tmp_path / "revealed" / "system.txt"
    done = reveal(statement, "--out", str(out))
    assert done.code == 0, done.text
    assert out.read_bytes() == SECRET
    assert out.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in out.parent.iterdir()] == ["system.txt"]
    assert "app/system.txt" in done.out
    assert "gate verify" in done.out


def test_the_program_writes_to_this_folder_unless_told_otherwise(tmp_path: Path) -> None:
    encrypted(tmp_path)
    here = tmp_path / "here"
    here.mkdir()
    arguments = ("attest", "reveal", "../prompt.json", "--identity", "../key.txt")
    assert gate(*arguments, cwd=here).code == 0
    assert (here / "system.txt").read_bytes() == SECRET
    again = gate(*arguments, cwd=here)
    assert (again.code, "exists already" in again.err) == (5, True)
    shown = gate(*arguments, "--stdout", cwd=here)
    assert (shown.code, shown.out.encode(), shown.err) == (0, SECRET, "")


def test_standard_output_gets_the_content_alone(tmp_path: Path) -> None:
    done = reveal(encrypted(tmp_path), "--stdout")
    assert (done.code, done.out.encode(), done.err) == (0, SECRET, "")
    assert reveal(tmp_path / "prompt.json", "--stdout", "--out", "x").code == 2


def test_one_of_several_contents_is_named(tmp_path: Path) -> None:
    statement = encrypted(tmp_path, payload_paths=["app/system.txt", "app/templates/base.txt"])
    done = reveal(statement, "--stdout")
    assert (done.code, "--path, one of: app/system.txt, app/templates/base.txt" in done.err) == (2, True)
    assert reveal(statement, "--stdout", "--path", "app/templates/base.txt").out.encode() == TEMPLATE
    done = reveal(statement, "--stdout", "--path", "app/safety.yaml")
    assert (done.code, "carries no content of 'app/safety.yaml'" in done.err) == (2, True)


def test_a_plain_content_needs_no_key(tmp_path: Path) -> None:
    statement = application(tmp_path, privacy_mode="plaintext_explicit")
    assert reveal(statement, "--stdout", key=None).out.encode() == SECRET
    done = reveal(statement, "--stdout")
    assert (done.code, "is not encrypted" in done.err) == (2, True)


def test_a_signed_statement_is_opened_too(tmp_path: Path) -> None:
    statement = encrypted(tmp_path)
    key, bundle = tmp_path / "release.key", tmp_path / "bundle.json"
    public = str(tmp_path / "release.pub")
    assert inside("keygen", "--private", str(key), "--public", public, "--no-passphrase").code == 0
    done = inside("sign", str(statement), "--key", str(key), "--out", str(bundle), "--root", str(tmp_path))
    assert done.code == 0, done.text
    assert reveal(bundle, "--stdout").out.encode() == SECRET


def test_whoever_has_no_key_gets_nothing(tmp_path: Path) -> None:
    statement, out = encrypted(tmp_path), tmp_path / "out"
    for key, code, text in (
        (None, 2, "app/system.txt is encrypted"),
        ("other.txt", 5, "app/system.txt cannot be decrypted: No matching keys found"),
        ("app/system.txt", 5, "the identity file holds"),
        ("none.txt", 5, "cannot read"),
    ):
        done = reveal(statement, "--out", str(out), key=key)
        assert (done.code, text in done.err) == (code, True), done.text
        assert not out.exists()


@pytest.mark.parametrize("mode", MODES)
def test_a_statement_that_carries_something_else_is_refused(tmp_path: Path, mode: str) -> None:
    statement = application(tmp_path)
    document = json.loads(statement.read_bytes())
    recipients = [str(IDENTITY.to_public())] if mode == "encrypted_payload" else []
    document["predicate"]["privacy"] = embed(mode, {"app/system.txt": b"x"} if mode != "hash_only" else {}, recipients)
    statement.write_text(json.dumps(document))
    done = reveal(statement, "--stdout", key=None if mode == "plaintext_explicit" else "key.txt")
    assert done.code == 5
    assert done.out == ""
    expected = {
        "hash_only": "the statement carries no contents, only digests",
        "plaintext_explicit": "refuse this statement: the content of 'app/system.txt', its digest and the subject's do",
        "encrypted_payload": "what is encrypted of app/system.txt is not the file that the statement is about",
    }
    assert expected[mode] in done.err


def test_what_is_no_statement_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"dsseEnvelope": 1}')
    (tmp_path / "y.json").write_text("{}")
    for name in ("x.json", "y.json", "none.json"):
        done = reveal(tmp_path / name, "--stdout", key=None)
        assert (done.code, done.out) == (5, "")
