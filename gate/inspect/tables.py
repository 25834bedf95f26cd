"""Files of columns (Parquet, Arrow): what loaders agree on is how they begin and end, and between are data.

A column can be of a type that a program defines. One kind of them is a pickle in the description of the columns, which
PyArrow loaded by itself (CVE-2023-47248), and does still where it is told to.
"""

from __future__ import annotations

import base64
import re
from typing import Final

from gate.inspect.context import Context, Findings
from gate.inspect.source import Slice, Source, chunks
from gate.model.scan import FileInspection, Severity

_PARQUET: Final = b"PAR1"
_ARROW: Final = b"ARROW1"
_PICKLED: Final = b"arrow.py_extension_type"
"""The name of such a type; in Parquet it stands inside of a description in base64."""


def _in_base64(text: bytes) -> tuple[bytes, ...]:
    """What a text is within a longer one in base64: it may begin at three places in a group."""
    found = []
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + text)
        found.append(encoded[-(-before * 8 // 6) : (before + len(text)) * 8 // 6])
    return tuple(found)


_NAMES: Final = re.compile(b"|".join(map(re.escape, (_PICKLED, *_in_base64(_PICKLED)))))
_OVERLAP: Final = 64


def inspect_parquet(_path: str, source: Source, context: Context) -> FileInspection:
    """Magic at both ends, a footer that fits between them, and no pickles in it."""
    return _judged("parquet", source, len(_PARQUET), _PARQUET, context)


def inspect_arrow(_path: str, source: Source, context: Context) -> FileInspection:
    """Magic at both ends (padded at the beginning), a footer that fits between them, no pickles; also Feather 2."""
    return _judged("arrow", source, len(_ARROW) + 2, _ARROW, context)


def _judged(name: str, source: Source, start: int, magic: bytes, context: Context) -> FileInspection:
    tail = source.read_at(source.size - len(magic) - 4, len(magic) + 4) if source.size >= start + 4 else b""
    footer = int.from_bytes(tail[:4], "little")
    if not tail.endswith(magic) or not 0 < footer <= source.size - start - len(tail):
        return FileInspection(name, inspected=False, reason=f"begins like {name}, and does not end like it")
    found = Findings(context.limits.findings)
    if _names_pickles(Slice(source, source.size - len(tail) - footer, footer)):
        found.add("table.pickle", Severity.CRITICAL, "a column is of a type that is a pickle, which PyArrow may load")
    return FileInspection(name, inspected=True, findings=found.done())


def _names_pickles(footer: Source) -> bool:
    before = b""
    for chunk in chunks(footer):
        if _NAMES.search(before + chunk):
            return True
        before = chunk[-_OVERLAP:]
    return False
