"""Writes what torch and transformers write, without them: the standard pickler, with globals that need not exist.

Shapes are those of `torch.save` (protocol 2, storages as persistent ids, an archive of stored members).
"""

from __future__ import annotations

import collections
import io
import math
import pickle
import struct
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support import samples

ELEMENT_BYTES = {
    "FloatStorage": 4, "DoubleStorage": 8, "HalfStorage": 2, "BFloat16Storage": 2, "LongStorage": 8, "IntStorage": 4,
    "ShortStorage": 2, "CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1, "ComplexFloatStorage": 8,
    "ComplexDoubleStorage": 16, "QInt8Storage": 1, "QUInt8Storage": 1, "QInt32Storage": 4,
}  # fmt: skip


@dataclass(eq=False)
class Named:
    """A global, by its name alone."""

    module: str
    name: str


@dataclass(eq=False)
class Call:
    """What a call makes, and the state that it is given; `new` makes an object without its constructor."""

    target: Named
    args: tuple[Any, ...] = ()
    state: Any = None
    new: bool = False


@dataclass(eq=False)
class Storage:
    """The bytes of a tensor, kept outside of the pickle."""

    kind: str
    count: int


@dataclass(eq=False)
class Key:
    """A tensor of a tar archive, by its number."""

    number: int


@dataclass(eq=False)
class _Files:
    """The storages of one file, by the key that it gives them."""

    found: list[Storage] = field(default_factory=list)

    def key(self, storage: Storage) -> str:
        if storage not in self.found:
            self.found.append(storage)
        return str(self.found.index(storage))


_PythonPickler: Any = vars(pickle)["_Pickler"]
"""The pickler of the standard library that can be told how to save what it does not know."""


class _Pickler(_PythonPickler):  # type: ignore[misc]
    def __init__(self, file: io.BytesIO, protocol: int, files: _Files, *, tar: bool = False) -> None:
        super().__init__(file, protocol)
        self.files = files
        self.tar = tar

    def persistent_id(self, obj: Any) -> Any:
        if self.tar and isinstance(obj, Key):
            return obj.number
        if not isinstance(obj, Storage):
            return None
        return ("storage", Named("torch", obj.kind), self.files.key(obj), "cpu", obj.count)

    def save(self, obj: Any, save_persistent_id: bool = True) -> Any:
        if id(obj) in self.memo or not isinstance(obj, Named | Call):
            return super().save(obj, save_persistent_id)
        if isinstance(obj, Named):
            if self.proto >= 4:
                super().save(obj.module)
                super().save(obj.name)
                self.write(pickle.STACK_GLOBAL)
            else:
                self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
            return self.memoize(obj)
        self.save(obj.target)
        self.save(obj.args)
        self.write(pickle.NEWOBJ if obj.new else pickle.REDUCE)
        self.memoize(obj)
        if obj.state is not None:
            self.save(obj.state)
            self.write(pickle.BUILD)
        return None


def dumped(value: Any, protocol: int = 2) -> bytes:
    """A pickle without storages."""
    out = io.BytesIO()
    _Pickler(out, protocol, _Files()).dump(value)
    return out.getvalue()


def saved(value: Any, *, prefix: str = "archive") -> bytes:
    """What `torch.save` writes: an archive."""
    out, files = io.BytesIO(), _Files()
    _Pickler(out, 2, files).dump(value)
    members = {f"{prefix}/data.pkl": out.getvalue(), f"{prefix}/byteorder": b"little"}
    members |= {f"{prefix}/data/{number}": _content(item) for number, item in enumerate(files.found)}
    members |= {f"{prefix}/version": b"3\n", f"{prefix}/.data/serialization_id": b"0123456789" * 4}
    return samples.zip_bytes(members)


def saved_legacy(value: Any) -> bytes:
    """What it wrote before version 1.6: pickles, one after the other, and the storages."""
    out, files = io.BytesIO(), _Files()
    _Pickler(out, 2, files).dump(value)
    keys = [str(number) for number in range(len(files.found))]
    raw = b"".join(struct.pack("<q", item.count) + _content(item) for item in files.found)
    return samples.legacy_torch(data=out.getvalue(), keys=pickle.dumps(keys, 2), raw=raw)


def saved_tar(value: Any, tensors: Sequence[tuple[int, Storage, tuple[int, ...]]], *, views: Any = ()) -> bytes:
    """What it wrote before version 0.1.10: a tar archive in which the object refers to tensors by their keys.

    Each of `tensors` has a key, a storage and a shape.
    """
    out = io.BytesIO()
    _Pickler(out, 2, _Files(), tar=True).dump(value)
    storages = dumped(len(tensors))
    listed = dumped(len(tensors))
    for number, (key, storage, shape) in enumerate(tensors):
        storages += dumped((1000 + number, "cpu", Named("torch", storage.kind)))
        storages += struct.pack("<q", storage.count) + _content(storage)
        listed += dumped((key, 1000 + number, Named("torch", storage.kind)))
        numbers = (len(shape), *shape, *strides(shape), 0)
        listed += struct.pack(f"<{len(numbers)}q", *numbers)
    system = dumped({"protocol_version": 1000, "little_endian": True})
    storages += dumped(list(views))
    return tar_of({"sys_info": system, "pickle": out.getvalue(), "tensors": listed, "storages": storages})


def strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Those of an array that lies row by row."""
    steps: list[int] = []
    total = 1
    for extent in reversed(shape):
        steps.insert(0, total)
        total *= extent
    return tuple(steps)


def tar_of(members: Mapping[str, bytes]) -> bytes:
    """A tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _content(storage: Storage) -> bytes:
    return b"\x00" * (storage.count * ELEMENT_BYTES[storage.kind])


def tensor(*shape: int, kind: str = "FloatStorage") -> Call:
    """A tensor of its own storage."""
    storage = Storage(kind, math.prod(shape))
    parts: tuple[Any, ...] = (storage, 0, tuple(shape), strides(shape), False, collections.OrderedDict())
    return Call(Named("torch._utils", "_rebuild_tensor_v2"), parts)


def parameter(*shape: int) -> Call:
    """A parameter."""
    return Call(Named("torch._utils", "_rebuild_parameter"), (tensor(*shape), True, collections.OrderedDict()))


def module(path: str, name: str, **attributes: Any) -> Call:
    """A module of `torch.nn` as it is pickled whole."""
    none: dict[str, Any] = {key: collections.OrderedDict() for key in ("_backward_hooks", "_forward_hooks", "_modules")}
    state = {"training": False, "_parameters": {}, "_buffers": {}, **none, **attributes}
    return Call(Named(f"torch.nn.modules.{path}", name), (), state, new=True)
