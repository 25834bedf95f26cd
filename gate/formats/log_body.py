"""What a transparency log recorded of a signature: the canonical bodies of its entries.

Sources: sigstore/rekor, pkg/types (`dsse/0.0.1`, `hashedrekord/0.0.1`, `intoto/0.0.1`, `intoto/0.0.2`), and
sigstore/rekor-tiles (`hashedrekord/0.0.2`, `dsse/0.0.2`). Nothing in a body is believed: a verifier compares it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gate.formats.strict_json import StrictJsonError, loads_object

_HASHES: Final = {"sha256": 32, "sha384": 48, "sha512": 64}
_NAMES: Final = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}
# Nothing in it can be read in two ways, so junk takes no longer than a certificate.
_PEM: Final = re.compile(rb"-----BEGIN (CERTIFICATE|PUBLIC KEY)-----\s([A-Za-z0-9+/=\s]++)-----END \1-----\s*+")
_MAX_PEM: Final = 1 << 16

Hash = tuple[str, bytes]
"""An algorithm (`sha256`) and a digest."""


class LogBodyError(ValueError):
    """The body is none of the kinds that are compared. The text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Record:
    """One recorded signature.

    `signed` is the digest of what the signature is over, `payload` that of the payload of an envelope: each kind
    records one of them. `signature` is `None` for the one kind that does not record it (`intoto/0.0.1`).
    Of `certificate` and `public_key`, both in DER, there is exactly one.
    """

    signed: Hash | None
    payload: Hash | None
    signature: bytes | None
    certificate: bytes | None
    public_key: bytes | None


def read_body(kind: str, body: bytes) -> Record:
    """The record in the body of an entry of a kind such as `dsse/0.0.1`; raises `LogBodyError`."""
    reader = _READERS.get(kind)
    if reader is None:
        raise LogBodyError(f"a log entry of kind {kind[:80]!r}; known are {', '.join(sorted(_READERS))}")
    try:
        value = loads_object(body)
        found = reader(value["spec"])
    except LogBodyError:
        raise
    except (StrictJsonError, binascii.Error, KeyError, TypeError, ValueError, AttributeError) as error:
        raise LogBodyError(f"the body of the log entry cannot be read as {kind}") from error
    if f"{value.get('kind')}/{value.get('apiVersion')}" != kind:
        raise LogBodyError("the log entry is of another kind than the bundle says")
    return found


def logged_digest(body: bytes) -> Hash | None:
    """The digest that an entry records of what was signed; `None` for what records none."""
    for kind in ("hashedrekord/0.0.1", "hashedrekord/0.0.2"):
        try:
            return read_body(kind, body).signed
        except LogBodyError:
            continue
    return None


def _hashedrekord_1(spec: Any) -> Record:
    key = _pem(spec["signature"]["publicKey"]["content"])
    return Record(_hex(spec["data"]["hash"]), None, _bytes(spec["signature"]["content"]), *key)


def _hashedrekord_2(spec: Any) -> Record:
    record = spec["hashedRekordV002"]
    signature = record["signature"]
    return Record(_named(record["data"]), None, _bytes(signature["content"]), *_verifier(signature["verifier"]))


def _dsse_1(spec: Any) -> Record:
    only = _only(spec["signatures"])
    return Record(None, _hex(spec["payloadHash"]), _bytes(only["signature"]), *_pem(only["verifier"]))


def _dsse_2(spec: Any) -> Record:
    record = spec["dsseV002"]
    only = _only(record["signatures"])
    return Record(None, _named(record["payloadHash"]), _bytes(only["content"]), *_verifier(only["verifier"]))


def _intoto_1(spec: Any) -> Record:
    return Record(None, _hex(spec["content"]["payloadHash"]), None, *_pem(spec["publicKey"]))


def _intoto_2(spec: Any) -> Record:
    content = spec["content"]
    only = _only(content["envelope"]["signatures"])
    # The signature stands in the envelope as base64, and the entry holds that text as base64 again.
    signature = _bytes(_bytes(only["sig"]).decode("ascii"))
    return Record(None, _hex(content["payloadHash"]), signature, *_pem(only["publicKey"]))


def _only(items: Any) -> Any:
    if not isinstance(items, list) or len(items) != 1:
        raise LogBodyError("the log entry records another number of signatures than one")
    return items[0]


def _hex(value: Any) -> Hash:
    return _hash(value["algorithm"], bytes.fromhex(value["value"]))


def _named(value: Any) -> Hash:
    return _hash(_NAMES[value["algorithm"]], _bytes(value["digest"]))


def _hash(algorithm: str, digest: bytes) -> Hash:
    if len(digest) != _HASHES[algorithm]:
        raise LogBodyError(f"the log entry records a digest that is no {algorithm}")
    return algorithm, digest


def _bytes(text: Any) -> bytes:
    if not isinstance(text, str):
        raise LogBodyError("the log entry holds something else where base64 belongs")
    return base64.b64decode(text, validate=True)


def _pem(text: Any) -> tuple[bytes | None, bytes | None]:
    held = _bytes(text)
    match = _PEM.fullmatch(held) if len(held) <= _MAX_PEM else None
    if match is None:
        raise LogBodyError("the log entry names neither a certificate nor a public key")
    data = base64.b64decode(b"".join(match[2].split()), validate=True)
    return (data, None) if match[1] == b"CERTIFICATE" else (None, data)


def _verifier(value: Any) -> tuple[bytes | None, bytes | None]:
    certificate, key = value.get("x509Certificate"), value.get("publicKey")
    if (certificate is None) == (key is None):
        raise LogBodyError("the log entry names neither a certificate nor a public key")
    return (_bytes(certificate["rawBytes"]), None) if key is None else (None, _bytes(key["rawBytes"]))


_READERS: Final[Mapping[str, Callable[[Any], Record]]] = {
    "dsse/0.0.1": _dsse_1,
    "dsse/0.0.2": _dsse_2,
    "hashedrekord/0.0.1": _hashedrekord_1,
    "hashedrekord/0.0.2": _hashedrekord_2,
    "intoto/0.0.1": _intoto_1,
    "intoto/0.0.2": _intoto_2,
}
