"""What a loader would meet in a file, told by the standard library's own readers and not by the gate's.

Nothing is ever run: the unpickler here makes stand-ins, and notes the first name that is not on the allow-list. What
these readers cannot read is not dangerous to them; it may be to others, and the gate is free to refuse it.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final

import yaml

from gate.inspect.pickle_policy import pickle_policy
from gate.inspect.sniff import is_pickle_name

_MOST: Final = 1 << 20
_DEPTH: Final = 5
_PICKLES: Final = 50
_CODE_KEYS: Final = ("_target_", "auto_map", "py/object", "py/reduce")


class FoundError(Exception):
    """A loader would import this."""


class _StandIn:
    """Whatever a pickle builds out of names that are allowed."""

    def __init__(self, *_arguments: Any, **_named: Any) -> None:
        pass

    def __call__(self, *_arguments: Any, **_named: Any) -> _StandIn:
        return _StandIn()

    def __setitem__(self, _key: object, _value: object) -> None:
        pass

    def __setstate__(self, _state: object) -> None:
        pass

    def append(self, _value: object) -> None:
        pass

    def extend(self, _values: object) -> None:
        pass

    def add(self, _value: object) -> None:
        pass


class _Unpickler(pickle._Unpickler):
    """The interpreter's own, in Python: the one in C takes all memory for one large memo index."""

    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) not in pickle_policy().roles:
            raise FoundError(f"{module}.{name}")
        return _StandIn

    def get_extension(self, code: int) -> None:
        raise FoundError(f"extension {code}")

    def persistent_load(self, _pid: object) -> Any:
        return _StandIn()


def unpickled(data: bytes) -> str | None:
    """The first name that is not allowed and that an unpickler of all pickles in a stream would import."""
    stream = io.BytesIO(data)
    for _ in range(_PICKLES):
        try:
            _Unpickler(stream).load()
        except FoundError as found:
            return str(found)
        except Exception:  # noqa: BLE001 - what does not load does not run
            return None
    return None


def danger(name: str, data: bytes, depth: int = 0) -> str | None:
    """What in a file would run code, or make a loader do so; `None` if these readers see nothing."""
    if depth > _DEPTH:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for inside, content in _inside(name, data):
            found = danger(inside, content, depth + 1)
            if found:
                return f"{inside}: {found}"
        if is_pickle_name(name) and (found := unpickled(data)):
            return f"imports {found}"
        return _settings(name, data)


def _inside(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """The files in a container, as far as they can be read."""
    try:
        if zipfile.is_zipfile(io.BytesIO(data)):
            yield from _zip(data)
        elif data[257:262] == b"ustar":
            yield from _tar(data)
        elif data[:6] == b"\x93NUMPY":
            yield from _npy(data)
        elif (plain := _unpacked(data)) is not None:
            yield name.removesuffix(".gz").removesuffix(".bz2").removesuffix(".xz"), plain
    except (FoundError, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - what cannot be read is not loaded
        return


def _zip(data: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist()[:200]:
            try:
                with archive.open(info) as member:
                    content = member.read(_MOST)
            except Exception:  # noqa: BLE001 - another member may be readable
                continue
            yield info.filename, content


def _tar(data: bytes) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for _ in range(200):
            info = archive.next()
            if info is None:
                return
            if info.isreg():
                file = archive.extractfile(info)
                yield info.name, file.read(_MOST) if file else b""


def _npy(data: bytes) -> Iterator[tuple[str, bytes]]:
    width = 2 if data[6] == 1 else 4
    start = 8 + width + int.from_bytes(data[8 : 8 + width], "little")
    if b"O" in data[8 + width : start]:
        yield "objects.pkl", data[start:]


def _unpacked(data: bytes) -> bytes | None:
    if data[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=io.BytesIO(data)).read(_MOST)
    if data[:3] == b"BZh":
        return bz2.BZ2Decompressor().decompress(data, _MOST)
    if data[:6] == b"\xfd7zXZ\0" or data[:3] == b"]\0\0":
        return lzma.LZMADecompressor(memlimit=64 << 20).decompress(data, _MOST)
    if data[:1] == b"x":
        return zlib.decompressobj().decompress(data, _MOST)
    return None


def _settings(name: str, data: bytes) -> str | None:
    suffix = name.rpartition(".")[2].lower()
    try:
        if suffix == "json":
            return _code_key(json.loads(data))
        if suffix in {"yaml", "yml"} and len(data) < 1 << 14:
            return _code_key(list(yaml.safe_load_all(data)))
    except (ValueError, RecursionError, yaml.YAMLError, TypeError, AttributeError, OverflowError):
        return None
    return None


def _code_key(root: object) -> str | None:
    waiting, seen = [root], set[int]()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        if isinstance(value, (dict, list)):
            seen.add(id(value))
        if isinstance(value, dict):
            for key in _CODE_KEYS:
                if isinstance(value.get(key), str) and value[key] not in {"", "false", "False"}:
                    return f"{key} names code"
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return None
