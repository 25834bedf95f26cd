"""One pass serves hashing and whoever reads the file: each byte is hashed once, in its order, however it is read."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import pytest

from gate.collect import hashing
from gate.collect.files import entries, opened_root
from gate.collect.hashing import hash_files
from gate.collect.tee import Tee
from gate.inspect.interface import inspect_file
from gate.model.scan import FileInspection
from tests.support.samples import MARKER
from tests.unit.collect.test_directory import make

DATA = random.Random(7).randbytes(3 * (1 << 20) + 17)
SEEN = FileInspection("x", inspected=True)


def front(file: BinaryIO) -> None:
    assert file.read(100) == DATA[:100]


def whole(file: BinaryIO) -> None:
    assert file.read() == DATA


def back(file: BinaryIO) -> None:
    file.seek(-10, os.SEEK_END)
    assert file.read(10) == DATA[-10:]
    file.seek(5)
    file.seek(5, os.SEEK_CUR)
    assert file.tell() == 10
    assert file.read(3) == DATA[10:13]


def overlapping(file: BinaryIO) -> None:
    for start in (0, 50, 60, 1 << 20, 20):
        file.seek(start)
        assert file.read(100) == DATA[start : start + 100]


def beyond(file: BinaryIO) -> None:
    file.seek(len(DATA) + 5)
    assert file.read(10) == b""


@pytest.mark.parametrize("how", [front, whole, back, overlapping, beyond, lambda _: None])
@pytest.mark.parametrize("words", [(), ("blake2b",)])
def test_the_digest_does_not_depend_on_how_a_visitor_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: Callable[[BinaryIO], None], words: Sequence[str]
) -> None:
    monkeypatch.setattr(hashing, "MEMORY_BYTES", 0)
    make(tmp_path, {"a": DATA})
    told: list[int] = []

    def visit(_: str, file: BinaryIO, size: int) -> FileInspection:
        assert size == len(DATA)
        how(file)
        return SEEN

    with opened_root(tmp_path) as folder:
        [found] = hash_files(folder, entries(folder, 9), visit, wanted=lambda *_: words, tell=told.append)
    assert found.digest == f"sha256:{hashlib.sha256(DATA).hexdigest()}"
    assert found.others == {word: hashlib.new(word, DATA).hexdigest() for word in words}
    assert sum(told) == len(DATA)


class Hashes:
    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def update(self, data: memoryview) -> None:
        self.parts.append(bytes(data))


def test_each_byte_is_hashed_once(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(DATA)
    hashes, told = Hashes(), list[int]()
    with path.open("rb") as file:
        tee = Tee(file.fileno(), [hashes], told.append)
        assert tee.readable()
        assert tee.seekable()
        for start, length in ((0, 10), (5, 10), (1000, 5), (15, 2000), (0, 1)):
            tee.seek(start)
            tee.read(length)
    assert b"".join(hashes.parts) == DATA[:2015]
    assert (tee.hashed, sum(told)) == (2015, 2015)


def sparse(path: Path, head: bytes, size: int) -> None:
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)


def gguf(path: Path, size: int) -> None:
    from tests.support.ggufs import gguf as made

    sparse(path, made(), size)


def safetensors(path: Path, size: int) -> None:
    header = b'{"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (size, size)
    sparse(path, len(header).to_bytes(8, "little") + header, 8 + len(header) + size)


def torch_zip(path: Path, size: int) -> None:
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
        archive.writestr("archive/version", b"3\n")
        archive.writestr("archive/data/0", bytes(size))


def pickled(path: Path, size: int) -> None:
    path.write_bytes(b"\x80\x04B" + size.to_bytes(4, "little") + MARKER.encode().ljust(size, b" ") + b".")


@pytest.mark.parametrize(("name", "writer"), [
    ("a.safetensors", safetensors),
    ("a.gguf", gguf),
    ("a.pt", torch_zip),
    ("a.pkl", pickled),
])  # fmt: skip
def test_a_large_file_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, writer: Callable[[Path, int], None]
) -> None:
    """Beside the bytes that are hashed, little is read a second time: headers, ends, the directory of an archive."""
    size = 24 << 20
    writer(tmp_path / name, size)
    read = [0]
    plain_preadv, plain_readv = os.preadv, os.readv

    def preadv(*arguments: object) -> int:
        count: int = plain_preadv(*arguments)  # type: ignore[arg-type]
        read[0] += count
        return count

    def readv(*arguments: object) -> int:
        count: int = plain_readv(*arguments)  # type: ignore[arg-type]
        read[0] += count
        return count

    monkeypatch.setattr(os, "preadv", preadv)
    monkeypatch.setattr(os, "readv", readv)
    with opened_root(tmp_path) as folder:
        [found] = hash_files(folder, entries(folder, 9), inspect_file)
    assert found.digest == f"sha256:{hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()}"
    total = (tmp_path / name).stat().st_size
    assert total <= read[0] <= total + (1 << 20), read[0] / total
