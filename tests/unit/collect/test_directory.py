"""Artifacts, evidence and reports on disk: everything found, nothing followed, each file read once."""

from __future__ import annotations

import hashlib
import os
import random
import stat
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

import pytest

from gate.collect import files, hashing
from gate.collect.directory import (
    collect_artifact,
    file_exists,
    open_regular,
    read_evidence,
    read_regular,
    read_reports,
)
from gate.collect.files import MAX_DEPTH
from gate.errors import ConfigError, EvidenceError, LimitError
from gate.model.artifact import Artifact, ArtifactFile, ArtifactKind, tree_digest
from gate.model.scan import FileInspection
from gate.model.settings import ArtifactSettings, Limits, ReportSettings
from tests.support.repos import sha

LIMITS = Limits()


def artifact(root: Path, path: str | None = "m", limits: Limits = LIMITS, image: str | None = None) -> Artifact:
    settings = ArtifactSettings("model", ArtifactKind.WEIGHTS, path, image, "base")
    return collect_artifact(root, settings, limits)


def make(root: Path, contents: dict[str, bytes]) -> Path:
    for name, data in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


# --- artifacts ---


def test_a_folder_with_all_its_files(tmp_path: Path) -> None:
    make(tmp_path, {"m/b": b"b", "m/a/x": b"x", "m/.hidden": b"h", "m/.git/config": b"g", "m/empty": b"", "n": b"n"})
    (tmp_path / "m" / "nothing").mkdir()
    found = artifact(tmp_path)
    expected = {".git/config": b"g", ".hidden": b"h", "a/x": b"x", "b": b"b", "empty": b""}
    assert {path: (file.digest, file.bytes) for path, file in found.files.items()} == {
        path: (sha(data), len(data)) for path, data in expected.items()
    }
    assert list(found.files) == sorted(expected)
    assert found.digest == tree_digest(found.files)
    assert found.is_folder
    assert (found.name, found.kind, found.path, found.base) == ("model", ArtifactKind.WEIGHTS, "m", "base")
    assert (found.reference, found.mutable_reference) == (None, False)
    assert {file.format for file in found.files.values()} == {"unknown"}


def test_a_single_file(tmp_path: Path) -> None:
    make(tmp_path, {"d/requirements.lock": b"x==1\n"})
    found = artifact(tmp_path, "d/requirements.lock")
    assert found.files == {"requirements.lock": ArtifactFile(found.digest, 5)}
    assert found.digest == sha(b"x==1\n")
    assert not found.is_folder


def test_an_empty_folder_has_no_digest(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    found = artifact(tmp_path)
    assert (found.files, found.digest, found.is_folder) == ({}, None, True)


@pytest.mark.parametrize("name", [b"\xff", b"a\nb", b" lead", b"back\\slash", b"--x", "é".encode(), b"\x1b[31m"])
def test_s12_names_are_kept_apart(tmp_path: Path, name: bytes) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / os.fsdecode(name)).write_bytes(b"x")
    found = artifact(tmp_path)
    assert len(found.files) == 1
    assert found.bytes == 1


def _link_to_file(at: Path) -> None:
    at.symlink_to("/etc/passwd")


def _link_to_folder(at: Path) -> None:
    at.symlink_to("/etc")


def _loop(at: Path) -> None:
    at.symlink_to(at.name)


def _dangling(at: Path) -> None:
    at.symlink_to("/nonexistent")


def _link_inside(at: Path) -> None:
    at.symlink_to("a")


def _fifo(at: Path) -> None:
    os.mkfifo(at)


def _socket(at: Path) -> None:
    os.mknod(at, 0o600 | stat.S_IFSOCK)


def _device(at: Path) -> None:
    os.mknod(at, 0o666 | stat.S_IFCHR, os.makedev(1, 5))


LINKS: list[Callable[[Path], None]] = [_link_to_file, _link_to_folder, _loop, _dangling, _link_inside]
SPECIALS: list[Callable[[Path], None]] = [_fifo, _socket]
if os.geteuid() == 0:
    SPECIALS.append(_device)


@pytest.mark.parametrize("thing", LINKS + SPECIALS)
def test_s12_what_is_no_regular_file_is_listed_and_never_opened(tmp_path: Path, thing: Callable[[Path], None]) -> None:
    make(tmp_path, {"m/a": b"a"})
    thing(tmp_path / "m" / "thing")
    found = artifact(tmp_path)
    assert found.files["thing"] == ArtifactFile(None, 0, "symlink" if thing in LINKS else "special")
    assert found.digest is None
    assert set(found.files) == {"a", "thing"}


@pytest.mark.parametrize("thing", LINKS + SPECIALS)
def test_s12_an_artifact_that_is_no_file_or_folder_is_refused(tmp_path: Path, thing: Callable[[Path], None]) -> None:
    thing(tmp_path / "m")
    with pytest.raises(EvidenceError, match="neither a file nor a folder") as caught:
        artifact(tmp_path)
    assert "links are not followed" in caught.value.hint


@pytest.mark.parametrize("path", ["link/m", "d/link/m", "link/m/a", "link/d"])
def test_s12_no_part_of_the_way_may_be_a_link(tmp_path: Path, path: str) -> None:
    make(tmp_path, {"real/m/a": b"a", "d/x": b"x"})
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "d" / "link").symlink_to("../real")
    with pytest.raises(EvidenceError, match="a part of it is a link or a file"):
        artifact(tmp_path, path)


def test_the_root_itself_may_be_reached_over_a_link(tmp_path: Path) -> None:
    make(tmp_path, {"real/m/a": b"a"})
    (tmp_path / "root").symlink_to("real")
    assert set(artifact(tmp_path / "root").files) == {"a"}


@pytest.mark.parametrize(
    "path",
    ["", "/etc", "..", "../m", "m/..", "m/../m", ".", "./m", "m/", "m//a", "m\\a", "m\0", "m\n", "C:/m", "\ud800"],
)
def test_s12_a_path_that_is_not_plain_is_refused(tmp_path: Path, path: str) -> None:
    make(tmp_path, {"m/a": b"a"})
    for call in (
        lambda: artifact(tmp_path, path),
        lambda: read_regular(tmp_path, path, 10),
        lambda: file_exists(tmp_path, path),
        lambda: read_evidence(tmp_path, path, LIMITS),
        lambda: read_reports(tmp_path, [ReportSettings("sarif", path, None)], LIMITS),
    ):
        with pytest.raises(EvidenceError, match="path"):
            call()


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    for path in ("m", "no/m"):
        with pytest.raises(EvidenceError, match="does not exist") as caught:
            artifact(tmp_path, path)
        assert "relative to the root" in caught.value.hint
    with pytest.raises(EvidenceError, match="cannot be opened"):
        artifact(tmp_path / "none")


def test_more_files_than_the_limit(tmp_path: Path) -> None:
    make(tmp_path, {f"m/{number}": b"x" for number in range(4)})
    assert len(artifact(tmp_path, limits=Limits(files=4)).files) == 4
    with pytest.raises(LimitError, match="more than 3 files"):
        artifact(tmp_path, limits=Limits(files=3))
    # Folders count as well: a tree of nothing but folders would not end either.
    (tmp_path / "m" / "folder").mkdir()
    with pytest.raises(LimitError, match="more than 4 files"):
        artifact(tmp_path, limits=Limits(files=4))


def test_folders_nested_without_end(tmp_path: Path) -> None:
    path = tmp_path / "m"
    for _ in range(MAX_DEPTH):
        path /= "d"
    path.mkdir(parents=True)
    assert artifact(tmp_path).files == {}
    (path / "d").mkdir()
    with pytest.raises(LimitError, match="nested"):
        artifact(tmp_path)


def refuse_to_open(monkeypatch: pytest.MonkeyPatch, name: bytes) -> None:
    """As without permission, which the superuser always has."""
    real = os.open

    def guarded(path: bytes | Path, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == name:
            raise PermissionError(13, "Permission denied")
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr("gate.collect.files.os.open", guarded)


@pytest.mark.parametrize("name", ["a", "d"])
def test_a_file_or_folder_without_permission_to_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    make(tmp_path, {"m/a": b"a", "m/d/b": b"b"})
    refuse_to_open(monkeypatch, name.encode())
    with pytest.raises(EvidenceError, match="cannot be read: Permission denied"):
        artifact(tmp_path)


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, {"m/d/a": b"a"})

    def fail(_folder: int) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("gate.collect.files.os.scandir", fail)
    with pytest.raises(EvidenceError, match=r"'\.' cannot be read: Permission denied"):
        artifact(tmp_path)


def test_the_result_does_not_depend_on_the_order_of_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, {f"m/{number % 3}/{number}": b"%d" % number * 2000 for number in range(30)})
    expected = artifact(tmp_path)
    assert len(expected.files) == 30
    monkeypatch.setattr("gate.collect.hashing._ALONE_BYTES", 0)
    real = os.scandir
    monkeypatch.setattr("gate.collect.files.os.scandir", lambda folder: nullcontext(list(real(folder))[::-1]))
    shuffled = artifact(tmp_path)
    assert (shuffled, list(shuffled.files)) == (expected, list(expected.files))


# --- inspection in the same pass ---


class Visitor:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.seen: dict[str, tuple[str, int]] = {}

    def __call__(self, path: str, file: BinaryIO, size: int) -> FileInspection:
        data = file.read()
        file.seek(0)
        assert file.read(1) == data[:1]
        assert path not in self.seen
        self.seen[path] = (sha(data), size)
        return FileInspection(f"format-{size % 7}", inspected=True)


def visited(root: Path, visit: hashing.Visit) -> tuple[Artifact, dict[str, FileInspection]]:
    inspections: dict[str, FileInspection] = {}
    settings = ArtifactSettings("model", ArtifactKind.WEIGHTS, "m", None, None)
    return collect_artifact(root, settings, LIMITS, visit, inspections), inspections


@pytest.mark.parametrize("memory", [0, 3 << 20, 1 << 30])
@pytest.mark.parametrize("alone", [0, 1 << 40])
def test_s12_a_visitor_sees_the_bytes_that_are_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int, alone: int
) -> None:
    monkeypatch.setattr(hashing, "MEMORY_BYTES", memory)
    monkeypatch.setattr(hashing, "_ALONE_BYTES", alone)
    noise = random.Random(1)
    make(tmp_path, {f"m/{size}": noise.randbytes(size) for size in (0, 1, 5000, (1 << 20) + 1, 5 << 20)})
    (tmp_path / "m" / "link").symlink_to("0")
    visitor = Visitor()
    found, inspections = visited(tmp_path, visitor)
    regular = {path: file for path, file in found.files.items() if file.digest}
    assert visitor.seen == {path: (file.digest, file.bytes) for path, file in regular.items()}
    assert {path: file.format for path, file in regular.items()} == {
        path: inspection.format for path, inspection in inspections.items()
    }
    assert set(inspections) == set(regular)


def test_formats_are_known_without_asking_for_the_inspections(tmp_path: Path) -> None:
    make(tmp_path, {"m/a": b"a"})
    settings = ArtifactSettings("model", ArtifactKind.WEIGHTS, "m/a", None, None)
    found = collect_artifact(tmp_path, settings, LIMITS, Visitor())
    assert found.files["a"].format == "format-1"


class Failing:
    """Raises for every file, the largest of which comes first."""

    def __call__(self, path: str, _file: BinaryIO, _size: int) -> FileInspection:
        raise RuntimeError(path)


@pytest.mark.parametrize("alone", [0, 1 << 40])
def test_what_a_visitor_raises_comes_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: int) -> None:
    monkeypatch.setattr(hashing, "_ALONE_BYTES", alone)
    make(tmp_path, {f"m/{number}": b"x" for number in range(9)})
    with pytest.raises(RuntimeError):
        visited(tmp_path, Failing())


def test_an_interruption_ends_the_other_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_ALONE_BYTES", 0)
    make(tmp_path, {f"m/{number}": b"x" for number in range(200)})
    count = 0

    def interrupt(_path: str, _file: BinaryIO, _size: int) -> FileInspection:
        nonlocal count
        count += 1
        if count == 1:
            raise KeyboardInterrupt
        time.sleep(0.01)
        return FileInspection("x", inspected=True)

    monkeypatch.setattr("gate.collect.hashing.os.sched_getaffinity", lambda _pid: {0, 1})
    with pytest.raises(KeyboardInterrupt):
        visited(tmp_path, interrupt)
    assert count < 200


# --- files that change ---


def rename_over(path: Path, data: bytes) -> None:
    temporary = path.with_name("temporary")
    temporary.write_bytes(data)
    temporary.replace(path)


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def cut(path: Path, _data: bytes) -> None:
    os.truncate(path, 1)


def overwrite(path: Path, data: bytes) -> None:
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("memory", [0, 1 << 30])
@pytest.mark.parametrize("change", [append, cut, overwrite])
def test_s12_a_file_that_changes_while_it_is_inspected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path, bytes], None], memory: int
) -> None:
    monkeypatch.setattr(hashing, "MEMORY_BYTES", memory)
    make(tmp_path, {"m/a": b"abc"})

    def meddle(_path: str, _file: BinaryIO, _size: int) -> FileInspection:
        change(tmp_path / "m" / "a", b"xyz")
        return FileInspection("x", inspected=True)

    with pytest.raises(EvidenceError, match="'m/a' changed while it was read"):
        visited(tmp_path, meddle)


@pytest.mark.parametrize("visit", [None, Visitor()])
@pytest.mark.parametrize("change", [append, cut])
def test_s12_a_file_that_changes_while_it_is_hashed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path, bytes], None],
    visit: Visitor | None,
) -> None:
    make(tmp_path, {"m/a": b"abc"})
    target = tmp_path / "m" / "a"
    readv, read = os.readv, os.read

    def readv_then_change(descriptor: int, buffers: list[memoryview]) -> int:
        change(target, b"x" * 100)
        return readv(descriptor, buffers)

    def read_then_change(descriptor: int, count: int) -> bytes:
        change(target, b"x" * 100)
        return read(descriptor, count)

    monkeypatch.setattr("gate.collect.hashing.os.readv", readv_then_change)
    monkeypatch.setattr("gate.collect.files.os.read", read_then_change)
    settings = ArtifactSettings("model", ArtifactKind.WEIGHTS, "m/a", None, None)
    with pytest.raises(EvidenceError, match="'m/a' changed while it was read"):
        collect_artifact(tmp_path, settings, LIMITS, visit)


@pytest.mark.parametrize("thing", [_fifo, _link_to_file, None])
def test_s12_a_file_that_is_replaced_after_it_was_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, thing: Callable[[Path], None] | None
) -> None:
    make(tmp_path, {"m/a": b"abc"})
    target = tmp_path / "m" / "a"
    real = hashing.hash_files

    def replace_first(*arguments: object) -> object:
        target.unlink()
        if thing is not None:
            thing(target)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("gate.collect.directory.hash_files", replace_first)
    with pytest.raises(EvidenceError, match="'m/a' cannot be read"):
        artifact(tmp_path)


def test_s12_a_file_renamed_over_after_it_was_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, {"m/a": b"abc"})
    real = hashing.hash_files

    def replace_first(*arguments: object) -> object:
        rename_over(tmp_path / "m" / "a", b"xyz")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("gate.collect.directory.hash_files", replace_first)
    with pytest.raises(EvidenceError, match="'m/a' changed while it was read"):
        artifact(tmp_path)


def test_s12_a_fifo_that_takes_the_place_in_the_last_moment_does_not_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, {"a": b"abc"})
    status = (tmp_path / "a").lstat()
    (tmp_path / "a").unlink()
    os.mkfifo(tmp_path / "a")
    monkeypatch.setattr("gate.collect.files.os.lstat", lambda *_arguments, **_options: status)
    with pytest.raises(EvidenceError, match="not a regular file"):
        read_regular(tmp_path, "a", 10)


def test_s12_a_racing_renamer_never_wins(tmp_path: Path) -> None:
    good, evil = b"g" * 5000, b"e" * 5000
    make(tmp_path, {"m/a": good})
    target = tmp_path / "m" / "a"
    stop = threading.Event()

    def race() -> None:
        while not stop.is_set():
            rename_over(tmp_path / "m" / "a", evil)
            rename_over(target, good)

    def check(_path: str, file: BinaryIO, _size: int) -> FileInspection:
        return FileInspection(hashlib.sha256(file.read()).hexdigest(), inspected=True)

    thread = threading.Thread(target=race)
    thread.start()
    try:
        for _ in range(300):
            settings = ArtifactSettings("model", ArtifactKind.WEIGHTS, "m/a", None, None)
            try:
                found = collect_artifact(tmp_path, settings, LIMITS, check)
            except EvidenceError:
                continue
            assert found.files["a"].digest == f"sha256:{found.files['a'].format}"
    finally:
        stop.set()
        thread.join()


# --- images ---

HEX = "a" * 64


@pytest.mark.parametrize(
    "reference",
    [
        f"name@sha256:{HEX}",
        f"registry.internal/llm/server@sha256:{HEX}",
        f"registry.internal:5000/llm/server:v1.2@sha256:{HEX}",
        f"[2001:db8::1]:5000/a@sha256:{HEX}",
        f"a/b__c/d--e.f_g@sha256:{HEX}",
    ],
)
def test_an_image_by_digest(tmp_path: Path, reference: str) -> None:
    found = artifact(tmp_path, None, image=reference)
    assert found.digest == f"sha256:{HEX}"
    assert (found.reference, found.mutable_reference, found.path, found.files) == (reference, False, None, {})
    assert not found.is_folder


@pytest.mark.parametrize(
    "reference", ["name", "name:latest", "a/b:v1", f"name@sha512:{'a' * 128}", f"n@sha384:{'a' * 96}"]
)
def test_an_image_without_sha256_can_change(tmp_path: Path, reference: str) -> None:
    found = artifact(tmp_path, None, image=reference)
    assert (found.digest, found.mutable_reference) == (None, True)


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "Name",
        "a//b",
        "/a",
        "a/",
        "a:",
        "a@",
        "a b",
        "a\n",
        f"a@sha256:{HEX}\n",
        f"a@sha256:{HEX[:-1]}",
        f"a@sha256:{HEX}a",
        f"a@sha256:{HEX.upper()}",
        f"a@sha512:{HEX}",
        f"a@md5:{HEX}",
        f"@sha256:{HEX}",
        f"a@sha256:{HEX}@sha256:{HEX}",
        "http://a/b",
        "-a/b",
        "a/-b",
        "a/b-",
        "a..b",
        "a___b",
        "a:-v",
        f"a:{'v' * 129}",
        "a/" * 127 + "aa",
        "a" * 2000,
        "a/b?c",
        "../a",
        "é",
        "a_/" * 100 + "!",
        "a-" * 400 + "!",
    ],
)
def test_what_is_no_image_reference(tmp_path: Path, reference: str) -> None:
    with pytest.raises(ConfigError, match=r"artifact model: .* (is not an image reference|digest has)"):
        artifact(tmp_path, None, image=reference)


def test_an_artifact_without_path_or_image(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither a path nor an image"):
        artifact(tmp_path, None)


# --- evidence ---


def test_evidence_is_found_by_its_name_and_the_rest_is_listed(tmp_path: Path) -> None:
    names = ["z.json", "a.sigstore.json", "b.sigstore", "c.dsse", "d.att", "sub/e.json"]
    make(tmp_path, {f"att/{name}": name.encode() for name in names})
    make(
        tmp_path, {"att/README.md": b"x", "att/x.JSON": b"x", "att/json": b"x", "att/k.pub": b"x", "other/x.json": b"x"}
    )
    (tmp_path / "att" / "link.json").symlink_to("z.json")
    (tmp_path / "att" / "folder").symlink_to("../other")
    os.mkfifo(tmp_path / "att" / "fifo.json")
    found, skipped = read_evidence(tmp_path, "att", LIMITS)
    assert [(item.origin, item.data) for item in found] == [
        (f"att/{name}", name.encode()) for name in sorted(names, key=lambda name: name.encode())
    ]
    not_named = "not named like evidence (.json, .jsonl, .sigstore, .dsse, .att, .attestation, .provenance)"
    assert skipped == {
        "att/README.md": not_named,
        "att/fifo.json": "not a regular file",
        "att/folder": "a link; links are not followed",
        "att/json": not_named,
        "att/k.pub": not_named,
        "att/link.json": "a link; links are not followed",
        "att/x.JSON": not_named,
    }


def test_each_line_is_a_piece_of_evidence(tmp_path: Path) -> None:
    make(tmp_path, {"att/l.jsonl": b"one\n\n \r\ntwo\r\nthree", "att/none.jsonl": b"", "att/e.json": b""})
    found, skipped = read_evidence(tmp_path, "att", LIMITS)
    assert [(item.origin, item.data) for item in found] == [
        ("att/e.json", b""),
        ("att/l.jsonl#1", b"one"),
        ("att/l.jsonl#4", b"two\r"),
        ("att/l.jsonl#5", b"three"),
    ]
    assert skipped == {}


@pytest.mark.parametrize("directory", ["att", "no/att"])
def test_an_evidence_folder_that_does_not_exist_is_said(tmp_path: Path, directory: str) -> None:
    assert read_evidence(tmp_path, directory, LIMITS) == ([], {directory: "does not exist"})


def test_s12_an_evidence_folder_behind_a_link_or_a_file_in_its_place(tmp_path: Path) -> None:
    make(tmp_path, {"real/x.json": b"x"})
    (tmp_path / "att").symlink_to("real")
    for directory in ("att", "att/x", "real/x.json"):
        with pytest.raises(EvidenceError, match="a part of it is a link or a file"):
            read_evidence(tmp_path, directory, LIMITS)


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_evidence_that_is_too_large(tmp_path: Path, name: str) -> None:
    limits = Limits(evidence_bytes=100)
    make(tmp_path, {f"att/{name}": b"x" * 100})
    assert len(read_evidence(tmp_path, "att", limits)[0]) == 1
    for data in (b"x" * 101, b"x" * 101 + b"\n", b"x" * 500 + b"\n"):
        make(tmp_path, {f"att/{name}": data})
        with pytest.raises(LimitError, match="more than the 100 bytes") as caught:
            read_evidence(tmp_path, "att", limits)
        assert "limits.evidence_bytes" in caught.value.hint


def test_a_file_of_lines_may_be_longer_than_one_line(tmp_path: Path) -> None:
    make(tmp_path, {"att/x.jsonl": (b"x" * 100 + b"\n") * 50})
    assert len(read_evidence(tmp_path, "att", Limits(evidence_bytes=100))[0]) == 50


@pytest.mark.parametrize("files", [{"x.jsonl": b"x\n" * 4}, {f"{n}.json": b"x" for n in range(4)}])
def test_more_evidence_than_the_limit(tmp_path: Path, files: dict[str, bytes]) -> None:
    make(tmp_path / "att", files)
    assert len(read_evidence(tmp_path, "att", Limits(evidence_count=4))[0]) == 4
    with pytest.raises(LimitError, match="more than 3 pieces"):
        read_evidence(tmp_path, "att", Limits(evidence_count=3))


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_evidence_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    make(tmp_path, {f"att/{name}": b"x"})

    refuse_to_open(monkeypatch, name.encode())
    with pytest.raises(EvidenceError, match="cannot be read: Permission denied"):
        read_evidence(tmp_path, "att", LIMITS)


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_s12_evidence_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    make(tmp_path, {f"att/{name}": b"x"})
    looks = 0
    real = os.fstat

    def change(descriptor: int) -> os.stat_result:
        nonlocal looks
        looks += 1
        if looks == 2:
            append(tmp_path / "att" / name, b"y")
        return real(descriptor)

    monkeypatch.setattr("gate.collect.directory.os.fstat", change)
    with pytest.raises(EvidenceError, match="changed while it was read"):
        read_evidence(tmp_path, "att", LIMITS)
    assert looks == 2


def test_s12_evidence_that_is_replaced_after_it_was_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, {"att/x.json": b"x"})

    def replace_after(folder: int, limit: int) -> object:
        found = files.entries(folder, limit)
        rename_over(tmp_path / "att" / "x.json", b"y")
        return found

    monkeypatch.setattr("gate.collect.directory.entries", replace_after)
    with pytest.raises(EvidenceError, match="changed while it was read"):
        read_evidence(tmp_path, "att", LIMITS)


# --- reports ---


def reports(root: Path, *paths: str, limits: Limits = LIMITS) -> list[tuple[str, bytes | None, str | None, bool]]:
    settings = [ReportSettings("sarif", path, "model") for path in paths]
    found = read_reports(root, settings, limits)
    assert {(report.tool, report.artifact) for report in found} <= {("sarif", "model")}
    return [(report.origin, report.data, report.problem, report.missing) for report in found]


def test_reports_by_name_and_by_pattern(tmp_path: Path) -> None:
    make(
        tmp_path,
        {"r/b.sarif": b"b", "r/a.sarif": b"a", "r/x.json": b"x", "r/sub/c.sarif": b"c", "r/.git/d.sarif": b"d"},
    )
    assert reports(tmp_path, "r/x.json", "r/*.sarif") == [
        ("r/x.json", b"x", None, False),
        ("r/a.sarif", b"a", None, False),
        ("r/b.sarif", b"b", None, False),
    ]
    assert [origin for origin, *_ in reports(tmp_path, "**/*.sarif")] == ["r/a.sarif", "r/b.sarif", "r/sub/c.sarif"]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("r/none.json", "it does not exist"),
        ("no/none.json", "it does not exist"),
        ("r/*.none", "no file matches"),
        ("no/*.none", "no file matches"),
    ],
)
def test_a_report_that_is_missing_is_a_report(tmp_path: Path, path: str, problem: str) -> None:
    make(tmp_path, {"r/x.json": b"x"})
    assert reports(tmp_path, path) == [(path, None, problem, True)]


@pytest.mark.parametrize("path", ["r/thing", "r/thin?"])
@pytest.mark.parametrize("thing", [_link_to_file, _fifo, _dangling])
def test_s12_a_report_that_is_no_regular_file_has_a_problem(
    tmp_path: Path, path: str, thing: Callable[[Path], None]
) -> None:
    (tmp_path / "r").mkdir()
    thing(tmp_path / "r" / "thing")
    assert reports(tmp_path, path) == [("r/thing", None, "'r/thing' cannot be read: not a regular file", False)]


def test_s12_a_report_behind_a_link(tmp_path: Path) -> None:
    make(tmp_path, {"real/x.json": b"x"})
    (tmp_path / "r").symlink_to("real")
    [(_, data, problem, missing)] = reports(tmp_path, "r/x.json")
    assert (data, missing) == (None, False)
    assert "a part of it is a link" in (problem or "")
    with pytest.raises(EvidenceError, match="a part of it is a link"):
        reports(tmp_path, "r/*.json")


def test_a_report_that_is_too_large_has_a_problem(tmp_path: Path) -> None:
    make(tmp_path, {"x.json": b"x" * 11})
    [(_, data, problem, missing)] = reports(tmp_path, "x.json", limits=Limits(report_bytes=10))
    assert (data, problem, missing) == (None, "it has more than 10 bytes", False)


def test_s12_a_report_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, {"x.json": b"x"})
    real = os.fstat

    def change(descriptor: int) -> os.stat_result:
        append(tmp_path / "x.json", b"y")
        return real(descriptor)

    monkeypatch.setattr("gate.collect.directory.os.fstat", change)
    assert reports(tmp_path, "x.json") == [("x.json", None, "it changed while it was read", False)]


def test_a_pattern_of_a_report_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the path"):
        reports(tmp_path, "r/**x")


def test_more_files_below_a_pattern_than_the_limit(tmp_path: Path) -> None:
    make(tmp_path, {f"r/{number}": b"x" for number in range(5)})
    with pytest.raises(LimitError):
        reports(tmp_path, "r/*.json", limits=Limits(files=4))


# --- one file ---


def test_one_regular_file(tmp_path: Path) -> None:
    make(tmp_path, {"d/a": b"abc", "empty": b""})
    assert read_regular(tmp_path, "d/a", 3) == b"abc"
    assert read_regular(tmp_path, "empty", 0) == b""
    with pytest.raises(LimitError, match="more than the 2 bytes"):
        read_regular(tmp_path, "d/a", 2)
    with open_regular(tmp_path, "d/a") as file:
        assert file.read(2) == b"ab"
        assert file.read() == b"c"


@pytest.mark.parametrize("thing", LINKS + SPECIALS)
def test_s12_what_is_no_regular_file_is_not_read(tmp_path: Path, thing: Callable[[Path], None]) -> None:
    make(tmp_path, {"a": b"a"})
    thing(tmp_path / "thing")
    assert file_exists(tmp_path, "thing")
    with pytest.raises(EvidenceError, match="not a regular file"):
        read_regular(tmp_path, "thing", 100)


def test_what_is_missing_folder_or_behind_a_link_is_not_read(tmp_path: Path) -> None:
    make(tmp_path, {"d/a": b"a"})
    (tmp_path / "link").symlink_to("d")
    with pytest.raises(EvidenceError, match="does not exist"):
        read_regular(tmp_path, "d/none", 100)
    with pytest.raises(EvidenceError, match="not a regular file"):
        read_regular(tmp_path, "d", 100)
    for call in (lambda: read_regular(tmp_path, "link/a", 100), lambda: file_exists(tmp_path, "link/a")):
        with pytest.raises(EvidenceError, match="a part of it is a link"):
            call()
    assert file_exists(tmp_path, "d")
    assert not file_exists(tmp_path, "none")
    assert not file_exists(tmp_path, "none/a")


def test_s12_one_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    make(tmp_path, {"a": b"abc"})
    with pytest.raises(EvidenceError, match="changed while it was read"), open_regular(tmp_path, "a"):
        append(tmp_path / "a", b"d")


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    make(tmp_path, {"a": b"abc"})
    with pytest.raises(EvidenceError, match="cannot be opened"):
        read_regular(tmp_path / "a", "x", 1)


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    make(tmp_path, {"m/d/a": b"a", "m/b": b"b", "att/x.json": b"x"})
    (tmp_path / "m" / "link").symlink_to("b")
    before = sorted(Path("/proc/self/fd").iterdir())
    for _ in range(3):
        artifact(tmp_path)
        read_evidence(tmp_path, "att", LIMITS)
        reports(tmp_path, "**/*.json", "none")
        for path in ("m/link", "m/d", "none"):
            with pytest.raises(EvidenceError):
                read_regular(tmp_path, path, 10)
    assert sorted(Path("/proc/self/fd").iterdir()) == before
