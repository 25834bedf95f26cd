"""How pickles, arrays and tables of ranks begin: apart, so that a folder without them loads none of their readers."""

from __future__ import annotations

import re
from typing import Final

NPY_MAGIC: Final = b"\x93NUMPY"
# The operations of all protocols (CPython, Modules/_pickle.c): a pickle begins with one of these bytes.
_OPERATIONS: Final = frozenset(
    [*b"(.012BCFGIJKLMNPQRSTUVX]abcdeghijloprstqu)}", *range(0x80, 0x99)],
)

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


def suffix_of(path: str) -> str:
    """The last suffix of a name, in lower case, without its dot; a dot file's name counts as its suffix."""
    return path.rpartition("/")[2].rpartition(".")[2].lower() if "." in path.rpartition("/")[2] else ""
