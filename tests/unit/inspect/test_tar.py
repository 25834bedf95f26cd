"""Tar archives: members are judged where they lie, and what two readers could see differently is a finding."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
from typing import Any

import pytest

from gate.model.scan import FileInspection
from tests.support import samples
from tests.support.looking import is_clean, look, rules

EVIL = samples.call("os", "system")
Content = tuple[str, bytes] | tarfile.TarInfo


def tar(*members: Content, form: int = tarfile.PAX_FORMAT, **more: Any) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, **more) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            info = tarfile.TarInfo(member[0])
            info.size = len(member[1])
            archive.addfile(info, io.BytesIO(member[1]))
    return out.getvalue()


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def block(name: bytes = b"a.txt", data: bytes = b"", kind: bytes = b"0", **fields: bytes) -> bytes:
    """One member, with fields that no library would write."""
    header = bytearray(512)
    header[: len(name)] = name
    size = fields.get("size", b"%011o\0" % len(data))
    header[124 : 124 + len(size)] = size
    header[156:157] = kind
    magic = fields.get("magic", b"ustar\x0000")
    header[257 : 257 + len(magic)] = magic
    header[345 : 345 + len(fields.get("prefix", b""))] = fields.get("prefix", b"")
    header[148:156] = fields.get("checksum", b"%06o\0 " % (sum(header) + 256))
    return bytes(header) + data + fields.get("padding", bytes(-len(data) % 512))


END = bytes(1024)


def seen(*parts: bytes, name: str = "x.tar", **limits: int) -> FileInspection:
    return look(name, b"".join(parts), **limits)


def pax(*records: bytes, kind: bytes = b"x") -> bytes:
    return block(b"PaxHeader", b"".join(records), kind)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_good_archives_are_clean(form: int) -> None:
    long = "/".join(["folder"] * 14) + "/README.md"
    data = tar(special(".", tarfile.DIRTYPE), ("./config.json", b"{}"), (long, b"x" * 2000), form=form)
    for found in (look("x.tar", data), look("x.tgz", gzip.compress(data))):
        assert is_clean(found), found
    assert look("x.tar", data).format == "tar"


def test_members_are_judged_by_their_content() -> None:
    found = look("x.tar", tar(("a/README.md", b"ok"), ("b/weights.bin", EVIL), ("c.py", b"1"), ("d.xyz", b"\x01\x02")))
    assert {"pickle.global", "remote_code.file"} <= rules(found)
    assert any(finding.message.startswith("b/weights.bin: ") for finding in found.findings)
    assert (found.inspected, found.reason) == (False, "1 members, first: d.xyz: format unknown")


def test_long_names_of_all_forms_are_read() -> None:
    long = "d/" * 200 + "run.py"
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        assert rules(look("x.tar", tar((long, b"x"), form=form))) == {"remote_code.file"}
    prefixed = "d/" * 60 + "run.py"
    assert rules(look("x.tar", tar((prefixed, b"x"), form=tarfile.USTAR_FORMAT))) == {"remote_code.file"}


@pytest.mark.parametrize("name", ["../a.txt", "/etc/a.txt", "a/../../b.txt", "a//b.txt", "a\\..\\b.txt"])
def test_members_outside_of_the_root(name: str) -> None:
    assert "archive.path" in rules(look("x.tar", tar((name, b"x"))))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices(kind: bytes) -> None:
    assert rules(look("x.tar", tar(special("a.txt", kind, "/etc/passwd")))) == {"archive.link"}
    assert rules(look("x.tar", tar(special("a.txt", kind, "x" * 200), form=tarfile.GNU_FORMAT))) == {"archive.link"}


def test_names_that_are_there_twice() -> None:
    assert rules(look("x.tar", tar(("a.txt", b"1"), ("./A.txt", b"2")))) == {"archive.duplicate"}


def test_archives_in_archives() -> None:
    inner = tar(("weights.bin", EVIL))
    assert "pickle.global" in rules(look("x.tar", tar(("y.tar", tar(("z.tar", inner))))))
    assert "pickle.global" in rules(look("x.tar", tar(("y.zip", samples.zip_bytes({"w.bin": EVIL})))))
    assert "pickle.global" in rules(look("x.zip", samples.zip_bytes({"y.tar": inner})))
    deep = inner
    for _ in range(5):
        deep = tar(("y.tar", deep))
    assert not look("x.tar", deep).inspected


def test_a_zip_at_the_end_must_be_a_member() -> None:
    packed = samples.zip_bytes({"a.txt": b"x"})
    for data in (tar(("y.zip", packed)), tar(("z.tar", tar(("y.zip", packed))))):
        assert is_clean(look("x.tar", data)), look("x.tar", data)
    assert "file.polyglot" in rules(look("x.tar", tar(("a.txt", b"x")) + packed))
    assert "file.polyglot" in rules(look("x.tar", tar(("a.xyz", b"\x01" + packed))))


def test_templates_of_members_are_handed_on() -> None:
    data = tar(("chat_template.jinja", b"{{ x }}"))
    assert list(look("x.tar", data).templates) == ["chat_template.jinja: chat_template"]
    many = tar(*((f"{i}/chat_template.jinja", b"x") for i in range(101)))
    assert "more chat templates than the limit" in (look("x.tar", many).reason or "")


def test_old_and_large_headers() -> None:
    assert is_clean(seen(block(magic=b"", kind=b"\0"), END))
    assert is_clean(seen(block(b"folder/", magic=b"", kind=b"\0"), END))
    assert is_clean(seen(block(kind=b"7", data=b"hello"), END))
    assert is_clean(seen(block(data=b"hello", size=b"\x80" + bytes(10) + b"\x05"), END))
    assert is_clean(seen(block(b"b.txt", prefix=b"a"), END))
    assert is_clean(seen(pax(b"18 path=other.txt\n"), block(), END))
    assert is_clean(seen(pax(b"13 comment=x\n", kind=b"g"), block(), END))


@pytest.mark.parametrize(
    ("parts", "rule"),
    [
        ([block()], "archive.structure"),
        ([block()[:300]], "archive.structure"),
        ([block(size=b"%011o\0" % 9999), END], "archive.structure"),
        ([block(checksum=b"000000\0 "), END], "archive.structure"),
        ([block(checksum=b"zzzzzz\0 "), END], "archive.structure"),
        ([block(size=b"-0000000001\0"), END], "archive.structure"),
        ([block(kind=b"5", data=b"hidden"), END], "archive.structure"),
        ([block(b"folder/", data=b"hidden"), END], "archive.structure"),
        ([block(data=b"x", padding=b"y" * 511), END], "archive.layout"),
        ([block(), END, b"more" + bytes(508)], "archive.trailing_data"),
        ([pax(b"x"), block(), END], "archive.structure"),
        ([pax(b"99 path=a\n"), block(), END], "archive.structure"),
        ([pax(b"10 path=ab"), block(), END], "archive.structure"),
        ([pax(b"4 path=a\n"), block(), END], "archive.structure"),
        ([pax(b"22 GNU.sparse.major=1\n"), block(), END], "archive.structure"),
        ([pax(b"9 path=a\n", kind=b"g"), block(), END], "archive.structure"),
        ([pax(b"11 size=-1\n"), block(), END], "archive.structure"),
        ([pax(b"9 size=2\n"), block(data=b"x"), END], "archive.mismatch"),
        ([pax(b"9 size=1\n"), block(size=b"%011o\0" % 0, data=b"x"), END], "archive.mismatch"),
        ([pax(b"13 path=a.md\n"), pax(b"13 path=b.md\n"), block(), END], "archive.mismatch"),
        ([block(b"././@LongLink", b"a.md\0", b"L"), pax(b"13 path=b.md\n"), block(), END], "archive.mismatch"),
        ([pax(b"13 path=a.md\n"), END], "archive.structure"),
        ([block(prefix=b"..", magic=b"ustar  \0"), END], "archive.structure"),
        ([block(prefix=b"..", magic=b""), END], "archive.structure"),
    ],
)
def test_what_readers_could_see_differently(parts: list[bytes], rule: str) -> None:
    assert rule in rules(seen(*parts)), seen(*parts)


def test_a_size_beyond_eight_gigabytes_stands_in_front() -> None:
    found = seen(pax(b"19 size=9000000000\n"), block(size=b"%011o\0" % 0), END)
    assert rules(found) == {"archive.structure"}, "it reaches past the end, and is no mismatch"
    assert is_clean(seen(pax(b"9 size=1\n"), block(data=b"x"), END))


def test_kinds_that_are_not_read() -> None:
    for kind in (b"S", b"V", b"M", b"\xff"):
        found = seen(block(kind=kind), END)
        assert (found.inspected, found.reason) == (False, "1 members, first: a.txt: is of a kind that is not read")


def test_archives_beyond_the_limits_are_not_inspected() -> None:
    assert not seen(*[block()] * 3, END, archive_members=2).inspected
    assert not seen(block(data=b"x" * (1 << 21), kind=b"x"), block(), END).inspected


def test_members_of_all_archives_are_counted() -> None:
    data = tar(*((f"{number}.txt", b"x") for number in range(9)))
    assert look("a.tar", data, archive_total_members=9).inspected
    assert not look("a.tar", data, archive_total_members=8).inspected


@pytest.mark.parametrize("number", ["octal", "binary", "signed"])
@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pkl", "model.pt"])
def test_a_pickle_that_is_an_old_tar_archive_too(name: str, number: str) -> None:
    rest = block(b"storages", EVIL, magic=b"") + END
    lead = b"\x80\x03B" + struct.pack("<I", 512 - 7 + len(rest))
    header = block(lead, magic=b"")
    total = sum(header[:148]) + sum(header[156:]) + 256
    checksum = b"%06o\0 " % total
    if number == "binary":
        checksum = b"\x80" + total.to_bytes(7, "big")
    elif number == "signed":
        checksum = b"%06o\0 " % (total - 256 * sum(byte > 0x7F for byte in header))
    data = block(lead, magic=b"", checksum=checksum) + rest + b"."
    assert isinstance(pickle.loads(data), bytes)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        assert archive.getnames()[1:] == ["storages"]
    assert "file.polyglot" in rules(look(name, data))


def test_numbers_that_are_no_checksum() -> None:
    for field in (b"zzzzzz\0 ", b"\xff" * 8, b"\0" * 8):
        assert is_clean(look("model.onnx_data", block(b"\1", magic=b"", checksum=field)))
