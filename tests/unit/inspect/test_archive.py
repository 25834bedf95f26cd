from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable

import pytest

from gate.model.scan import FileInspection
from tests.support import samples
from tests.support.looking import is_clean, look, rules

EVIL = samples.call("os", "system")


def patched(data: bytes, needle: bytes, offset: int, value: bytes, *, last: bool = False) -> bytes:
    """The bytes with some of them replaced, at an offset from a needle."""
    at = (data.rfind(needle) if last else data.find(needle)) + offset
    return data[:at] + value + data[at + len(value) :]


CENTRAL, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"
PLAIN = samples.zip_bytes({"a.txt": b"hello"})


def test_archives_in_archives_have_a_limit_together() -> None:
    inner = samples.zip_bytes({f"{number}.txt": b"x" for number in range(9)})
    data = samples.zip_bytes({f"{number}.zip": inner for number in range(9)})
    assert look("a.zip", data, archive_total_members=90).inspected
    found = look("a.zip", data, archive_total_members=89)
    assert (found.inspected, "more members in all its archives" in (found.reason or "")) == (False, True)


def test_good_archives_are_clean() -> None:
    for name, data, kind in (
        ("model.pt", samples.torch_zip(), "torch"),
        ("model.bin", samples.torch_zip(prefix="pytorch_model"), "torch"),
        ("model.pt", samples.torch_zip(method=zipfile.ZIP_DEFLATED), "torch"),
        ("a.npz", samples.zip_bytes({"a.npy": samples.npy(), "b/c.npy": samples.npy()}), "npz"),
        ("a.npz", samples.zip_bytes({"a.npy": samples.npy()}, method=zipfile.ZIP_DEFLATED), "npz"),
        ("x.zip", samples.zip_bytes({"README.md": b"x", "config.json": b"{}", "d/": b""}), "zip"),
        ("x.zip", samples.zip_bytes({}), "zip"),
        ("x.zip", samples.zip_bytes({"a.zip": PLAIN}), "zip"),
    ):
        found = look(name, data)
        assert is_clean(found), (name, found)
        assert found.format == kind


def test_streamed_archives_are_clean() -> None:
    """Written without seeking: sizes follow the data, as in torch's own archives."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise OSError

        def tell(self) -> int:
            raise OSError

    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a.txt", "b.txt"):
            archive.writestr(name, "hello" * 100)
    found = look("x.zip", out.getvalue())
    assert is_clean(found), found


def test_archives_with_64_bit_records_are_clean() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("a.txt", "w", force_zip64=True) as member:
        member.write(b"hello")
    assert is_clean(look("x.zip", out.getvalue())), look("x.zip", out.getvalue())
    assert is_clean(look("x.zip", with_end64(PLAIN)))
    wide = with_wide_sizes(PLAIN)
    assert is_clean(look("x.zip", wide)), look("x.zip", wide)


def with_end64(data: bytes, *, lie: int = 0, where: int = 0, magic: bytes = b"PK\x06\x06") -> bytes:
    at = data.rfind(END)
    count, _, size, offset = struct.unpack_from("<HHII", data, at + 8)
    record = struct.pack("<4sQHHIIQQQQ", magic, 44, 45, 45, 0, 0, count, count, size + lie, offset)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, at + where, 1)
    return data[:at] + record + locator + data[at:]


def with_wide_sizes(data: bytes, extra: bytes | None = None) -> bytes:
    """The central header says its sizes in the extra field."""
    at, end = data.find(CENTRAL), data.rfind(END)
    entry = bytearray(data[at:end])
    packed, unpacked = struct.unpack_from("<II", entry, 20)
    entry[20:28] = b"\xff" * 8
    wide = struct.pack("<HHQQ", 1, 16, unpacked, packed) if extra is None else extra
    entry[30:32] = struct.pack("<H", len(wide))
    name = entry[46:]
    new = bytes(entry[:46]) + bytes(name) + wide
    return data[:at] + new + patched(data[end:], END, 12, struct.pack("<I", len(new)))


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (samples.zip_bytes({"a/model": EVIL}), "pickle.global"),
        (samples.zip_bytes({"x.pkl": EVIL}), "pickle.global"),
        (samples.zip_bytes({"x.txt": EVIL}), "file.mismatch"),
        (samples.zip_bytes({"x.txt": EVIL}, method=zipfile.ZIP_DEFLATED), "pickle.global"),
        (samples.zip_bytes({"a.zip": samples.zip_bytes({"b.pkl": EVIL})}), "pickle.global"),
        (samples.zip_bytes({"run.py": b"1"}), "remote_code.file"),
        (samples.zip_bytes({"config.json": b'{"auto_map": {"a": "b"}}'}), "remote_code.auto_map"),
        (samples.torch_zip(EVIL), "pickle.global"),
        (samples.torch_zip(samples.state_dict() + EVIL), "pickle.trailing_data"),
        (samples.torch_zip(extra={"data/2": EVIL}), "archive.hidden_pickle"),
        (samples.torch_zip(extra={"data/2": b"x"}), "archive.unused_storage"),
        (samples.torch_zip(extra={"data/evil.py": b"import os"}), "remote_code.file"),
        (samples.torch_zip(extra={"data/model.pkl": EVIL[2:]}), "pickle.global"),
        (samples.torch_zip(extra={"data/1/x.pkl": EVIL}), "pickle.global"),
        (samples.torch_zip(extra={"other.pkl": EVIL}), "pickle.global"),
        (samples.torch_zip(extra={"code/__torch__.py": b"class M: pass"}), "archive.code"),
        (samples.torch_zip(extra={"version": b"\x80\x04" + EVIL[2:]}), "pickle.global"),
        (samples.torch_zip(samples.state_dict(w=samples.tensor("0", (2, 4)))), "pickle.storage"),
        (samples.torch_zip(samples.state_dict(w=samples.tensor("9", (2,)))), "pickle.storage"),
        (samples.zip_bytes({"../a.txt": b"x"}), "archive.path"),
        (samples.zip_bytes({"/a.txt": b"x"}), "archive.path"),
        (samples.zip_bytes({"a\\b.txt": b"x"}), "archive.path"),
        (samples.zip_bytes({"C:a.txt": b"x"}), "archive.path"),
        (samples.zip_bytes({"a.txt": b"x", "A.txt": b"y"}), "archive.duplicate"),
        (samples.zip_bytes({"a.txt": b"x"}, comment=b"hello"), "archive.trailing_data"),
        (PLAIN + b"x", "archive.trailing_data"),
        (patched(PLAIN, CENTRAL, 8, b"\x01\x00"), "archive.encrypted"),
        (patched(PLAIN, CENTRAL, 8, b"\x10\x00"), "archive.flags"),
        (patched(PLAIN, CENTRAL, 46, b"b"), "archive.mismatch"),
        (patched(PLAIN, LOCAL, 6, b"\x01\x00"), "archive.mismatch"),
        (patched(PLAIN, LOCAL, 22, b"\x00\x00"), "archive.mismatch"),
        (patched(PLAIN, LOCAL, 8, b"\x08"), "archive.mismatch"),
        (patched(PLAIN, END, 10, b"\x02"), "archive.structure"),
        (patched(PLAIN, END, 16, b"\x01"), "archive.structure"),
        (PLAIN + PLAIN, "archive.structure"),
        (PLAIN[:35] + b"??" + PLAIN[35:], "archive.structure"),
        (with_end64(PLAIN, where=1), "archive.structure"),
        (with_end64(PLAIN, lie=1), "archive.structure"),
        (with_end64(PLAIN, magic=b"XXXX"), "archive.structure"),
        (with_wide_sizes(PLAIN, struct.pack("<HH", 1, 0)), "archive.structure"),
        (patched(PLAIN, END, 8, b"\x01\x00\x02\x00"), "archive.structure"),
        (patched(PLAIN, END, 12, b"\xff\xff\xff\x00"), "archive.structure"),
        (patched(PLAIN, END, 12, b"\xff\xff\xff\xff"), "archive.structure"),
        (PLAIN[:-22], "archive.structure"),
        (PLAIN[:-1], "archive.structure"),
        (LOCAL, "archive.structure"),
        (LOCAL + END + b"\0" * 4 + b"\xff\xff\xff\xff" + b"\xff" * 8 + b"\0\0", "archive.structure"),
        (b"PK\x03\x04" + b"\0" * 8 + b"PK\x06\x07" + b"\0" * 16 + END + b"\0" * 18, "archive.structure"),
        (patched(PLAIN, CENTRAL, 42, b"\x01"), "archive.structure"),
        (patched(patched(PLAIN, CENTRAL, 20, b"\xff\xff"), LOCAL, 18, b"\xff\xff"), "archive.structure"),
    ],
)  # fmt: skip
def test_hostile_archives_are_findings(data: bytes, rule: str) -> None:
    found = look("x.zip", data)
    assert rule in rules(found), found


def test_a_member_that_the_directory_does_not_list() -> None:
    hidden = samples.zip_bytes({"hidden.pkl": EVIL})
    body = hidden[: hidden.find(CENTRAL)]
    at = PLAIN.find(CENTRAL)
    data = PLAIN[:at] + body + PLAIN[at:]
    data = patched(data, END, 16, struct.pack("<I", at + len(body)), last=True)
    assert "archive.layout" in rules(look("x.zip", data))
    shifted = patched(
        patched(body + PLAIN, CENTRAL, 42, struct.pack("<I", len(body))), END, 16, struct.pack("<I", at + len(body))
    )
    assert "archive.layout" in rules(look("x.zip", shifted))


def test_members_that_share_bytes_are_not_read_over_and_over() -> None:
    names = {"a.txt": b"x" * 500, "b.txt": b"x" * 500}
    data = samples.zip_bytes(names)
    both = data.rfind(CENTRAL)
    shared = data[: both + 42] + struct.pack("<I", 0) + data[both + 46 :]
    shared = shared[:535] + shared[535 * 2 :]
    end = shared.rfind(END)
    shared = shared[: end + 16] + struct.pack("<I", 535) + shared[end + 20 :]
    found = look("x.zip", shared)
    assert not_inspected(found, "overlap"), found
    assert {"archive.layout", "archive.mismatch"} <= rules(found)


def test_links_and_devices_in_archives() -> None:
    for mode in (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            info = zipfile.ZipInfo("a.txt")
            info.external_attr = (mode | 0o644) << 16
            archive.writestr(info, "/etc/passwd")
        assert "archive.link" in rules(look("x.zip", out.getvalue()))


def test_two_members_of_one_name() -> None:
    data = samples.zip_bytes({"a.txt": b"x", "b.txt": b"y"}).replace(b"b.txt", b"a.txt")
    assert "archive.duplicate" in rules(look("x.zip", data))


def test_a_member_with_a_second_name() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("a.txt")
        info.extra = struct.pack("<HH", 0x7075, 6) + b"\1\0\0\0\0b"
        archive.writestr(info, "x")
    assert "archive.structure" in rules(look("x.zip", out.getvalue()))


def test_an_end_record_inside_the_directory() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("a.txt")
        info.comment = b"PK\x05\x06"
        archive.writestr(info, "x")
    assert "archive.structure" in rules(look("x.zip", out.getvalue()))


def not_inspected(found: FileInspection, word: str) -> bool:
    return not found.inspected and word in (found.reason or "")


def test_what_cannot_be_unpacked_is_not_inspected() -> None:
    deflated = samples.zip_bytes({"a.txt": b"hello" * 50}, method=zipfile.ZIP_DEFLATED)
    data = deflated.find(b"a.txt") + 5
    for bad, word in (
        (samples.zip_bytes({"a.txt": b"x" * 100}, method=zipfile.ZIP_BZIP2), "not read"),
        (samples.zip_bytes({"a.txt": b"x" * 100}, method=zipfile.ZIP_LZMA), "not read"),
        (patched(patched(PLAIN, CENTRAL, 24, b"\x04"), LOCAL, 22, b"\x04"), "not read"),
        (deflated[:data] + b"\xff\xff" + deflated[data + 2 :], "cannot be unpacked"),
        (patched(patched(deflated, CENTRAL, 24, b"\x10\0"), LOCAL, 22, b"\x10\0"), "more than it says"),
        (patched(patched(deflated, CENTRAL, 24, b"\xff\xff\xff\0"), LOCAL, 22, b"\xff\xff\xff\0"), "more than it can"),
        (samples.zip_bytes({"blob": b"\x01\x02\x03"}), "blob"),
        (samples.torch_zip(extra={"blob": b"\x01\x02\x03"}), "blob"),
        (
            samples.torch_zip(extra={"data/x.tar": bytes(257) + b"ustar" + bytes(300)}),
            "x.tar: not a readable tar archive",
        ),
        (samples.torch_zip(extra={"data/2": b"\x80\x02" + b"N0" * 60_000}), "may be a pickle"),
    ):
        assert not_inspected(look("x.zip", bad), word), (word, look("x.zip", bad))


def test_a_member_that_is_shorter_than_it_says() -> None:
    deflated = samples.zip_bytes({"a.txt": b"hello" * 50}, method=zipfile.ZIP_DEFLATED)
    longer = patched(patched(deflated, CENTRAL, 24, b"\xff\0"), LOCAL, 22, b"\xff\0")
    assert "archive.size" in rules(look("x.zip", longer))


def test_limits_of_archives() -> None:
    nested = PLAIN
    for _ in range(4):
        nested = samples.zip_bytes({"a.zip": nested})
    assert not_inspected(look("x.zip", nested), "containers inside")
    many = samples.zip_bytes({f"{i}.txt": b"x" for i in range(10)})
    assert not_inspected(look("x.zip", many, archive_members=9), "more members")
    assert not_inspected(look("x.zip", many, archive_directory_bytes=9), "more members")
    streams = b"".join(gzip.compress(b"N") for _ in range(10))
    assert not_inspected(look("x.gz", streams, compressed_streams=9), "more streams")
    big = samples.zip_bytes({"a.txt": bytes(range(32, 120)) * 1000}, method=zipfile.ZIP_DEFLATED)
    assert not_inspected(look("x.zip", big, inflated_bytes=1000), "more than the limit")
    assert not_inspected(look("x.zip", big, inflated_total_bytes=1000), "more than the limit")


def test_a_large_array_in_an_archive_is_judged_by_its_header() -> None:
    numbers = b"".join(struct.pack("<d", i * 1.1) for i in range(50_000))
    good = samples.zip_bytes({"a.npy": samples.npy(shape="(50000,)", data=numbers)}, method=zipfile.ZIP_DEFLATED)
    assert is_clean(look("a.npz", good, inflated_bytes=10_000))
    objects = samples.zip_bytes(
        {"a.npy": samples.npy("'|O'", data=b"N0" * 200_000 + EVIL)}, method=zipfile.ZIP_DEFLATED
    )
    assert not is_clean(look("a.npz", objects, inflated_bytes=10_000))


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
}


@pytest.mark.parametrize("name", COMPRESSORS)
def test_compressed_streams_are_looked_into(name: str) -> None:
    compress = COMPRESSORS[name]
    good = look("a.joblib", compress(samples.array_pickle()))
    assert is_clean(good), good
    assert good.format == name
    assert "pickle.global" in rules(look("a.joblib", compress(EVIL)))
    assert "pickle.global" in rules(look("a.joblib", compress(EVIL[:5]) + compress(EVIL[5:])))
    assert "archive.trailing_data" in rules(look("a.joblib", compress(samples.array_pickle()) + b"\xffjunk"))
    assert not look("a.joblib", compress(b"\x01\x02\x03")).inspected
    assert not look("a.joblib", compress(b"N." * 40_000), inflated_bytes=1000).inspected
    assert not look("a.joblib", compress(b"N." * 40_000), inflated_total_bytes=1000).inspected
    assert not look("a.joblib", compress(samples.array_pickle())[:-9]).inspected


def test_streams_that_are_none() -> None:
    for data in (b"\x1f\x8b\xff\xff", b"BZhjunk", b"\x78\x9cjunkjunk"):
        assert not look("a.bin", data).inspected


def test_bombs_of_streams_are_bounded() -> None:
    assert not look("a.gz", gzip.compress(bytes(100 << 20), 9)).inspected
    nested = gzip.compress(samples.array_pickle())
    for _ in range(5):
        nested = gzip.compress(nested)
    assert not look("a.gz", nested).inspected


def test_other_containers_are_named_and_not_inspected() -> None:
    for name, data in (
        ("7z", b"7z\xbc\xaf'\x1c" + EVIL), ("zstd", b"\x28\xb5\x2f\xfd" + EVIL),
        ("rar", b"Rar!\x1a\x07" + EVIL), ("lz4", b"\x04\x22\x4d\x18" + EVIL),
    ):  # fmt: skip
        found = look("pytorch_model.bin", data)
        assert found.format == name
        assert not found.inspected
        assert "pack" in (found.reason or "")


def test_programs_that_pytorch_exported_are_not_inspected() -> None:
    for name, members in (
        ("m.pt2", {"version": b"1", "serialized_exported_program.json": b"{}"}),
        ("m.zip", {"version": b"1", "a/serialized_exported_program.json": b"{}"}),
        ("m.pt2", {"a.txt": b"1"}),
    ):
        found = look(name, samples.zip_bytes(members))
        assert not found.inspected
        assert "a program that PyTorch exported" in (found.reason or "")
