"""Attestations that BuildKit writes into the index of an image (Docker, "Image attestation storage").

They are in-toto statements as they are, and nobody signed them: who can write the image could write them. So they are
no evidence. Where a layer of that type is a DSSE envelope or a bundle, it is read as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.formats.oci import Descriptor
from gate.formats.strict_json import StrictJsonError, loads

STATEMENT: Final = "application/vnd.in-toto+json"
UNSIGNED: Final = "a statement that nobody signed is no evidence: sign it (gate sign, cosign attest)"
_TYPE: Final = "vnd.docker.reference.type"
_ATTESTATION: Final = "attestation-manifest"
_SIGNED: Final = ({"payload", "signatures"}, {"mediaType", "verificationMaterial"})


def is_attestation(entry: Descriptor) -> bool:
    """Whether an entry of an image's index holds attestations about another entry."""
    return entry.annotations.get(_TYPE) == _ATTESTATION


def is_signed(data: bytes) -> bool:
    """Whether a layer is in a form that can hold signatures; whether they are good is not said."""
    try:
        value = loads(data, limit=len(data))
    except StrictJsonError:
        return False
    return isinstance(value, Mapping) and any(members <= value.keys() for members in _SIGNED)
