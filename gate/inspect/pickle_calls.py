"""Which calls a pickle may make, by the role of what is called (the roles of pickle_allow.json).

Each rule takes the arguments and answers with what the call makes, or refuses with a reason. All the callables are
harmless with any arguments; the rules also keep to the shapes that the libraries themselves write, because
crafted shapes are how such callables were abused (torch CVE-2026-24747).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from gate.inspect.pickle_keys import holds_costly_key
from gate.inspect.pickle_values import (
    BOOL,
    BYTES,
    NONE,
    NUMBER,
    TEXT,
    Items,
    Made,
    Reference,
    Storage,
    Table,
    Value,
    tuple_parts,
)

_DTYPE: Final = re.compile(r"[<>|=]?[?bBhHiIlLqQefdgFDGSUVOmMcapu][0-9]{0,9}")
_SIZED: Final = re.compile(r"[<>|=]?([biufcmMVSUa])([0-9]{1,9})")
_FLEXIBLE: Final = frozenset("SUVa")
"""Types of any size: NumPy takes it from their state, unchecked."""
_CHARACTER: Final = "c"
"""A text of one byte; with a number the same letter is of complex numbers."""
_BYTE_ORDERS: Final = frozenset({"<", ">", "|", "="})
_DIMENSIONS: Final = 64
_OBJECT_FLAGS: Final = 63
_PLAIN_FLAGS: Final = frozenset({0, 8, 16})
OBJECT_TYPE: Final = Made("dtype")
"""The type of arrays of objects."""
_LATIN: Final = frozenset({"latin1", "latin-1"})
_WORD: Final = re.compile(r"[A-Za-z0-9_.:]{0,64}")

FUNCTIONS: Final = frozenset(
    {
        "encode", "reconstruct", "scalar", "frombuffer", "tensor", "tensor_v3", "parameter", "sparse", "qtensor",
        "layout", "reconstructor", "generator", "random_state", "seed",
    }
)  # fmt: skip
"""Roles of functions: they may only be called, never kept as a value."""


class RefusedError(Exception):
    """The call or state does not have a shape that is known to be harmless; the text says why."""


def need(condition: bool, reason: str) -> None:
    """Raises `RefusedError` with the reason unless the condition holds."""
    if not condition:
        raise RefusedError(reason)


def is_made(value: Value, *roles: str) -> bool:
    """Whether a call of one of these roles made the value."""
    return isinstance(value, Made) and value.role in roles


def is_bytes(value: Value) -> bool:
    """Whether a value is bytes; text stands for those of Python 2."""
    return value is BYTES or value is TEXT or isinstance(value, str) or is_made(value, "bytes")


def sizes_of(value: Value) -> tuple[int, ...]:
    """The numbers of a tuple of integers that are not negative. Raises `RefusedError`."""
    if not isinstance(value, Items) or value.kind not in {"tuple", "list"}:
        raise RefusedError("a shape is not a tuple")
    need(len(value.items) <= _DIMENSIONS, "a shape of too many dimensions")
    numbers = tuple(item for item in value.items if isinstance(item, int) and item >= 0)
    need(len(numbers) == len(value.items), "a shape holds something else than sizes")
    return numbers


def is_array_class(value: Value) -> bool:
    """Whether a value is a class of arrays that is allowed."""
    if not isinstance(value, Reference):
        return False
    return value.role == "own" or (value.module == "numpy" and value.name in {"ndarray", "matrix"})


def _mapping(args: Sequence[Value]) -> Made:
    need(len(args) <= 2, "too many arguments")
    pairs = [item for arg in args if isinstance(arg, Items) for item in arg.items]
    keys = [pair.items[0] if isinstance(pair, Items) and pair.kind == "list" and pair.items else pair for pair in pairs]
    need(not holds_costly_key(keys), "a key of so many parts that a loader ends or hangs when it hashes it")
    return Made("mapping")


def _collection(args: Sequence[Value]) -> Made:
    need(not args or (len(args) == 1 and isinstance(args[0], Items)), "not made from a list")
    keys = [item for arg in args if isinstance(arg, Items) for item in arg.items]
    need(not holds_costly_key(keys), "a member of so many parts that a loader ends or hangs when it hashes it")
    return Made("collection")


def _bytes(args: Sequence[Value]) -> Made:
    need(len(args) <= 2 and all(is_bytes(arg) for arg in args), "not made from bytes")
    need(len(args) < 2 or args[1] in _LATIN, "an encoding other than latin1")
    return Made("bytes")


def _complex(args: Sequence[Value]) -> Made:
    need(len(args) <= 2 and all(arg is NUMBER or isinstance(arg, int) for arg in args), "not made from numbers")
    return Made("number")


def _encode(args: Sequence[Value]) -> Made:
    need(len(args) == 2 and (args[0] is TEXT or isinstance(args[0], str)), "not text and an encoding")
    need(isinstance(args[1], str) and args[1] in _LATIN, "an encoding other than latin1")
    return Made("bytes")


def _dtype(args: Sequence[Value]) -> Made:
    name = args[0] if args else None
    need(isinstance(name, str) and _DTYPE.fullmatch(name) is not None, "not a plain type code")
    need(len(args) <= 3 and all(isinstance(arg, int) or arg is BOOL for arg in args[1:]), "unknown arguments")
    return OBJECT_TYPE if "O" in str(name) else Made("dtype", _type_bytes(str(name)))


def _type_bytes(name: str) -> tuple[int, ...]:
    """The bytes of an item, if its code says them; a second number tells that they belong to the type itself."""
    match = _SIZED.fullmatch(name)
    code = name.lstrip("<>|=")
    need(match is not None or code not in _FLEXIBLE, "a type of no particular size")
    if code == _CHARACTER:
        return (1, 1)
    if match is None:
        return ()
    size = int(match[2]) * (4 if match[1] == "U" else 1)
    return (size, 1) if match[1] in _FLEXIBLE else (size,)


def _reconstruct(args: Sequence[Value]) -> Made:
    need(len(args) == 3, "not three arguments")
    base = args[0]
    need(is_array_class(base), "not a plain ndarray")
    need(0 in sizes_of(args[1]), "an array that is not empty before it has its state")
    need(is_bytes(args[2]), "not a type code")
    return Made("ndarray")


def _scalar(args: Sequence[Value]) -> Made:
    need(len(args) == 2 and is_made(args[0], "dtype") and is_bytes(args[1]), "not a type and its bytes")
    return Made("number")


def _frombuffer(args: Sequence[Value]) -> Made:
    need(4 <= len(args) <= 5 and is_bytes(args[0]) and is_made(args[1], "dtype"), "not bytes and their type")
    sizes_of(args[2])
    return Made("array")


def _size(args: Sequence[Value]) -> Made:
    need(len(args) == 1, "not one argument")
    return Made("size", sizes_of(args[0]))


def _device(args: Sequence[Value]) -> Made:
    need(1 <= len(args) <= 2 and isinstance(args[0], str), "not a device")
    need(_WORD.fullmatch(str(args[0])) is not None and all(isinstance(arg, int) for arg in args[1:]), "not a device")
    return Made("device")


def _layout(args: Sequence[Value]) -> Made:
    need(len(args) == 1 and isinstance(args[0], str) and _WORD.fullmatch(args[0]) is not None, "not a layout")
    return Made("layout")


def _extent(args: Sequence[Value], unit: int) -> Made:
    """A tensor that lies inside its storage: one that does not reads or writes outside of it."""
    storage, offset = args[0], args[1]
    need(isinstance(storage, Made) and storage.role == "storage", "not made from a storage")
    shape = args[2].numbers if isinstance(args[2], Made) and args[2].role == "size" else sizes_of(args[2])
    steps = sizes_of(args[3])
    if not isinstance(offset, int) or offset < 0 or len(shape) != len(steps):
        raise RefusedError("its offset or its strides are not known")
    if all(shape) and isinstance(storage, Made):
        last = offset + sum((size - 1) * step for size, step in zip(shape, steps, strict=True))
        need(last < storage.numbers[0] // unit, "it reaches outside its storage")
    return Made("tensor")


def _tensor(args: Sequence[Value]) -> Made:
    need(4 <= len(args) <= 7, "not the arguments of a tensor")
    return _extent(args, 1)


def _tensor_v3(args: Sequence[Value]) -> Made:
    need(7 <= len(args) <= 8, "not the arguments of a tensor")
    dtype = args[6]
    need(isinstance(dtype, Reference) and dtype.module == "torch", "its type is not known")
    # The element's size is not known here; an untyped storage counts bytes, and no element is smaller than one.
    return _extent(args, 1)


def _parameter(args: Sequence[Value]) -> Made:
    need(len(args) == 3 and is_made(args[0], "tensor"), "not made from a tensor")
    return Made("tensor")


def _sparse(args: Sequence[Value]) -> Made:
    need(len(args) == 2 and isinstance(args[1], Items), "not a layout and its tensors")
    return Made("tensor")


def _qtensor(args: Sequence[Value]) -> Made:
    need(6 <= len(args) <= 7 and isinstance(args[4], Items), "not the arguments of a quantized tensor")
    return _extent(args, 1)


CALLS: Final[Mapping[str, Callable[[Sequence[Value]], Made]]] = {
    "mapping": _mapping,
    "collection": _collection,
    "bytes": _bytes,
    "complex": _complex,
    "encode": _encode,
    "dtype": _dtype,
    "reconstruct": _reconstruct,
    "scalar": _scalar,
    "frombuffer": _frombuffer,
    "size": _size,
    "device": _device,
    "layout": _layout,
    "tensor": _tensor,
    "tensor_v3": _tensor_v3,
    "parameter": _parameter,
    "sparse": _sparse,
    "qtensor": _qtensor,
}


def judge_dtype_state(made: Made, state: Value) -> None:
    """The state of a type: the flags that its kind has, and fields that lie inside it.

    NumPy takes the flags from the state. An object type that forgets that it holds objects turns bytes into pointers.
    """
    parts = tuple_parts(state)
    need(8 <= len(parts) <= 9 and parts[0] in {3, 4}, "not the state of a type")
    need(isinstance(parts[1], str) and parts[1] in _BYTE_ORDERS, "an unknown byte order")
    need(parts[2] is NONE, "a type with a subtype is not proved harmless")
    size, alignment, flags = parts[5:8]
    if not isinstance(size, int) or not isinstance(alignment, int) or size < -1 or alignment < -1:
        raise RefusedError("sizes that are not known")
    is_own = len(made.numbers) < 2 and size == -1
    need(is_own or not made.numbers or size == made.numbers[0], "another size than that of its type")
    need(flags in ({_OBJECT_FLAGS} if made is OBJECT_TYPE else _PLAIN_FLAGS), "flags that its kind does not have")
    if parts[3] is not NONE or parts[4] is not NONE:
        _judge_fields(parts[3], parts[4], made.numbers[0] if made.numbers and size != -1 else 0)


def _judge_fields(names: Value, fields: Value, size: int) -> None:
    """The fields of a structured type: plain types, each inside the whole."""
    known = tuple_parts(names)
    table = fields.fields if isinstance(fields, Table) and not fields.others else None
    need(bool(known) and table is not None and len(known) == len(table), "fields that are not known")
    for name in known:
        parts = tuple_parts(table.get(name, NONE) if table is not None and isinstance(name, str) else NONE)
        kind, offset = parts if len(parts) == 2 else (NONE, NONE)
        if not isinstance(kind, Made) or kind.role != "dtype" or not kind.numbers or not isinstance(offset, int):
            raise RefusedError("a field that is not of a plain type")
        need(0 <= offset <= size - kind.numbers[0], "a field outside of its type")


def torch_storage(value: Value) -> tuple[str, Storage]:
    """The key and extent of torch's persistent id. Raises `RefusedError` for any other shape.

    `("storage", <storage class>, key, location, elements)`; a sixth item is the legacy view, which must be none.
    """
    parts = tuple_parts(value)
    need(len(parts) in {5, 6} and parts[0] == "storage", "not a storage of torch")
    kind, key, location, elements = parts[1], parts[2], parts[3], parts[4]
    if not isinstance(kind, Reference) or kind.role is None or not kind.role.startswith("storage:"):
        raise RefusedError("its storage class is not allowed")
    if not isinstance(key, str) or not isinstance(location, str) or not isinstance(elements, int) or elements < 0:
        raise RefusedError("its key, location or size is not known")
    need(all(part is NONE for part in parts[5:]), "a view of another storage")
    return key, Storage(int(kind.role.removeprefix("storage:")), elements)
