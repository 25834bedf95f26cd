"""Contents of files in statements: embedding them, plainly or encrypted with age, and opening what was encrypted.

Of an encrypted payload only the ciphertext, which age makes anew each time, the salt in it and what is computed from
them (`VARIES`) differ from one statement to the next.
"""

from __future__ import annotations

import base64
import importlib
import os
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Final

from gate.errors import AttestError
from gate.formats.predicates.common import text
from gate.formats.predicates.privacy import (
    ENCRYPTED,
    HASH_ONLY,
    MAX_BYTES,
    MAX_PAYLOADS,
    MODES,
    PLAINTEXT,
    SALT_BYTES,
    commitment,
    fingerprint,
)
from gate.model.digest import Digest, sha256_digest
from gate.model.json import JsonObject, JsonValue

VARIES: Final = ("ciphertext", "ciphertext_digest", "commitment")
"""The members of an encrypted payload that differ each time it is made."""
MAX_RECIPIENTS: Final = 32
_SSH: Final = ("ssh-ed25519 ", "ssh-rsa ")
_IDENTITY: Final = "AGE-SECRET-KEY-1"


def embed(mode: str, payloads: Mapping[str, bytes], recipients: Sequence[str] = ()) -> JsonObject:
    """The member `privacy` for contents by path; raises `AttestError`.

    Recipients are those of age (`age1...`) or public SSH keys (Ed25519, RSA). They and the contents are given exactly
    where the mode has a use for them: what was meant to be secret is never left out or written plainly by accident.
    """
    if mode not in MODES:
        raise AttestError(f"privacy_mode {mode[:40]!r} is not known; known are {', '.join(MODES)}")
    if bool(payloads) != (mode != HASH_ONLY):
        raise AttestError(f"privacy_mode {mode} needs {'no payloads' if payloads else 'a payload'}")
    texts = sorted({text.strip() for text in recipients})
    if bool(texts) != (mode == ENCRYPTED) or len(texts) > MAX_RECIPIENTS:
        raise AttestError(
            f"privacy_mode {mode} needs {f'1 to {MAX_RECIPIENTS}' if mode == ENCRYPTED else 'no'} recipients"
        )
    size = sum(len(content) for content in payloads.values())
    if len(payloads) > MAX_PAYLOADS or size > MAX_BYTES // 2:
        raise AttestError(
            f"{len(payloads)} payloads with {size} bytes; at most {MAX_PAYLOADS} with {MAX_BYTES // 2} are embedded",
            hint="privacy_mode: hash_only for large files",
        )
    if mode == HASH_ONLY:
        return {"mode": HASH_ONLY}
    if mode == PLAINTEXT:
        return {"mode": PLAINTEXT, "payloads": {path: _plain(payloads[path]) for path in sorted(payloads)}}
    return {"mode": ENCRYPTED, "payloads": {path: _encrypted(payloads[path], texts) for path in sorted(payloads)}}


def check_fingerprint(recipients: Sequence[str], expected: str) -> None:
    """Raises `AttestError` unless the only recipient's text has this SHA-256, with or without `sha256:` before it."""
    found = [fingerprint(recipient.strip()) for recipient in recipients]
    if found != [f"sha256:{expected.removeprefix('sha256:')}"]:
        raise AttestError(
            f"encryption_recipient_fingerprint is {expected[:80]}, that of the recipients is {', '.join(found)}",
            hint="it is the SHA-256 of the recipient's text, for exactly one recipient",
        )


def open_payload(payload: JsonValue, path: str, subject: Digest, identities: bytes) -> bytes:
    """The content of an encrypted payload that `read_privacy` accepted; raises `AttestError`.

    `identities` is the text of an identity file of age, or of a private SSH key. The content is that of the commitment
    and of the subject.
    """
    ciphertext = base64.b64decode(text(payload, "ciphertext") or "")
    pyrage = _pyrage()
    try:
        plain: bytes = pyrage.decrypt(ciphertext, _identities(identities))
    except pyrage.DecryptError as error:
        raise AttestError(f"{path} cannot be decrypted: {error}", hint="--identity with a key of a recipient") from None
    salt, content = plain[:SALT_BYTES], plain[SALT_BYTES:]
    if commitment(salt, content) != text(payload, "commitment"):
        raise AttestError(f"what is encrypted of {path} is not what the statement commits to")
    if sha256_digest(content) != subject:
        raise AttestError(f"what is encrypted of {path} is not the file that the statement is about")
    return content


def _plain(content: bytes) -> JsonObject:
    return {"digest": sha256_digest(content), "content": base64.b64encode(content).decode("ascii")}


def _encrypted(content: bytes, recipients: Sequence[str]) -> JsonObject:
    salt = os.urandom(SALT_BYTES)
    ciphertext: bytes = _pyrage().encrypt(salt + content, [_recipient(text) for text in recipients])
    return {
        "ciphertext": base64.b64encode(ciphertext).decode("ascii"),
        "ciphertext_digest": sha256_digest(ciphertext),
        "commitment": commitment(salt, content),
        "recipients": [fingerprint(text) for text in recipients],
    }


def _pyrage() -> ModuleType:
    try:
        return importlib.import_module("pyrage")
    except ModuleNotFoundError:
        raise AttestError("encrypting and decrypting needs age", hint="pip install 'gate[age]'") from None


def _recipient(text: str) -> object:
    pyrage = _pyrage()
    try:
        if text.startswith(_SSH):
            return pyrage.ssh.Recipient.from_str(text)
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise AttestError(
            f"{text[:80]!r} is no recipient: {error}", hint="age1... of `age-keygen`, or a public SSH key"
        ) from None


def _identities(data: bytes) -> list[object]:
    pyrage = _pyrage()
    try:
        if data.lstrip().startswith(b"-----BEGIN"):
            return [pyrage.ssh.Identity.from_buffer(data)]
        lines = [line.strip() for line in data.decode("utf-8").splitlines()]
        words = [line for line in lines if line and not line.startswith("#")]
        if not words or not all(word.startswith(_IDENTITY) for word in words):
            raise AttestError(
                "the identity file holds something else than identities of age (AGE-SECRET-KEY-1...)",
                hint="`age-keygen` makes one; a private SSH key without a passphrase will do too",
            )
        return [pyrage.x25519.Identity.from_str(word) for word in words]
    except (UnicodeDecodeError, pyrage.IdentityError):
        # The library's text may hold a piece of the key.
        raise AttestError(
            "the identity file holds no identity of age and no private SSH key without passphrase"
        ) from None
