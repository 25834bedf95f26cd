"""Timestamps (RFC 3161) over a signature, by the timestamp authorities of the trusted root."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gate.formats.timestamp_token import check_token
from gate.verify.certificate import KeylessError, quiet, short_text
from gate.verify.sigstore.root import Stamper

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

MAX_TIMESTAMPS: Final = 32
_SHA_2: Final = "2.16.840.1.101.3.4.2"
_HASHES: Final = {f"{_SHA_2}.1": "sha256", f"{_SHA_2}.2": "sha384", f"{_SHA_2}.3": "sha512"}


@quiet()
def stamped_times(stamps: Sequence[bytes], signature: bytes, stampers: Sequence[Stamper]) -> list[int]:
    """When each of these timestamps says that the signature was there; raises `KeylessError` unless all of them hold.

    An authority counts at times at which it is trusted, by itself: no other one's time makes up for its own.
    """
    if len(stamps) > MAX_TIMESTAMPS:
        raise KeylessError("timestamp", f"{len(stamps)} timestamps, at most {MAX_TIMESTAMPS} are read")
    if len(set(stamps)) < len(stamps):
        raise KeylessError("timestamp", "the same timestamp is there twice")
    return [_time_of(number, data, signature, stampers) for number, data in enumerate(stamps)]


def _time_of(number: int, data: bytes, signature: bytes, stampers: Sequence[Stamper]) -> int:
    from rfc3161_client import decode_timestamp_response

    try:
        check_token(data)
        response = decode_timestamp_response(data)
        at_s, imprint = int(response.tst_info.gen_time.timestamp()), response.tst_info.message_imprint
        hashed = _HASHES.get(imprint.hash_algorithm.dotted_string)
    except Exception as error:  # whatever a library says about it: it is no timestamp
        raise KeylessError("timestamp", f"timestamp {number} cannot be read: {short_text(error)}") from error
    if hashed is not None and hashlib.new(hashed, signature).digest() != imprint.message:
        raise KeylessError("timestamp", f"timestamp {number} is over other bytes than the signature")
    if not any(item.span.holds(at_s) and _is_by(item, response, signature) for item in stampers):
        raise KeylessError("timestamp", f"timestamp {number} is by no timestamp authority of the trusted root")
    return at_s


def _is_by(stamper: Stamper, response: TimeStampResponse, signature: bytes) -> bool:
    from rfc3161_client import VerificationError

    try:
        stamper.verifier.verify_message(response, signature)
    except (VerificationError, ValueError):
        return False
    return True
