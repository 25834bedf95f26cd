"""The parts of a time stamp response (RFC 3161, RFC 5652) that no signature covers, and that readers pass over.

What they say has one right value each: the versions, and the algorithm of the signature, which follows from its digest
and the kind of key. Nothing else may stand there, so that no two texts are the same timestamp.
"""

from __future__ import annotations

from typing import Final

_SEQUENCE: Final = 0x30
_SET: Final = 0x31
_CONTENT: Final = 0xA0
_HASH: Final = "6086480165030402"  # the arc of SHA-2
_ECDSA: Final = "2a8648ce3d0403"
_RSA: Final = "2a864886f70d0101"
# The algorithms of a signature by the hash of its digest, as the content of an object identifier.
_SIGNED: Final = {
    f"{_HASH}{arc}": frozenset({f"{_ECDSA}{ecdsa}", f"{_RSA}{rsa}", f"{_RSA}01"})
    for arc, ecdsa, rsa in (("01", "02", "0b"), ("02", "03", "0c"), ("03", "04", "0d"))
}
_SIGNED_DATA: Final = b"\x02\x01\x03"
# By the first byte of how the signer is named: by issuer and number, or by the identifier of its key.
_SIGNER: Final = {_SEQUENCE: b"\x02\x01\x01", 0x80: b"\x02\x01\x03"}

Element = tuple[int, bytes, bytes]
"""A tag, the content, and the whole element."""


class TokenError(ValueError):
    """The response is not written as a timestamp authority writes it."""


def check_token(response: bytes) -> None:
    """Raises `TokenError` unless everything that no signature covers has its one right value."""
    _, content_info = _members(_only(response, _SEQUENCE), 2)
    _, wrapped = _members(content_info, 2)
    signed_data = _elements(_only(wrapped[1], _SEQUENCE)[1])
    if len(signed_data) < 4 or wrapped[0] != _CONTENT or signed_data[0][2] != _SIGNED_DATA:
        raise TokenError("the timestamp is no signed data of version 3")
    (signer,) = _members(signed_data[-1], 1)
    version, named, digest, attributes, algorithm, _ = _members(signer, 6)
    if _SIGNER.get(named[0]) != version[2] or attributes[0] != _CONTENT:
        raise TokenError("the timestamp's signer is of another version")
    if _identifier(algorithm) not in _SIGNED.get(_identifier(digest), frozenset()):
        raise TokenError("the timestamp names another algorithm than that of its signature")


def _identifier(element: Element) -> str:
    found = _elements(element[1])
    return found[0][1].hex() if found else ""


def _members(element: Element, count: int) -> list[Element]:
    found = _elements(element[1])
    if len(found) != count or element[0] not in {_SEQUENCE, _SET}:
        raise TokenError("the timestamp has other parts than it should have")
    return found


def _only(data: bytes, tag: int) -> Element:
    found = _elements(data)
    if len(found) != 1 or found[0][0] != tag:
        raise TokenError("the timestamp is no single element")
    return found[0]


def _elements(data: bytes) -> list[Element]:
    """The elements of DER one after the other; raises `TokenError`."""
    found = []
    place = 0
    while place < len(data):
        start, size = place + 2, data[place + 1] if place + 1 < len(data) else 0x80
        if size >= 0x80:
            start += size - 0x80
            size = int.from_bytes(data[place + 2 : start]) if 0x81 <= size <= 0x84 else len(data)
        if start + size > len(data):
            raise TokenError("the timestamp is not DER")
        found.append((data[place], data[start : start + size], data[place : start + size]))
        place = start + size
    return found
