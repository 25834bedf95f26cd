"""`.signatures.json` of an OPA bundle: a JSON Web Signature (RFC 7515) over the digests of the bundle's files.

OPA hashes `.manifest` and `data.json` as values and everything else as bytes. What is read here is compared with what
would have been written for the same files, so there is one text a set of files, and no header chooses anything.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from gate.formats.canonical_json import dumps
from gate.formats.dsse import DsseError, decode_base64
from gate.formats.strict_json import loads

PATH: Final = ".signatures.json"
KEY_ID: Final = "gate"
"""What an OPA server calls the key (`--verification-key-id`)."""
SCOPE: Final = "write"
"""What an OPA server is told to expect (`--scope`)."""
ALGORITHMS: Final = {
    "ecdsa-p256-sha256": "ES256",
    "ecdsa-p384-sha384": "ES384",
    "ed25519": "EdDSA",
    "rsa-pss-sha256": "PS256",
    "rsa-pkcs1v15-sha256": "RS256",
}
"""The names that OPA gives the algorithms of `gate.verify.keys` (`--signing-alg`)."""
_NUMBER_BYTES: Final = {"ES256": 32, "ES384": 48}
_FILE: Final = re.compile(rb'\{"signatures":\["([\w-]+\.[\w-]+)\.([\w-]+)"\]\}', re.ASCII)
# What the encoder of Go escapes and that of Python does not.
_SEPARATORS: Final = {0x2028: "\\u2028", 0x2029: "\\u2029"}


class OpaSignatureError(ValueError):
    """The file is no signature of a bundle's files that OPA and the gate read alike."""


class _Number(str):
    """A number as it is written: OPA keeps the text."""

    __slots__ = ()


def signing_input(files: Mapping[str, bytes], algorithm: str) -> bytes:
    """What is signed for these files, the signature file itself left out; `algorithm` is OPA's name.

    Raises `StrictJsonError` for a data file that is no JSON.
    """
    listed = [
        {"name": path, "hash": file_hash(path, data), "algorithm": "SHA-256"}
        for path, data in sorted(files.items())
        if path != PATH
    ]
    header = dumps({"alg": algorithm, "kid": KEY_ID, "typ": "JWT"})
    return b".".join(map(_encode, (header, dumps({"files": listed, "keyid": KEY_ID, "scope": SCOPE}))))


def signature_file(signed: bytes, algorithm: str, signature: bytes) -> bytes:
    """The file around a signature as `gate.attest` makes it: ECDSA in DER, which JOSE wants as two plain numbers."""
    size = _NUMBER_BYTES.get(algorithm)
    if size is not None:
        signature = b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(signature))
    return dumps({"signatures": [f"{signed.decode()}.{_encode(signature).decode()}"]})


def read_signature(data: bytes, files: Mapping[str, bytes]) -> tuple[bytes, bytes]:
    """The signature and the bytes it must be over; raises `OpaSignatureError` unless it is for exactly these files.

    The signature comes back in the form that `gate.verify.keys` checks. Nothing is verified here.
    """
    found = _FILE.fullmatch(data)
    if found is None:
        raise OpaSignatureError(f"{PATH} does not hold one signature as the gate writes it")
    fitting = [name for name in ALGORITHMS.values() if signing_input(files, name) == found[1]]
    if not fitting:
        raise OpaSignatureError(f"{PATH} is not for exactly the files of the bundle, the key id and scope of the gate")
    try:
        signature = decode_base64(found[2].decode() + "=" * (-len(found[2]) % 4), f"the signature in {PATH}")
    except DsseError as error:
        raise OpaSignatureError(str(error)) from None
    size = _NUMBER_BYTES.get(fitting[0])
    if size is not None:
        if len(signature) != 2 * size:
            raise OpaSignatureError(f"{PATH} holds a signature of the wrong length for {fitting[0]}")
        signature = encode_dss_signature(
            *(int.from_bytes(part, "big") for part in (signature[:size], signature[size:]))
        )
    return signature, found[1]


def file_hash(path: str, data: bytes) -> str:
    """The digest that OPA compares; raises `StrictJsonError` for a data file that is no JSON."""
    if path.rpartition("/")[2] not in {".manifest", "data.json"}:
        return hashlib.sha256(data).hexdigest()
    loads(data, limit=len(data))  # strict: without duplicate keys, which OPA reads in its own way
    value = json.loads(data, parse_int=_Number, parse_float=_Number)
    return hashlib.sha256("".join(_words(value)).encode("utf-8")).hexdigest()


def _words(value: Any) -> Iterator[str]:
    """The value as OPA writes it for hashing: without spaces, keys in the order of their code points."""
    if isinstance(value, dict):
        for place, key in enumerate(sorted(value)):
            yield "{" if place == 0 else ","
            yield f"{_string(key)}:"
            yield from _words(value[key])
        yield "}" if value else "{}"
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield "[" if place == 0 else ","
            yield from _words(item)
        yield "]" if value else "[]"
    elif isinstance(value, _Number):
        yield value
    else:
        yield _string(value)


def _string(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).translate(_SEPARATORS)


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
