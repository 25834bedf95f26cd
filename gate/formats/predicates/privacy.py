"""The member `privacy` of collected statements: whether contents of files are in the statement, and in what form.

| mode | payloads |
|---|---|
| `hash_only` | none |
| `plaintext_explicit` | `{path: {digest, content}}`, the content in base64 |
| `encrypted_payload` | `{path: {ciphertext, ciphertext_digest, commitment, recipients}}`, the ciphertext in base64 |

All of it is verified without a key: a path is a subject's, a plaintext has its subject's digest, a ciphertext is a file
of age for as many recipients as are named and has its own digest. What only the key can tell, `gate attest reveal`
checks: inside are a salt of 32 bytes and the content, whose `commitment` is in the statement and whose digest is the
subject's.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Final

from gate.formats.age import AgeError, recipient_kinds
from gate.formats.dsse import DsseError, decode_base64
from gate.formats.intoto import StatementError, parse_digest_list
from gate.model.digest import Digest, sha256_digest
from gate.model.json import JsonObject, JsonValue

HASH_ONLY: Final = "hash_only"
PLAINTEXT: Final = "plaintext_explicit"
ENCRYPTED: Final = "encrypted_payload"
MODES: Final = (HASH_ONLY, PLAINTEXT, ENCRYPTED)
MAX_PAYLOADS: Final = 256
MAX_BYTES: Final = 8 << 20
"""The most bytes of all payloads of a statement."""
SALT_BYTES: Final = 32
_DOMAIN: Final = b"urn:promotion-gate:commitment:v1\x00"
_PLAINTEXT_MEMBERS: Final = frozenset({"digest", "content"})
_ENCRYPTED_MEMBERS: Final = frozenset({"ciphertext", "ciphertext_digest", "commitment", "recipients"})


def commitment(salt: bytes, content: bytes) -> Digest:
    """What binds a statement to an encrypted content; without the salt no guess at the content can be tried."""
    return Digest("sha256:" + hashlib.sha256(_DOMAIN + salt + content).hexdigest())


def fingerprint(recipient: str) -> Digest:
    """The SHA-256 of a recipient's text."""
    return sha256_digest(recipient.encode("utf-8"))


def read_privacy(value: JsonValue, files: Mapping[str, Digest]) -> JsonObject:
    """The facts `mode` and `payloads` (paths); raises `StatementError`. `files` are the subjects by name."""
    if not isinstance(value, Mapping) or value.get("mode") not in MODES:
        raise _error(f"privacy needs a mode: {', '.join(MODES)}")
    mode = value["mode"]
    expected = {"mode"} if mode == HASH_ONLY else {"mode", "payloads"}
    if value.keys() != expected:
        raise _error(f"privacy of the mode {mode} has the members {', '.join(sorted(expected))}, and no others")
    payloads = value.get("payloads", {})
    if not isinstance(payloads, Mapping) or len(payloads) > MAX_PAYLOADS or (not payloads and mode != HASH_ONLY):
        raise _error(f"privacy has no payloads, or more than {MAX_PAYLOADS}")
    check = _check_plaintext if mode == PLAINTEXT else _check_encrypted
    size = 0
    for path, payload in payloads.items():
        if path not in files:
            raise _error(f"the payload {path[:120]!r} is no subject of the statement")
        if not isinstance(payload, Mapping):
            raise _error(f"the payload {path[:120]!r} is not an object")
        size += check(payload, path[:120], files[path])
    if size > MAX_BYTES:
        raise _error(f"the payloads have {size} bytes, more than the {MAX_BYTES} that are read")
    return {"mode": mode, "payloads": sorted(payloads)}


def _check_plaintext(payload: JsonObject, path: str, digest: Digest) -> int:
    _check_members(payload, _PLAINTEXT_MEMBERS, path)
    content = bytes_of(payload["content"], f"the content of {path!r}")
    if payload["digest"] != digest or sha256_digest(content) != digest:
        raise _error(f"the content of {path!r}, its digest and the subject's do not agree")
    return len(content)


def _check_encrypted(payload: JsonObject, path: str, _: Digest) -> int:
    _check_members(payload, _ENCRYPTED_MEMBERS, path)
    ciphertext = bytes_of(payload["ciphertext"], f"the ciphertext of {path!r}")
    if payload["ciphertext_digest"] != sha256_digest(ciphertext):
        raise _error(f"the ciphertext of {path!r} does not have its ciphertext_digest")
    recipients = parse_digest_list(payload["recipients"], f"recipients of {path!r}")
    parse_digest_list([payload["commitment"]], f"commitment of {path!r}")
    try:
        kinds = recipient_kinds(ciphertext)
    except AgeError as error:
        raise _error(f"the ciphertext of {path!r} is no file of age: {error}") from None
    if len(set(recipients)) != len(kinds) or len(recipients) != len(kinds) or "scrypt" in kinds:
        raise _error(f"the ciphertext of {path!r} is not for the {len(set(recipients))} recipients that are named")
    return len(ciphertext)


def bytes_of(value: JsonValue, what: str) -> bytes:
    """The bytes of canonical base64 in the standard alphabet; raises `StatementError`."""
    try:
        data = decode_base64(value, what)
    except DsseError as error:
        raise _error(str(error)) from None
    if base64.b64encode(data).decode("ascii") != value:
        raise _error(f"{what} is not in the standard alphabet of base64")
    return data


def _check_members(payload: JsonObject, expected: frozenset[str], path: str) -> None:
    if payload.keys() != expected:
        raise _error(f"the payload {path!r} has the members {', '.join(sorted(expected))}, and no others")


def _error(text: str) -> StatementError:
    return StatementError("privacy", text)
