"""Encrypted files of age, version 1, as far as they can be read without a key (C2SP, age.md).

The header is parsed strictly, so that nothing else passes for an encrypted file; its MAC and the ciphertext can be
checked only by who holds a key.
"""

from __future__ import annotations

import re
from typing import Final

VERSION_LINE: Final = b"age-encryption.org/v1\n"
_STANZA: Final = re.compile(rb"-> ([\x21-\x7e]+)((?: [\x21-\x7e]+)*)\n((?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n)")
_MAC: Final = re.compile(rb"--- [A-Za-z0-9+/]{43}\n")
_NONCE: Final = 16
_TAG: Final = 16
_CHUNK: Final = (64 << 10) + _TAG
_MAX_STANZAS: Final = 64


class AgeError(ValueError):
    """The bytes are no encrypted file of age."""


def recipient_kinds(data: bytes) -> tuple[str, ...]:
    """The kinds of the recipients that a file was encrypted to, in order; raises `AgeError` for what is no such file.

    Stanzas that mean nothing and are there to keep readers honest (`*-grease`) are left out.
    """
    if not data.startswith(VERSION_LINE):
        raise AgeError("it does not start as a file of age v1 does")
    place = len(VERSION_LINE)
    kinds: list[str] = []
    while stanza := _STANZA.match(data, place):
        kinds.append(stanza[1].decode("ascii"))
        place = stanza.end()
        if len(kinds) > _MAX_STANZAS:
            raise AgeError(f"it has more than {_MAX_STANZAS} recipients")
    mac = _MAC.match(data, place)
    if not kinds or mac is None:
        raise AgeError("its header is malformed or cut")
    _check_length(len(data) - mac.end() - _NONCE)
    return tuple(kind for kind in kinds if not kind.endswith("-grease"))


def _check_length(count: int) -> None:
    """The chunks of the ciphertext: each full but the last, which is empty only where it is the only one."""
    last = count % _CHUNK
    if count < _TAG or 0 < last < _TAG or (last == _TAG and count > _CHUNK):
        raise AgeError("its ciphertext is cut")
