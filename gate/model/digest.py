"""Digests in the one spelling that documents use: `sha256:` and 64 lower-case hexadecimal digits."""

from __future__ import annotations

import hashlib
import re
from typing import NewType

Digest = NewType("Digest", str)
"""`sha256:<64 lower-case hex>`."""

_HEX = re.compile(r"[0-9a-f]{64}")


def sha256_digest(data: bytes) -> Digest:
    """The SHA-256 of some bytes."""
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


def digest_from_hex(text: str) -> Digest | None:
    """A digest from its bare hexadecimal form; `None` unless it is exactly 64 lower-case digits."""
    return Digest("sha256:" + text) if _HEX.fullmatch(text) else None


def parse_digest(text: str) -> Digest | None:
    """A digest from `sha256:<hex>`; `None` for any other spelling."""
    return digest_from_hex(text.removeprefix("sha256:")) if text.startswith("sha256:") else None


def hex_of(digest: Digest) -> str:
    """The bare hexadecimal form, as in-toto digest sets write it."""
    return digest.removeprefix("sha256:")
