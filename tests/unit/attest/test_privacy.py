"""Embedding contents in statements, and opening what was encrypted."""

from __future__ import annotations

import base64
from typing import Any

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gate.attest import privacy
from gate.attest.privacy import VARIES, check_fingerprint, embed, open_payload
from gate.errors import AttestError
from gate.formats.predicates.privacy import commitment, fingerprint, read_privacy
from gate.model.digest import Digest, sha256_digest

CONTENT = b"You are a careful assistant.\n"
DIGEST = sha256_digest(CONTENT)
IDENTITY = pyrage.x25519.Identity.generate()
RECIPIENT = str(IDENTITY.to_public())
OTHER = pyrage.x25519.Identity.generate()
KEY_FILE = f"# created: today\n# public key: {RECIPIENT}\n\n{IDENTITY}\n".encode()


def encrypted(content: bytes = CONTENT, *recipients: str) -> Any:
    found: Any = embed("encrypted_payload", {"a.txt": content}, recipients or [RECIPIENT])
    return found["payloads"]["a.txt"]


def problem(action: Any, *arguments: Any) -> AttestError:
    with pytest.raises(AttestError) as caught:
        action(*arguments)
    return caught.value


def test_hash_only_embeds_nothing() -> None:
    assert embed("hash_only", {}) == {"mode": "hash_only"}


def test_plaintext_is_there_for_all_to_read() -> None:
    found: Any = embed("plaintext_explicit", {"b.txt": b"", "a.txt": CONTENT})
    assert list(found["payloads"]) == ["a.txt", "b.txt"]
    assert base64.b64decode(found["payloads"]["a.txt"]["content"]) == CONTENT
    assert read_privacy(found, {"a.txt": DIGEST, "b.txt": sha256_digest(b"")})["payloads"] == ["a.txt", "b.txt"]


def test_what_is_encrypted_is_opened_by_each_recipient_only() -> None:
    payload = encrypted(CONTENT, RECIPIENT, f" {OTHER.to_public()} \n")
    assert payload["recipients"] == sorted_fingerprints(RECIPIENT, str(OTHER.to_public()))
    assert CONTENT not in base64.b64decode(payload["ciphertext"])
    for key in (KEY_FILE, str(OTHER).encode()):
        assert open_payload(payload, "a.txt", DIGEST, key) == CONTENT
    stranger = str(pyrage.x25519.Identity.generate()).encode()
    error = problem(open_payload, payload, "a.txt", DIGEST, stranger)
    assert str(error) == "a.txt cannot be decrypted: No matching keys found"
    assert error.hint == "--identity with a key of a recipient"


def sorted_fingerprints(*recipients: str) -> list[Digest]:
    return [fingerprint(text) for text in sorted(recipients)]


def test_the_commitment_is_salted_and_only_what_is_named_varies() -> None:
    first, second = encrypted(), encrypted()
    assert {key for key in first if first[key] != second[key]} == set(VARIES)
    plain = pyrage.decrypt(base64.b64decode(first["ciphertext"]), [IDENTITY])
    assert plain[32:] == CONTENT
    assert first["commitment"] == commitment(plain[:32], CONTENT)


@pytest.mark.parametrize("key", [ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)])
def test_ssh_keys_are_recipients_too(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> None:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    payload = encrypted(CONTENT, f"{public} somebody\n")
    read_privacy({"mode": "encrypted_payload", "payloads": {"a.txt": payload}}, {"a.txt": DIGEST})
    assert open_payload(payload, "a.txt", DIGEST, private) == CONTENT


@pytest.mark.parametrize(
    ("mode", "payloads", "recipients", "text"),
    [
        ("secret", {}, [], "privacy_mode 'secret' is not known; known are hash_only, plaintext_explicit, encrypted_"),
        ("hash_only", {"a": b""}, [], "privacy_mode hash_only needs no payloads"),
        ("plaintext_explicit", {}, [], "privacy_mode plaintext_explicit needs a payload"),
        ("encrypted_payload", {}, [RECIPIENT], "privacy_mode encrypted_payload needs a payload"),
        ("hash_only", {}, [RECIPIENT], "privacy_mode hash_only needs no recipients"),
        ("plaintext_explicit", {"a": b""}, [RECIPIENT], "privacy_mode plaintext_explicit needs no recipients"),
        ("encrypted_payload", {"a": b""}, [], "privacy_mode encrypted_payload needs 1 to 32 recipients"),
        ("encrypted_payload", {"a": b""}, [str(n) for n in range(33)], "privacy_mode encrypted_payload needs 1 to 32"),
        ("encrypted_payload", {"a": b""}, ["age1nobody"], "'age1nobody' is no recipient: "),
        ("encrypted_payload", {"a": b""}, ["ssh-rsa x"], "'ssh-rsa x' is no recipient: "),
        ("plaintext_explicit", {"a": b"x" * ((4 << 20) + 1)}, [], "1 payloads with 4194305 bytes; at most 256 with"),
        ("plaintext_explicit", {str(n): b"" for n in range(257)}, [], "257 payloads with 0 bytes; at most 256 with"),
    ],
)
def test_what_cannot_be_meant_is_an_error(mode: str, payloads: Any, recipients: list[str], text: str) -> None:
    assert str(problem(embed, mode, payloads, recipients)).startswith(text)


def test_a_fingerprint_in_the_configuration_is_checked() -> None:
    expected = fingerprint(RECIPIENT)
    check_fingerprint([RECIPIENT], expected)
    check_fingerprint([f"{RECIPIENT}\n"], expected.removeprefix("sha256:"))
    for recipients in ([], [str(OTHER.to_public())], [RECIPIENT, str(OTHER.to_public())]):
        assert "encryption_recipient_fingerprint is " in str(problem(check_fingerprint, recipients, expected))


def test_what_is_inside_must_be_what_the_statement_says() -> None:
    payload = encrypted()
    error = problem(open_payload, payload, "a.txt", sha256_digest(b"x"), KEY_FILE)
    assert str(error) == "what is encrypted of a.txt is not the file that the statement is about"
    error = problem(open_payload, {**payload, "commitment": DIGEST}, "a.txt", DIGEST, KEY_FILE)
    assert str(error) == "what is encrypted of a.txt is not what the statement commits to"


@pytest.mark.parametrize(
    "data",
    [b"", b"# only a comment\n", b"age1xyz", KEY_FILE + b"and more\n", b"AGE-SECRET-KEY-1XX", b"\xff", b"-----BEGIN"],
)
def test_what_is_no_identity_is_an_error_that_tells_nothing_of_it(data: bytes) -> None:
    text = str(problem(open_payload, encrypted(), "a.txt", DIGEST, data))
    assert text.startswith("the identity file holds ")
    assert str(IDENTITY) not in text


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(privacy, "importlib", type("absent", (), {"import_module": staticmethod(missing)}))
    assert problem(embed, "encrypted_payload", {"a": b""}, [RECIPIENT]).hint == "pip install 'gate[age]'"
