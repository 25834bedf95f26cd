"""Vocabularies that are no JSON: SentencePiece models and tables of ranks as tiktoken reads them."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Final

from gate.inspect.context import CapError, Context, Findings, shown
from gate.inspect.protobuf import ProtobufError, Shape, read_messages
from gate.inspect.source import Source
from gate.inspect.tokenizer import check_charsmap
from gate.model.scan import FileInspection, Severity

_MODEL: Final[Mapping[str, Shape]] = {
    "model": Shape({1: "piece", 3: "rules", 5: "rules"}, {}, frozenset({2, 4})),
    "piece": Shape({}, {1: "word"}, frozenset({2, 3})),
    "rules": Shape({}, {1: "name"}, frozenset({3, 4, 5, 6}), {2: "table"}),
}
_WORD_BYTES: Final = 1 << 16
_TABLE_BYTES: Final = 8 << 20
_SHOWN: Final = 10
_RANK: Final = re.compile(rb"([A-Za-z0-9+/]+={0,2}) (0|[1-9][0-9]{0,8})")


def inspect_sentencepiece(_path: str, source: Source, context: Context) -> FileInspection:
    """Judges a model of SentencePiece: its pieces and the tables of normalisation, which its reader in C++ trusts."""
    found = Findings(context.limits.findings)
    limits = context.limits
    seen: set[str] = set()
    doubled = 0
    unknown: str | None = None
    try:
        for message in read_messages(source, "model", _MODEL, limits.protobuf_fields, _WORD_BYTES):
            if message.unknown:
                unknown = f"field {message.unknown[0]} of a {message.kind}"
            word = message.text("word")
            if message.kind == "piece" and word in seen and doubled < _SHOWN:
                doubled += 1
                found.add("tokenizer.duplicate", Severity.HIGH, f"a piece is there twice: {shown(word, 60)}")
            elif message.kind == "piece":
                seen.add(word)
            elif "table" in message.spans:
                _judge_table(source, message.spans["table"], found)
    except (ProtobufError, CapError) as problem:
        reason = f"named like a model of SentencePiece, and is none that is read: {problem}"
        return FileInspection("sentencepiece", inspected=False, reason=reason, findings=found.done())
    if unknown is not None or not seen:
        reason = f"holds {unknown}, which is not known here" if unknown else "holds no pieces of words"
        return FileInspection("sentencepiece", inspected=False, reason=reason, findings=found.done())
    return FileInspection("sentencepiece", inspected=True, findings=found.done())


def _judge_table(source: Source, span: tuple[int, int], found: Findings) -> None:
    first, last = span
    if first == last:
        return
    if last - first > _TABLE_BYTES:
        raise CapError("a table of normalisation is longer than the limit")
    problem = check_charsmap(source.read_at(first, last - first))
    if problem is not None:
        found.add("tokenizer.charsmap", Severity.HIGH, f"a table of normalisation is not sound: {problem}")


def inspect_ranks(_path: str, source: Source, context: Context) -> FileInspection:
    """Judges a table of ranks: one piece and its rank on each line, each of them once."""
    if source.size > context.limits.json_bytes:
        return FileInspection("tiktoken", inspected=False, reason="longer than the limit for vocabularies")
    found = Findings(context.limits.findings)
    pieces: set[bytes] = set()
    ranks: set[int] = set()
    for number, line in enumerate(source.read_at(0, source.size).splitlines(), 1):
        entry = _RANK.fullmatch(line)
        piece = _decoded(entry[1]) if entry else None
        if entry is None or piece is None:
            if not line:
                continue
            reason = f"line {number} is no piece with its rank"
            return FileInspection("tiktoken", inspected=False, reason=reason, findings=found.done())
        rank = int(entry[2])
        if piece in pieces or rank in ranks:
            found.add("tokenizer.duplicate", Severity.HIGH, f"line {number} has a piece or a rank that is there twice")
        pieces.add(piece)
        ranks.add(rank)
    return FileInspection("tiktoken", inspected=True, findings=found.done())


def _decoded(text: bytes) -> bytes | None:
    """The piece; `None` for what is not its one encoding."""
    try:
        piece = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return piece if base64.b64encode(piece) == text else None
