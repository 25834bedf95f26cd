"""Timestamps (RFC 3161) over a signature, by the timestamp authorities of the trusted root."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gate.formats.timestamp_token import check_token
from gate.verify.certificate import KeylessError, quiet, short_text
from gate.verify.sigstore.root import Stamper

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

MAX_TIMESTAMPS: Final = 32


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
        at_s = int(response.tst_info.gen_time.timestamp())
    except Exception as error:  # whatever a library says about it: it is no timestamp
        raise KeylessError("timestamp", f"timestamp {number} cannot be read: {short_text(error)}") from error
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
