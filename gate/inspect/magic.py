"""How pickles, arrays and tables of ranks begin: apart, so that a folder without them loads none of their readers."""

from __future__ import annotations

import re
from typing import Final

NPY_MAGIC: Final = b"\x93NUMPY"
# The operations of all protocols (CPython, Modules/_pickle.c): a pickle begins with one of these bytes.
_OPERATIONS: Final = frozenset(
    [*b"(.012BCFGIJKLMNPQRSTUVX]abcdeghijloprstqu)}", *range(0x80, 0x99)],
)

_TAR_BYTES: Final = 512
_RANKS: Final = re.compile(rb"(?:[A-Za-z0-9+/]{2,}={0,2} (?:0|[1-9][0-9]{0,8})\r?\n){2}")


def is_ranks_head(head: bytes) -> bool:
    """Whether bytes begin with two lines of a table of ranks, as tiktoken reads them."""
    return _RANKS.match(head) is not None


def is_pickle_head(head: bytes) -> bool:
    """Whether bytes begin with the PROTO operation of a known protocol."""
    return len(head) >= 2 and head[0] == 0x80 and head[1] <= 5


def may_be_pickle(head: bytes) -> bool:
    """Whether the first byte is an operation at all. JSON and most text never are."""
    return bool(head) and head[0] in _OPERATIONS


def is_tar_head(head: bytes) -> bool:
    """Whether bytes begin with a header that readers of tar archives take, which need no magic: its checksum fits.

    The sum can be of bytes with or without a sign, as octal digits or as a number of 56 bits.
    """
    block, field = head[:_TAR_BYTES], head[148:156]
    if len(block) < _TAR_BYTES:
        return False
    plain = sum(block) - sum(field) + 8 * 0x20
    signed = plain - 0x100 * sum(byte > 0x7F for byte in block[:148] + block[156:])
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big") in {plain, signed}
    try:
        return int(field.partition(b"\0")[0].decode("ascii").strip() or "0", 8) in {plain, signed}
    except ValueError:
        return False


def suffix_of(path: str) -> str:
    """The last suffix of a name, in lower case, without its dot; a dot file's name counts as its suffix."""
    return path.rpartition("/")[2].rpartition(".")[2].lower() if "." in path.rpartition("/")[2] else ""
