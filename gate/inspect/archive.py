"""Containers: zip archives (torch, NumPy, plain) and compressed streams. Nothing is unpacked to disk.

Every member is judged by its content, as a file of its own would be. What cannot be judged makes the whole archive
uninspected.
"""

from __future__ import annotations

import importlib
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from gate.inspect.advice import why_not
from gate.inspect.context import CapError, Context, Findings, shown
from gate.inspect.magic import NPY_MAGIC, is_pickle_head, suffix_of
from gate.inspect.numpy import inspect_npy
from gate.inspect.pickle import Hidden, hidden_pickle, inspect_torch_data
from gate.inspect.pickle_values import Storage
from gate.inspect.source import CHUNK_BYTES, BytesSource, Slice, Source, SourceError
from gate.inspect.torchscript import judge_code
from gate.inspect.zip_directory import Member, ZipError, read_directory
from gate.model.scan import FileInspection, Severity

_STORED: Final = 0
_DEFLATED: Final = 8
_PREFIX_BYTES: Final = 128 << 10
_TORCH_NOTES: Final = frozenset(
    {"version", "byteorder", ".data/serialization_id", ".format_version", ".storage_alignment"}
)
_STORAGE: Final = re.compile(r"data/([0-9]{1,19})")
_SETTINGS: Final[Mapping[str, str]] = {
    "keras": "config.json",
    "skops": "schema.json",
    "mar": "MAR-INF/MANIFEST.json",
}
"""Archives with a member that says what is built or run; the module of that name judges it."""
_EXPORTED: Final = "pt2"
_PROGRAM: Final = "serialized_exported_program.json"
"""A program that PyTorch exported, whose reader evaluates expressions in it."""
Inspect = Callable[[str, Source, Context], FileInspection]
_NOTE: Final = re.compile(rb"[0-9A-Za-z_.\- ]{0,255}\n?")


class _Decompressor(Protocol):
    """The part of the decompressors of gzip, bz2 and lzma that is used."""

    @property
    def eof(self) -> bool:
        """Whether the stream ended."""

    @property
    def unused_data(self) -> bytes:
        """What follows the stream."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """More output, at most `max_length` bytes."""


@dataclass(frozen=True, slots=True)
class _Prefix:
    """The first bytes of something larger; reading beyond them is an error."""

    data: bytes
    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        """See `Source`."""
        wanted = min(length, self.size - offset)
        if offset + wanted > len(self.data):
            raise SourceError("unpacks to more than the limit")
        return self.data[offset : offset + wanted]


def inspect_zip(path: str, source: Source, context: Context) -> FileInspection:
    """Judges the structure and every member of a zip archive."""
    found = Findings(context.limits.findings)
    try:
        members = read_directory(source, context.limits, found)
        context.budget.spend_members(len(members))
    except ZipError as problem:
        message = f"not a readable zip archive: {problem}"
        found.add("archive.structure", Severity.HIGH, message)
        return FileInspection("zip", inspected=False, reason=message, findings=found.done())
    except CapError as problem:
        return FileInspection("zip", inspected=False, reason=str(problem), findings=found.done())
    if sum(member.packed for member in members) > source.size:
        # Members that share bytes would be read once for each of them.
        return FileInspection("zip", inspected=False, reason="its members overlap", findings=found.done())
    prefix = _torch_prefix(members)
    kind = _kind(members, prefix)
    reader = _Archive(source, context, found, prefix, kind)
    if kind == "zip" and (suffix_of(path) == _EXPORTED or any(m.name.endswith(_PROGRAM) for m in members)):
        return FileInspection(kind, inspected=False, reason=why_not(f"a.{_EXPORTED}", kind), findings=found.done())
    reasons = [why for member in members if (why := reader.judge(member)) is not None]
    reader.check_storages()
    if reasons:
        first = f"{len(reasons)} of {len(members)} members, first: {reasons[0]}"
        return FileInspection(kind, inspected=False, reason=first, findings=found.done(), templates=found.templates)
    return FileInspection(kind, inspected=True, findings=found.done(), templates=found.templates)


def _torch_prefix(members: Sequence[Member]) -> str | None:
    """The folder of a torch archive, if it is one: the first member's, and it holds `data.pkl`."""
    prefix = members[0].name.partition("/")[0] + "/" if members else ""
    return prefix if any(member.name == prefix + "data.pkl" for member in members) else None


def _kind(members: Sequence[Member], prefix: str | None) -> str:
    names = {member.name for member in members}
    if prefix is not None:
        return "torchscript" if any(name.startswith(prefix + "code/") for name in names) else "torch"
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    if {"metadata.json", "config.json"} <= names and "model.weights.h5" in names:
        return "keras"
    return next((kind for kind in ("mar", "skops") if _SETTINGS[kind] in names), "zip")


class _Archive:
    """The members of one archive, one after the other."""

    def __init__(self, source: Source, context: Context, found: Findings, prefix: str | None, kind: str) -> None:
        self._source = source
        self._context = context
        self._found = found
        self._prefix = prefix
        self._kind = kind
        self._storages: Mapping[str, Storage] = {}
        self._sizes: dict[str, int] = {}

    def judge(self, member: Member) -> str | None:
        """Why a member was not inspected; `None` if it was."""
        if member.is_folder:
            return None
        try:
            return self._judge(member)
        except (CapError, SourceError) as problem:
            return f"{shown(member.name)} {problem}"

    def _judge(self, member: Member) -> str | None:
        inside = self._open(member)
        if self._prefix is not None and member.name.startswith(self._prefix):
            name = member.name.removeprefix(self._prefix)
            if name == "data.pkl":
                inspection, walk = inspect_torch_data(inside, self._context)
                self._storages = walk.storages
                return self._take(member, inspection)
            if name in _TORCH_NOTES and _NOTE.fullmatch(inside.read_at(0, 512)):
                return None
            if (storage := _STORAGE.fullmatch(name)) is not None:
                self._sizes[storage[1]] = member.unpacked
                return self._judge_storage(member, inside)
            if name.startswith("code/"):
                judge_code(member.name, inside, self._found)
                return None
        context = self._context.deeper()
        if member.name == _SETTINGS.get(self._kind):
            settings: Inspect = importlib.import_module(f"gate.inspect.{self._kind}").inspect_settings
            return self._take(member, settings(member.name, inside, context))
        if isinstance(inside, _Prefix):
            return self._take(member, inspect_npy(member.name, inside, context))
        return self._take(member, context.nested(member.name, inside, context))

    def _judge_storage(self, member: Member, inside: Source) -> str | None:
        """Raw numbers, that no loader takes for anything else; a pickle among them is there to be found by one."""
        hidden = hidden_pickle(inside, self._context) if is_pickle_head(inside.read_at(0, 2)) else Hidden.NO
        if hidden is Hidden.YES:
            self._found.add("archive.hidden_pickle", Severity.CRITICAL, f"storage {shown(member.name)} is a pickle")
        return f"{shown(member.name)}: may be a pickle" if hidden is Hidden.UNKNOWN else None

    def _take(self, member: Member, inspection: FileInspection) -> str | None:
        for finding in inspection.findings:
            self._found.add(finding.rule, finding.severity, f"{shown(member.name)}: {finding.message}")
        for name, template in inspection.templates.items():
            self._found.add_template(f"{shown(member.name)}: {name}", template)
        return None if inspection.inspected else f"{shown(member.name)}: {inspection.reason}"

    def _open(self, member: Member) -> Source:
        packed = Slice(self._source, member.data, member.packed)
        if member.method == _STORED and member.packed == member.unpacked:
            return packed
        if member.method != _DEFLATED or member.flags & 1:
            raise CapError("is stored in a way that is not read")
        limits = self._context.limits
        if member.unpacked > member.packed * limits.ratio + 1024:
            self._found.add(
                "archive.bomb", Severity.HIGH, f"member {shown(member.name)} says it unpacks to more than it can"
            )
            raise CapError("unpacks to more than it can")
        if member.unpacked > limits.inflated_bytes:
            prefix = _inflate(packed, _PREFIX_BYTES, self._context, whole=False)
            if not prefix.startswith(NPY_MAGIC):
                raise CapError("unpacks to more than the limit")
            return _Prefix(prefix, member.unpacked)
        data = _inflate(packed, member.unpacked, self._context, whole=True)
        if len(data) != member.unpacked:
            self._found.add("archive.size", Severity.HIGH, f"member {shown(member.name)} is shorter than it says")
        return BytesSource(data)

    def check_storages(self) -> None:
        """Torch: the storages are those that the pickle refers to, with the size that its tensors take for granted."""
        for key, storage in self._storages.items():
            if self._sizes.get(key) != storage.elements * storage.element_bytes:
                message = f"storage {shown(key, 40)} is missing, or has another size than its tensors say"
                self._found.add("pickle.storage", Severity.HIGH, message)
        for key in self._sizes.keys() - self._storages.keys():
            message = f"storage {shown(key, 40)} belongs to no tensor"
            self._found.add("archive.unused_storage", Severity.HIGH, message)


def _inflate(source: Source, limit: int, context: Context, *, whole: bool) -> bytes:
    """Unpacks raw deflate to at most `limit` bytes; with `whole`, the stream must not hold more."""
    try:
        data, complete, _ = _unpack(source, 0, zlib.decompressobj(-15), limit, context)
    except zlib.error:
        raise CapError("cannot be unpacked") from None
    if whole and not complete:
        raise CapError("unpacks to more than it says, or breaks off")
    return data


def _unpack(source: Source, start: int, stream: _Decompressor, limit: int, context: Context) -> tuple[bytes, bool, int]:
    """Unpacks one stream: its bytes up to the limit, whether it came to its end within it, and where it ended."""
    parts: list[bytes] = []
    left, at, waiting, ended = limit + 1, start, b"", False
    while left > 0 and not ended:
        if not waiting:
            waiting = source.read_at(at, CHUNK_BYTES)
            at += len(waiting)
        part = stream.decompress(waiting, min(left, CHUNK_BYTES))
        waiting, ended = getattr(stream, "unconsumed_tail", b""), stream.eof
        if not part and not waiting and not ended and at >= source.size:
            break
        context.budget.spend_inflated(len(part))
        parts.append(part)
        left -= len(part)
    return b"".join(parts)[:limit], ended and left > 0, at - len(stream.unused_data)


def _gzip() -> _Decompressor:
    return zlib.decompressobj(31)


def _zlib() -> _Decompressor:
    return zlib.decompressobj(15)


def _bz2() -> _Decompressor:
    import bz2

    return bz2.BZ2Decompressor()


def _lzma() -> _Decompressor:
    import lzma

    return lzma.LZMADecompressor(memlimit=64 << 20)


COMPRESSED: Final[Mapping[str, Callable[[], _Decompressor]]] = {
    "gzip": _gzip,
    "zlib": _zlib,
    "bz2": _bz2,
    "xz": _lzma,
    "lzma": _lzma,
}
"""Formats of a single compressed stream."""


def inspect_compressed(path: str, source: Source, context: Context, name: str) -> FileInspection:
    """Unpacks a stream in memory, up to the limit, and judges what is in it, as joblib would load it."""
    found = Findings(context.limits.findings)
    parts: list[bytes] = []
    at, left = 0, context.limits.inflated_bytes
    inside = context.deeper()
    try:
        while at < source.size:
            if len(parts) >= context.limits.compressed_streams:
                return FileInspection(name, inspected=False, reason="holds more streams than the limit")
            data, complete, end = _unpack(source, at, COMPRESSED[name](), left, context)
            if not complete:
                return FileInspection(name, inspected=False, reason="unpacks to more than the limit, or breaks off")
            parts.append(data)
            left -= len(data)
            at = end
    except CapError as problem:
        return FileInspection(name, inspected=False, reason=str(problem))
    except Exception as problem:  # noqa: BLE001 - zlib.error, LZMAError, OSError and EOFError share nothing else
        if not parts:
            return FileInspection(name, inspected=False, reason=f"cannot be unpacked: {type(problem).__name__}")
        found.add("archive.trailing_data", Severity.HIGH, "bytes follow the end of the compressed stream")
    inner = inside.nested(
        path.removesuffix(".gz").removesuffix(".bz2").removesuffix(".xz"), BytesSource(b"".join(parts)), inside
    )
    found.extend(inner.findings)
    reason = None if inner.inspected else f"holds {inner.format}: {inner.reason}"
    return FileInspection(name, inner.inspected, reason, found.done(), inner.templates)
