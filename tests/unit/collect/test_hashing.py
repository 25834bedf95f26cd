"""What recipes give for files on disk: from one read, over all cores, and never for other bytes than were listed."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import pytest

from gate.collect import hashing
from gate.collect.directory import Reading, collect_artifact
from gate.collect.files import Entry, entries, opened_root
from gate.collect.hash_cache import CacheError, HashCache
from gate.collect.hashing import hash_recipe
from gate.collect.listing import Remembering, collect_listing
from gate.errors import ConfigError, EvidenceError
from gate.formats.hashes import Recipe
from gate.model.artifact import ArtifactKind, tree_digest
from gate.model.scan import FileInspection
from gate.model.settings import ArtifactSettings, Limits
from tests.support.repos import sha
from tests.unit.collect.test_directory import make

LIMITS = Limits()
NOISE = random.Random(2)
CONTENTS = {str(size): NOISE.randbytes(size) for size in (0, 1, 999, 1000, 1001, (1 << 20) + 3, 3 << 20)}
MODEL = {f"m/{name}": data for name, data in CONTENTS.items()}
SETTINGS = ArtifactSettings("model", ArtifactKind.WEIGHTS, "m", None, None)


def sharded(data: bytes, size: int) -> str:
    return "".join(hashlib.sha256(data[start : start + size]).hexdigest() for start in range(0, len(data), size))


def recipe_of(root: Path, recipe: Recipe, told: list[int] | None = None) -> dict[str, str]:
    with opened_root(root) as folder:
        found = entries(folder, 100)
        tell = (told if told is not None else []).append
        texts = hash_recipe(folder, found, recipe, "m/", tell)
    return {entry.path.decode(): text for entry, text in zip(found, texts, strict=True)}


@pytest.mark.parametrize("size", [1000, 1 << 16, 1 << 20, 1 << 30])
@pytest.mark.parametrize("span", [1, 1 << 17, 64 << 20])
@pytest.mark.parametrize("alone", [0, 1 << 40])
def test_shards_of_files_do_not_depend_on_who_hashes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, span: int, alone: int
) -> None:
    monkeypatch.setattr(hashing, "_SPAN_BYTES", span)
    monkeypatch.setattr(hashing, "_ALONE_BYTES", alone)
    make(tmp_path, CONTENTS)
    told: list[int] = []
    assert recipe_of(tmp_path, Recipe("sha256", size), told) == {k: sharded(v, size) for k, v in CONTENTS.items()}
    assert sum(told) == sum(map(len, CONTENTS.values()))


def test_whole_files(tmp_path: Path) -> None:
    make(tmp_path, CONTENTS)
    expected = {name: hashlib.blake2b(data).hexdigest() for name, data in CONTENTS.items()}
    assert recipe_of(tmp_path, Recipe("blake2b")) == expected


def test_a_file_that_became_shorter_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, {"a": bytes(5000)})
    monkeypatch.setattr(hashing, "same_file", lambda *_: True)

    def truncated(_: Path, found: Sequence[Entry]) -> None:
        os.truncate(tmp_path / "a", 10)
        assert found[0].status.st_size == 5000

    with opened_root(tmp_path) as folder:
        found = entries(folder, 100)
        truncated(tmp_path, found)
        with pytest.raises(EvidenceError, match="'m/a' changed while it was read"):
            hash_recipe(folder, found, Recipe("sha256", 100), "m/")


@pytest.mark.parametrize("memory", [0, 1 << 30])
@pytest.mark.parametrize("inspected", [True, False])
def test_one_read_gives_all_digests_that_are_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int, inspected: bool
) -> None:
    monkeypatch.setattr(hashing, "MEMORY_BYTES", memory)
    make(tmp_path, MODEL)
    told: list[int] = []
    words = ("sha256-sharded-1000", "blake2b")
    reading = Reading(lambda path, size: words if path == str(size) and size > 999 else (), {}, told.append)

    def visit(_: str, file: BinaryIO, size: int) -> FileInspection:
        assert len(file.read()) == size
        return FileInspection("x", inspected=True)

    collect_artifact(tmp_path, SETTINGS, LIMITS, visit if inspected else None, reading=reading)
    large = [data for data in CONTENTS.values() if len(data) > 999]
    assert reading.others == {(sha(data), "sha256-sharded-1000"): sharded(data, 1000) for data in large} | {
        (sha(data), "blake2b"): hashlib.blake2b(data).hexdigest() for data in large
    }
    assert sum(told) == sum(map(len, CONTENTS.values()))


def test_a_file_that_grows_while_two_threads_hash_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "MEMORY_BYTES", 0)
    make(tmp_path, {"m/a": bytes(3 << 20)})

    def grow(_: int) -> None:
        with (tmp_path / "m" / "a").open("ab") as file:
            file.write(bytes(4 << 20))

    reading = Reading(lambda *_: ("blake2b",), {}, grow)
    with pytest.raises(EvidenceError, match="'m/a' changed while it was read"):
        collect_artifact(tmp_path, SETTINGS, LIMITS, reading=reading)


def test_a_model_that_is_one_file_is_wanted_as_a_dot(tmp_path: Path) -> None:
    make(tmp_path, {"m": b"abc"})
    reading = Reading(lambda path, size: ("blake2b",) if (path, size) == (".", 3) else ())
    collect_artifact(tmp_path, SETTINGS, LIMITS, reading=reading)
    assert reading.others == {(sha(b"abc"), "blake2b"): hashlib.blake2b(b"abc").hexdigest()}


# --- ignored paths ---


def test_what_the_verifier_ignores_is_listed_and_not_read(tmp_path: Path) -> None:
    make(tmp_path, {"m/a": b"a", "m/.git/config": b"1", "m/.gitattributes": b"22", "m/sub/.git": b"3", "m/.gitx": b"4"})
    (tmp_path / "m" / ".git" / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "m" / ".git" / "pipe")
    (tmp_path / "m" / ".git" / "config").chmod(0)
    settings = ArtifactSettings("model", ArtifactKind.WEIGHTS, "m", None, None, (".git", ".gitattributes", "absent"))
    found = collect_artifact(tmp_path, settings, LIMITS)
    assert list(found.files) == [".gitx", "a", "sub/.git"]
    assert found.digest == tree_digest(found.files)
    assert found.ignored == {
        ".git/config": "file of 1 bytes",
        ".git/link": "link",
        ".git/pipe": "special",
        ".gitattributes": "file of 2 bytes",
    }


def test_ignored_paths_are_no_patterns(tmp_path: Path) -> None:
    make(tmp_path, {"m/a.py": b"a", "m/*.py": b"b", "m/x/y": b"c", "m/A.PY": b"d"})
    settings = ArtifactSettings("model", ArtifactKind.WEIGHTS, "m", None, None, ("*.py", "**", "y", "a.p"))
    found = collect_artifact(tmp_path, settings, LIMITS)
    assert list(found.ignored) == ["*.py"]
    assert list(found.files) == ["A.PY", "a.py", "x/y"]


def test_of_a_file_nothing_can_be_ignored(tmp_path: Path) -> None:
    make(tmp_path, {"m": b"a"})
    settings = ArtifactSettings("model", ArtifactKind.WEIGHTS, "m", None, None, ("m",))
    with pytest.raises(ConfigError, match="ignore is for folders"):
        collect_artifact(tmp_path, settings, LIMITS)


# --- the cache of hashes ---


def listed(root: Path, cache: HashCache, recipe: Recipe, told: list[int]) -> dict[str, str]:
    remembering = Remembering(cache, (root / "m").stat().st_mtime_ns + 10_000_000_000)
    return dict(collect_listing(root, "m", recipe, LIMITS, remembering, told.append).texts)


def test_the_cache_saves_reading_what_looks_unchanged(tmp_path: Path) -> None:
    make(tmp_path, {"m/a": b"a" * 3000, "m/b": b"b"})
    recipe, cache = Recipe("sha256", 1000), HashCache()
    told: list[int] = []
    first = listed(tmp_path, cache, recipe, told)
    assert sum(told) == 3001
    again = HashCache.loads(cache.dumps())
    assert listed(tmp_path, again, recipe, told) == first
    assert (sum(told), again.found) == (3001, 2)
    assert listed(tmp_path, again, Recipe("sha256"), told).keys() == first.keys()
    assert sum(told) == 6002
    assert HashCache.loads(again.dumps()).dumps() == again.dumps()


@pytest.mark.parametrize("change", ["size", "time", "moved"])
def test_whatever_looks_changed_is_read(tmp_path: Path, change: str) -> None:
    make(tmp_path, {"m/a": b"a" * 3000})
    cache = HashCache()
    before = listed(tmp_path, cache, Recipe("sha256"), [])
    path = tmp_path / "m" / "a"
    if change == "size":
        path.write_bytes(b"b" * 3001)
    elif change == "time":
        path.write_bytes(b"b" * 3000)
        os.utime(path, ns=(1, 1))
    else:
        status = path.stat()
        path.rename(tmp_path / "old")
        path.write_bytes(b"b" * 3000)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = listed(tmp_path, cache, Recipe("sha256"), [])
    assert after["a"] == hashlib.sha256(path.read_bytes()).hexdigest() != before["a"]


def test_what_changed_a_moment_ago_is_not_remembered(tmp_path: Path) -> None:
    make(tmp_path, {"m/a": b"a"})
    cache = HashCache()
    remembering = Remembering(cache, (tmp_path / "m" / "a").stat().st_ctime_ns + 1_000_000_000)
    collect_listing(tmp_path, "m", Recipe("sha256"), LIMITS, remembering)
    assert cache.dumps() == HashCache().dumps()


def test_a_text_of_the_wrong_length_is_not_believed(tmp_path: Path) -> None:
    make(tmp_path, {"m/a": b"a"})
    status = (tmp_path / "m" / "a").stat()
    cache = HashCache()
    cache.keep(status, Recipe("sha256"), "00", status.st_ctime_ns + 10**10)
    assert cache.find(status, Recipe("sha256")) is None
    assert cache.find(status, Recipe("blake2b")) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"[]",
        b"{}",
        b'{"version":2,"files":{}}',
        b'{"version":1,"files":[]}',
        b'{"version":1,"files":{"1:2":[]}}',
        b'{"version":1,"files":{"1:2":{"state":1,"digests":{}}}}',
        b'{"version":1,"files":{"1:2":{"state":"x","digests":[]}}}',
        b'{"version":1,"version":1,"files":{}}',
    ],
)
def test_bytes_that_are_no_cache(data: bytes) -> None:
    with pytest.raises(CacheError):
        HashCache.loads(data)


def test_a_single_file_and_what_is_no_file_are_listed(tmp_path: Path) -> None:
    make(tmp_path, {"m/a": b"a"})
    (tmp_path / "m" / "link").symlink_to("a")
    found = collect_listing(tmp_path, "m", Recipe("sha256", 1), LIMITS)
    assert {path: file.format for path, file in found.files.items()} == {"a": "unknown", "link": "symlink"}
    assert found.files["a"].digest == sha(hashlib.sha256(b"a").digest())
    assert list(collect_listing(tmp_path, "m/a", Recipe("sha256"), LIMITS).files) == ["a"]
