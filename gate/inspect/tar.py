"""Tar archives (POSIX ustar and pax, GNU): every member is judged where it lies, and nothing is unpacked.

The module `tarfile` is not used: it forgives what other readers do not, and they would see other members than it does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gate.inspect.context import CapError, Context, Findings, shown
from gate.inspect.source import Slice, Source, chunks
from gate.inspect.torch_tar import MEMBERS as TORCH_MEMBERS
from gate.inspect.torch_tar import inspect_torch_tar
from gate.inspect.zip_directory import find_end
from gate.model.path import is_plain_relative
from gate.model.scan import FileInspection, Severity

_BLOCK: Final = 512
_OCTAL: Final = re.compile(rb" *([0-7]{1,12})[ \0]*")
_RECORD: Final = re.compile(rb"([1-9][0-9]{0,8}) ([^=\n]{1,255})=")
_NOTES: Final = "gxLK"
_NOTE_BYTES: Final = 1 << 20
_LARGE: Final = 1 << 33
_PLAIN_NOTES: Final = frozenset(
    {"atime", "comment", "ctime", "gid", "gname", "linkpath", "mtime", "path", "size", "uid", "uname"}
)
_ZIPS: Final = frozenset({"keras", "mar", "npz", "skops", "tar", "torch", "torchscript", "zip"})
"""Formats whose inspectors judge the zip archive that a reader finds from their end."""


class TarError(Exception):
    """The structure cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class TarMember:
    """One member: its name, the letter of its type, and where its bytes are."""

    name: str
    kind: str
    data: int
    size: int


def inspect_tar(_path: str, source: Source, context: Context) -> FileInspection:
    """Judges the structure and every member of a tar archive."""
    found = Findings(context.limits.findings)
    reader = _Archive(source, context.deeper(), found)
    try:
        for member in read_members(source, context.limits.archive_members, found):
            context.budget.spend_members(1)
            reader.judge(member)
        is_torch = reader.judge_kept()
    except (CapError, TarError) as problem:
        broken = f"not a readable tar archive: {problem}"
        found.add("archive.structure", Severity.HIGH, broken)
        return FileInspection("tar", inspected=False, reason=broken, findings=found.done(), templates=found.templates)
    reader.check_end()
    reason = f"{len(reader.reasons)} members, first: {reader.reasons[0]}" if reader.reasons else None
    name = "torch.tar" if is_torch else "tar"
    return FileInspection(name, not reader.reasons, reason, found.done(), found.templates)


class _Archive:
    """The members of one archive, one after the other."""

    def __init__(self, source: Source, inside: Context, found: Findings) -> None:
        self.reasons: list[str] = []
        self._source = source
        self._inside = inside
        self._found = found
        self._seen: set[str] = set()
        self._zips: list[range] = []
        self._kept: dict[str, TarMember] = {}

    def judge(self, member: TarMember) -> None:
        """One member: its name, its type, its bytes."""
        label = shown(member.name)
        name = member.name.removeprefix("./").removesuffix("/")
        if name not in {"", "."} and not is_plain_relative(name):
            self._found.add("archive.path", Severity.HIGH, f"member {label} does not stay below the archive's root")
        if name.casefold() in self._seen:
            self._found.add("archive.duplicate", Severity.HIGH, f"member {label} is there twice")
        self._seen.add(name.casefold())
        if member.kind in "12346":
            self._found.add("archive.link", Severity.HIGH, f"member {label} is a link or a device")
        elif member.kind == "0" and name in TORCH_MEMBERS and name not in self._kept:
            self._kept[name] = member
        elif member.kind == "0":
            self._judge(name, label, member)
        elif member.kind != "5":
            self.reasons.append(f"{label}: is of a kind that is not read")

    def judge_kept(self) -> bool:
        """The members of a model that torch wrote long ago; all four together are one. Raises `CapError`."""
        is_torch = self._kept.keys() >= TORCH_MEMBERS
        if is_torch:
            parts = {name: Slice(self._source, member.data, member.size) for name, member in self._kept.items()}
            inspect_torch_tar(parts, self._inside, self._found)
        else:
            for name, member in self._kept.items():
                self._judge(name, shown(member.name), member)
        return is_torch

    def _judge(self, name: str, label: str, member: TarMember) -> None:
        try:
            judged = self._inside.nested(name, Slice(self._source, member.data, member.size), self._inside)
            for finding in judged.findings:
                self._found.add(finding.rule, finding.severity, f"{label}: {finding.message}")
            for place, template in judged.templates.items():
                self._found.add_template(f"{label}: {place}", template)
        except CapError as problem:
            self.reasons.append(f"{label}: {problem}")
            return
        if not judged.inspected:
            self.reasons.append(f"{label}: {judged.reason}")
        if judged.format in _ZIPS:
            self._zips.append(range(member.data, member.data + member.size))

    def check_end(self) -> None:
        """A zip archive that a reader finds from the end must be one of the members."""
        end = find_end(self._source)
        if end is not None and not any(end in span for span in self._zips):
            self._found.add("file.polyglot", Severity.CRITICAL, "is a zip archive too: one can be read from its end")


def read_members(source: Source, limit: int, found: Findings) -> Iterator[TarMember]:
    """The members, one after the other; adds what is odd to the findings.

    Raises `TarError`, and `CapError` beyond the limit.
    """
    at, count = 0, 0
    notes: dict[str, str] = {}
    while True:
        header = source.read_at(at, _BLOCK)
        if len(header) < _BLOCK:
            raise TarError("it breaks off without an end")
        if not header.strip(b"\0"):
            break
        member = _member(header, at + _BLOCK, notes, found)
        count += 1
        if count > limit:
            raise CapError("it has more members than the limit")
        after = member.data + member.size
        at = -(-after // _BLOCK) * _BLOCK
        if at > source.size:
            raise TarError("a member reaches past the end of the file")
        if source.read_at(after, at - after).strip(b"\0"):
            found.add("archive.layout", Severity.HIGH, f"behind member {shown(member.name)} bytes are hidden")
        if member.kind in _NOTES:
            _take_note(member, source, notes, found)
        else:
            notes = {}
            yield member
    if notes:
        raise TarError("it ends where a member was announced")
    if any(chunk.strip(b"\0") for chunk in chunks(source, at)):
        found.add("archive.trailing_data", Severity.HIGH, "bytes follow the end of the archive")


def _member(header: bytes, data: int, notes: Mapping[str, str], found: Findings) -> TarMember:
    """What a header says, and what was noted for it before."""
    if _number(header[148:156]) != sum(header[:148]) + sum(b" " * 8) + sum(header[156:]):
        raise TarError("a header has another checksum than it says")
    name = _text(header[:100])
    if header[345]:
        if header[257:263] != b"ustar\0":
            raise TarError("a header has a second part of a name, which only some readers take for one")
        name = f"{_text(header[345:500])}/{name}"
    # Before there were types, a folder's name ended with a slash.
    kind = chr(header[156]) if header[156] else "5" if name.endswith("/") else "0"
    size = _number(header[124:136])
    if kind in _NOTES:
        return TarMember(name, kind, data, size)
    if "size" in notes:
        noted = int(notes["size"])
        if noted != size and (size != 0 or noted < _LARGE):
            found.add("archive.mismatch", Severity.HIGH, f"member {shown(name)} has two sizes")
        size = noted
    if kind == "7":
        kind = "0"
    name = notes.get("path", name)
    if size and (kind in "123456" or name.endswith("/")):
        found.add("archive.structure", Severity.HIGH, f"member {shown(name)} has bytes, which its kind has not")
    return TarMember(name, kind, data, size)


def _take_note(member: TarMember, source: Source, notes: dict[str, str], found: Findings) -> None:
    """What a member says of the one that follows."""
    if member.size > _NOTE_BYTES:
        raise TarError("a header is longer than the limit")
    data = source.read_at(member.data, member.size)
    if member.kind == "K":
        return  # the target of a link, and links are refused
    records = {"path": _text(data)} if member.kind == "L" else dict(_records(data))
    odd = records.keys() - _PLAIN_NOTES
    if any(not name.startswith(("SCHILY.", "LIBARCHIVE.")) for name in odd):
        raise TarError("a header says what is not read")
    if member.kind == "g" and records.keys() & {"linkpath", "path", "size"}:
        raise TarError("a header gives all members one name or size")
    if "size" in records and not re.fullmatch("[0-9]{1,18}", records["size"]):
        raise TarError("a header has a size that is no number")
    if notes.keys() & records.keys():
        found.add("archive.mismatch", Severity.HIGH, "a member is announced twice")
    notes.update({name: value for name, value in records.items() if name in {"path", "size"}})


def _records(data: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(data):
        record = _RECORD.match(data, at)
        end = at + int(record[1]) if record else 0
        if record is None or end > len(data) or end <= record.end() or data[end - 1 : end] != b"\n":
            raise TarError("a header cannot be read")
        value = data[record.end() : end - 1]
        yield record[2].decode("utf-8", "backslashreplace"), value.decode("utf-8", "backslashreplace")
        at = end


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def _number(field: bytes) -> int:
    octal = _OCTAL.fullmatch(field)
    if octal is not None:
        return int(octal[1], 8)
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    raise TarError("a header holds a number that cannot be read")
