"""Objects that libraries pickle beside plain data: estimators, modules, settings, generators, joblib's arrays.

A class on the list is made without running its constructor and gets attributes that are data or other listed objects.
What its own state could do to native code is checked here (generators), or the class is not on the list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.inspect.pickle_calls import (
    OBJECT_TYPE,
    RefusedError,
    is_array_class,
    is_bytes,
    is_made,
    need,
    sizes_of,
)
from gate.inspect.pickle_values import BOOL, NONE, NUMBER, TEXT, Atom, Items, Made, Reference, Table, Value, tuple_parts

_STATE_KEYS: Final = frozenset(
    {
        "bit_generator", "buffer", "buffer_pos", "counter", "gauss", "has_gauss", "has_uint32", "inc", "key", "pos",
        "state", "uinteger",
    }
)  # fmt: skip
ALIGNMENT: Final = 16
_GENERATORS: Final = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
_MERSENNE_WORDS: Final = 624
_PHILOX_WORDS: Final = 4
_SEED_PARTS: Final = 5


def _object(args: Sequence[Value]) -> Made:
    need(not args, "it is made with arguments")
    return Made("object")


def _joblib_array(args: Sequence[Value]) -> Made:
    need(not args, "it is made with arguments")
    return Made("joblib_array")


def _numeric(args: Sequence[Value]) -> Made:
    """A class in C that keeps a few numbers, such as a loss."""
    need(len(args) <= 4 and all(arg is NUMBER or isinstance(arg, int) for arg in args), "not made from numbers")
    return Made("object")


def _reconstructor(args: Sequence[Value]) -> Made:
    """How protocols 0 and 1 make an object of a class that has no base in C."""
    need(len(args) == 3 and args[2] is NONE, "not a class, its base and no state")
    kind, base = args[0], args[1]
    need(isinstance(kind, Reference) and kind.role == "object", "not a class that is allowed to be made")
    need(isinstance(base, Reference) and base.name == "object" and base.role == "value", "a base other than object")
    return Made("object")


def _enum(args: Sequence[Value]) -> Made:
    need(len(args) == 1 and isinstance(args[0], str | int), "not the value of a member")
    return Made("enum")


def _time(args: Sequence[Value]) -> Made:
    need(1 <= len(args) <= 2 and is_bytes(args[0]), "not the bytes of a time")
    need(all(is_made(arg, "time") for arg in args[1:]), "an unknown time zone")
    return Made("time")


def _numbers(args: Sequence[Value]) -> Made:
    need(len(args) <= 3 and all(isinstance(arg, int) for arg in args), "not made from numbers")
    return Made("time")


def _zone(args: Sequence[Value]) -> Made:
    need(len(args) == 1 and is_made(args[0], "time"), "not made from a difference")
    return Made("time")


def _text(args: Sequence[Value]) -> Made:
    need(len(args) == 1 and (args[0] is TEXT or isinstance(args[0], str)), "not made from a text")
    return Made("number")


def _slice(args: Sequence[Value]) -> Made:
    need(len(args) == 3 and all(arg is NONE or isinstance(arg, int) for arg in args), "not made from numbers")
    return Made("object")


def _masked(args: Sequence[Value]) -> Made:
    """An array with a mask, empty until it gets its state."""
    need(len(args) == 4 and is_bytes(args[3]), "not what makes a masked array")
    for kind, name in zip(args[:2], ("MaskedArray", "ndarray"), strict=True):
        need(isinstance(kind, Reference) and kind.role == "value" and kind.name == name, "not a plain masked array")
    need(0 in sizes_of(args[2]), "an array that is not empty before it has its state")
    return Made("masked")


def _own(_: Sequence[Value]) -> Made:
    return Made("own")


def _generator_index(value: Value) -> int:
    """The number of a bit generator, named by a text or its class."""
    name = value if isinstance(value, str) else ""
    if isinstance(value, Reference) and value.role is not None and value.role.startswith("bits:"):
        name = value.role.removeprefix("bits:")
    need(name in _GENERATORS, "not a bit generator of NumPy")
    return _GENERATORS.index(name)


def _bit_generator(args: Sequence[Value]) -> Made:
    need(len(args) == 1, "not one bit generator")
    return Made("bits", (_generator_index(args[0]),))


def _holder(args: Sequence[Value]) -> Made:
    """A generator: of a bit generator, or (NumPy before 2) of the name of one and what makes it."""
    need(1 <= len(args) <= 2, "not one bit generator")
    made = args[0]
    if isinstance(made, Made) and made.role == "bits":
        return Made("generator", made.numbers)
    need(all(isinstance(arg, Reference) and arg.role == "bit_generator" for arg in args[1:]), "unknown arguments")
    return Made("generator", (_generator_index(made),))


def _seed(args: Sequence[Value]) -> Made:
    need(len(args) == 3 and isinstance(args[1], int) and args[2] is NONE, "not a seed")
    need(isinstance(args[0], Reference) and args[0].name == "SeedSequence", "not a seed")
    return Made("seed")


OBJECT_CALLS: Final = {
    "object": _object,
    "reconstructor": _reconstructor,
    "joblib_array": _joblib_array,
    "numeric": _numeric,
    "enum": _enum,
    "time": _time,
    "numbers": _numbers,
    "zone": _zone,
    "text": _text,
    "slice": _slice,
    "masked": _masked,
    "own": _own,
    "bit_generator": _bit_generator,
    "generator": _holder,
    "random_state": _holder,
    "seed": _seed,
}
NEW_ONLY: Final = frozenset({"object", "joblib_array"})
"""Roles of classes that are made without their constructor only."""


def judge_object_state(made: Made, state: Value) -> None:
    """Whether BUILD may give an object its state. Raises `RefusedError`."""
    if made.role == "object":
        simple = state is NONE or (isinstance(state, Table) and state.simple)
        need(simple, "its attributes are not plain names")
    elif made.role in {"bits", "generator"}:
        # A bit generator may have its seed beside its state.
        pair = tuple_parts(state)
        if pair:
            need(len(pair) == 2 and (pair[1] is NONE or is_made(pair[1], "seed", "object")), "not a state and a seed")
        if state is not NONE:
            _judge_generator(_GENERATORS[made.numbers[0]], pair[0] if pair else state)
    elif made.role == "masked":
        parts = tuple_parts(state)
        need(
            len(parts) == 7 and is_made(parts[2], "dtype") and parts[2] is not OBJECT_TYPE, "not a masked array's state"
        )
        sizes_of(parts[1])
    elif made.role == "seed":
        parts = tuple_parts(state)
        need(len(parts) == _SEED_PARTS and is_made(parts[2], "ndarray", "array"), "not the state of a seed")
    elif made.role != "own":
        raise RefusedError("objects of its kind have no state")


def _fields(state: Value, reason: str) -> Mapping[str, Value]:
    """A small dictionary whose keys are all known."""
    if not isinstance(state, Table) or state.others:
        raise RefusedError(reason)
    return state.fields or {}


def _judge_generator(name: str, state: Value) -> None:
    """The state of a generator: NumPy reads from its buffer at the position that the state says, unchecked."""
    reason = "not the state of its generator"
    outer = _fields(state, reason)
    need(outer.get("bit_generator") == name, reason)
    inner = _fields(outer.get("state", NONE), reason)
    need(_STATE_KEYS.issuperset((*outer, *inner)), reason)
    plain = (int, Made)
    values = [*inner.values(), *(value for key, value in outer.items() if key not in {"bit_generator", "state"})]
    need(all(value is NUMBER or isinstance(value, plain) for value in values), reason)
    if name == "MT19937":
        need(_within(inner.get("pos"), _MERSENNE_WORDS), "a position outside its buffer")
    if name == "Philox":
        need(_within(outer.get("buffer_pos"), _PHILOX_WORDS), "a position outside its buffer")


def _within(value: Value | None, limit: int) -> bool:
    return isinstance(value, int) and 0 <= value <= limit


@dataclass(frozen=True, slots=True)
class RawArray:
    """An array that joblib reads from between the operations: its bytes, `None` for objects, which are a pickle."""

    size: int | None
    padded: bool


def fails_surely(state: Value) -> bool:
    """Whether joblib raises for a description: it lacks what is needed, or has it from nothing that is a type."""
    if isinstance(state, Table) and not state.others:
        fields = state.fields or {}
        return "shape" not in fields or not isinstance(fields.get("dtype"), Made | Reference)
    return isinstance(state, str | int | Atom)


def raw_array(state: Value) -> RawArray:
    """What a wrapper of joblib describes. Raises `RefusedError` for what joblib does not write."""
    fields = _fields(state, "not the description of an array")
    names = {"subclass", "shape", "order", "dtype", "allow_mmap"}
    need(names <= fields.keys() <= names | {"numpy_array_alignment_bytes"}, "not the description of an array")
    kind, dtype = fields["subclass"], fields["dtype"]
    need(is_array_class(kind), "not a plain ndarray")
    need(fields["order"] in {"C", "F"} and fields["allow_mmap"] is BOOL, "not the description of an array")
    alignment = fields.get("numpy_array_alignment_bytes", NONE)
    need(alignment is NONE or alignment == ALIGNMENT, "an alignment that joblib does not use")
    need(isinstance(fields["shape"], Items) and fields["shape"].kind == "tuple", "a shape is not a tuple")
    size = 1
    for extent in sizes_of(fields["shape"]):
        size *= extent
    if dtype is OBJECT_TYPE:
        return RawArray(None, padded=False)
    if not isinstance(dtype, Made) or dtype.role != "dtype" or not dtype.numbers:
        raise RefusedError("a type of unknown size")
    return RawArray(size * dtype.numbers[0], padded=alignment is not NONE)
