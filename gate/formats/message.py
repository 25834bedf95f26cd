"""Signatures over a message: a file, or what cosign says of an image, where DSSE signs a statement.

Source: sigstore/protobuf-specs, sigstore_common.proto (MessageSignature) and cosign's SIGNATURE_SPEC. The bundle gives
the digest of the message and not the message. What such a signature says is put as a statement about that digest; a
signed file and a signed statement never have the same payload, so one is never counted for the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gate.formats.dsse import DsseError, decode_base64
from gate.formats.intoto import StatementError
from gate.formats.strict_json import StrictJsonError, loads
from gate.model.digest import Digest, digest_from_hex
from gate.model.evidence import Statement, Subject
from gate.model.json import JsonObject, JsonValue

CLAIM: Final = "artifact.signature"
FILE_TYPE: Final = "urn:promotion-gate:signed-file:v1"
SINGLE_FILE: Final = "."
"""The name of a file that is signed alone, as in model signing."""
IMAGE_TYPE: Final = "https://sigstore.dev/cosign/sign/v1"
ALGORITHMS: Final[Mapping[str, str]] = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}
"""The hashes of a bundle, by their names there."""
_IMAGE_KINDS: Final = frozenset({"cosign container image signature", "atomic container signature"})
_MEMBERS: Final = frozenset({"messageDigest", "signature"})


class MessageError(ValueError):
    """Not a signature over a message that the gate reads. `code` is the reason word of the rejection."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class MessageSignature:
    """A signature over a message with this digest; nothing in it is verified.

    `algorithm` is the hash. `message` is the message itself, where the place of the evidence tells it.
    """

    signature: bytes
    algorithm: str
    digest: bytes
    message: bytes | None = None

    @property
    def payload(self) -> bytes:
        """What stands for the message wherever payloads are compared: itself, or for a file, a text about it.

        That text is no JSON, so the payload of no statement is equal to it.
        """
        return f"{FILE_TYPE} {self.algorithm}:{self.digest.hex()}".encode() if self.message is None else self.message

    @property
    def digests(self) -> tuple[Digest | None, Mapping[str, str]]:
        """Its digest as a subject has it: SHA-256, or another one by its name."""
        text = self.digest.hex()
        return (Digest(f"sha256:{text}"), {}) if self.algorithm == "sha256" else (None, {self.algorithm: text})


def parse_message(value: JsonValue, message: bytes | None, logged: tuple[str, bytes] | None) -> MessageSignature:
    """The `messageSignature` of a bundle; raises `MessageError`.

    A bundle may leave the digest out: then it is that of the message, or the one in its log entry (`logged`).
    """
    if not isinstance(value, Mapping) or value.keys() - _MEMBERS:
        raise MessageError("shape", "messageSignature is not an object of messageDigest and signature")
    try:
        signature = decode_base64(value.get("signature"), "signature")
        stated = _stated(value.get("messageDigest"))
    except DsseError as error:
        raise MessageError(error.code, str(error)) from None
    if stated is None and message is not None:
        stated = "sha256", hashlib.sha256(message).digest()
    found = stated or logged
    if found is None:
        raise MessageError("shape", "messageSignature has no messageDigest, and no log entry that tells it")
    algorithm, digest = found
    if len(digest) != hashlib.new(algorithm).digest_size:
        raise MessageError("shape", f"messageDigest is no {algorithm}")
    if message is not None and hashlib.new(algorithm, message).digest() != digest:
        raise MessageError("digest", "messageDigest is not that of the message")
    return MessageSignature(signature, algorithm, digest, message)


def _stated(value: JsonValue) -> tuple[str, bytes] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or value.keys() != {"algorithm", "digest"}:
        raise MessageError("shape", "messageDigest is not an object of algorithm and digest")
    algorithm = ALGORITHMS.get(str(value["algorithm"]))
    if algorithm is None:
        raise MessageError("algorithm", f"messageDigest is none of {', '.join(ALGORITHMS)}")
    return algorithm, decode_base64(value["digest"], "messageDigest")


def read_message(signed: MessageSignature) -> Statement:
    """What a signature says of what it is over; raises `StatementError`. Called for what was verified."""
    if signed.message is None:
        subject = Subject("", *signed.digests)
        return _statement(FILE_TYPE, subject, {})
    image, predicate = _image(signed.message)
    return _statement(IMAGE_TYPE, Subject("", image), predicate)


def _statement(kind: str, subject: Subject, predicate: JsonObject) -> Statement:
    return Statement(
        claim=CLAIM,
        predicate_type=kind,
        subjects=(subject,),
        resources=(subject,),
        exhaustive=False,
        depends_on=(),
        stated_at_s=None,
        facts=_facts(kind, subject.digest),
        predicate=predicate,
    )


def _facts(kind: str, digest: Digest | None) -> JsonObject:
    """The file by its digest; its SHA-256 may have to be found by another one."""
    if kind != FILE_TYPE:
        return {"files": {}, "method": "image"}
    return {"files": {} if digest is None else {SINGLE_FILE: digest}, "method": "file"}


def _image(message: bytes) -> tuple[Digest, JsonObject]:
    """The image that a simple-signing payload is about, and the payload."""
    try:
        value = loads(message)
    except StrictJsonError as error:
        raise StatementError("json", f"the signed message is not strict JSON: {error}") from None
    critical = value.get("critical") if isinstance(value, Mapping) else None
    image = critical.get("image") if isinstance(critical, Mapping) else None
    if not isinstance(value, Mapping) or not isinstance(critical, Mapping) or not isinstance(image, Mapping):
        raise StatementError("message", "the signed message does not name an image as cosign does")
    # What else is in it could make the same bytes a statement too.
    if value.keys() - {"critical", "optional"} or critical.keys() - {"identity", "image", "type"}:
        raise StatementError("message", "the signed message has members that cosign does not write")
    if critical.get("type") not in _IMAGE_KINDS:
        raise StatementError("message", f"the signed message is of type {str(critical.get('type'))[:80]!r}")
    text = image.get("docker-manifest-digest")
    digest = digest_from_hex(text.removeprefix("sha256:")) if isinstance(text, str) else None
    if digest is None or digest != text:
        raise StatementError("subject_digest", "docker-manifest-digest is not sha256:<64 lower-case hex>")
    return digest, dict(value)
