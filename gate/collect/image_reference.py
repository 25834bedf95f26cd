"""References to container images, by the grammar of the OCI distribution specification."""

from __future__ import annotations

import re
from typing import Final

from gate.model.digest import Digest, digest_from_hex

_CHARACTERS: Final = 1024
_NAME_CHARACTERS: Final = 255
_LABEL: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?"
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
# Digits and separators never match in two ways, so this takes linear time; the length is limited besides.
_REFERENCE: Final = re.compile(
    rf"(?P<name>(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*)"
    rf"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?"
    r"(?:@(?P<algorithm>sha256|sha384|sha512):(?P<hex>[0-9a-f]{64,128}))?"
)
_HEX_DIGITS: Final = {"sha256": 64, "sha384": 96, "sha512": 128}


def image_digest(reference: str) -> Digest | None:
    """The SHA-256 that a reference pins, `None` for a tag, for neither tag nor digest, or another algorithm.

    Raises `ValueError` for what is no image reference.
    """
    found = _REFERENCE.fullmatch(reference) if len(reference) <= _CHARACTERS else None
    if found is None or len(found["name"]) > _NAME_CHARACTERS:
        raise ValueError(f"{reference[:200]!r} is not an image reference such as registry/name@sha256:<64 digits>")
    algorithm, digits = found["algorithm"], found["hex"]
    if algorithm is not None and len(digits) != _HEX_DIGITS[algorithm]:
        raise ValueError(f"{reference!r}: a {algorithm} digest has {_HEX_DIGITS[algorithm]} hexadecimal digits")
    return digest_from_hex(digits) if algorithm == "sha256" else None
