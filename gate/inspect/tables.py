"""Files of columns (Parquet, Arrow): they carry data only, and what loaders agree on is how they begin and end."""

from __future__ import annotations

from typing import Final

from gate.inspect.context import Context
from gate.inspect.source import Source
from gate.model.scan import FileInspection

_PARQUET: Final = b"PAR1"
_ARROW: Final = b"ARROW1"


def inspect_parquet(_path: str, source: Source, _context: Context) -> FileInspection:
    """Magic at both ends, and a footer that fits between them."""
    return _judged("parquet", source, len(_PARQUET), _PARQUET)


def inspect_arrow(_path: str, source: Source, _context: Context) -> FileInspection:
    """Magic at both ends (padded at the beginning), and a footer that fits between them; Feather 2 is the same."""
    return _judged("arrow", source, len(_ARROW) + 2, _ARROW)


def _judged(name: str, source: Source, start: int, magic: bytes) -> FileInspection:
    tail = source.read_at(source.size - len(magic) - 4, len(magic) + 4) if source.size >= start + 4 else b""
    footer = int.from_bytes(tail[:4], "little")
    if not tail.endswith(magic) or not 0 < footer <= source.size - start - len(tail):
        return FileInspection(name, inspected=False, reason=f"begins like {name}, and does not end like it")
    return FileInspection(name, inspected=True)
