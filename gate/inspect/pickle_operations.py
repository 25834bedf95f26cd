"""The operations of the pickle machine, one small function each, by code (`Lib/pickletools.py`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gate.inspect.pickle_machine import NAME_CHARACTERS, Machine
from gate.inspect.pickle_numbers import float_of, index_of, integer_of
from gate.inspect.pickle_values import (
    BOOL,
    BYTES,
    DENIED,
    NONE,
    NUMBER,
    TEXT,
    Items,
    MalformedError,
    Table,
    Value,
    is_no_text,
)
from gate.model.scan import Severity

Operation = Callable[[Machine], None]

_LONG_BYTES: Final = 16
_MEMO: Final = 8_000_000
"""Writers number what they keep from zero, and no pickle of so many operations is followed."""
_PROTOCOL: Final = 5


def _constant(value: Value) -> Operation:
    def operation(machine: Machine) -> None:
        machine.stack.append(value)

    return operation


def _fixed_number(width: int, *, signed: bool) -> Operation:
    def operation(machine: Machine) -> None:
        machine.stack.append(int.from_bytes(machine.reader.take(width), "little", signed=signed))

    return operation


def _long(width: int) -> Operation:
    def operation(machine: Machine) -> None:
        size = int.from_bytes(machine.reader.take(width), "little", signed=width == 4)
        if size < 0:
            raise MalformedError("a length is negative")
        if size > _LONG_BYTES:
            machine.reader.skip(size)
            machine.stack.append(NUMBER)
        else:
            machine.stack.append(int.from_bytes(machine.reader.take(size), "little", signed=True))

    return operation


def _sized_text(width: int, encoding: str, *, signed: bool = False) -> Operation:
    def operation(machine: Machine) -> None:
        size = int.from_bytes(machine.reader.take(width), "little", signed=signed)
        if size < 0:
            raise MalformedError("a length is negative")
        if size > NAME_CHARACTERS:
            machine.reader.skip(size)
            machine.stack.append(TEXT)
        else:
            machine.text(machine.reader.take(size), encoding)

    return operation


def _sized_bytes(width: int) -> Operation:
    def operation(machine: Machine) -> None:
        machine.reader.skip(machine.reader.number(width))
        machine.stack.append(BYTES)

    return operation


def _int_line(machine: Machine) -> None:
    line = machine.reader.line()
    if line in {b"00", b"01"}:
        machine.stack.append(BOOL)
    else:
        machine.stack.append(integer_of(line))


def _long_line(machine: Machine) -> None:
    machine.stack.append(integer_of(machine.reader.line().removesuffix(b"L")))


def _float_line(machine: Machine) -> None:
    machine.stack.append(float_of(machine.reader.line()))


def _float(machine: Machine) -> None:
    machine.reader.skip(8)
    machine.stack.append(NUMBER)


def _string_line(machine: Machine) -> None:
    line = machine.reader.line()
    long = len(line) > NAME_CHARACTERS  # and perhaps cut
    if len(line) < 2 or (line[:1] != line[-1:] and not long) or line[:1] not in {b"'", b'"'}:
        raise MalformedError("text is not quoted")
    if long or b"\\" in line:
        machine.stack.append(TEXT)
    else:
        machine.text(line[1:-1], "ascii")


def _unicode_line(machine: Machine) -> None:
    line = machine.reader.line()
    if b"\\" in line:
        machine.stack.append(TEXT)
    else:
        machine.text(line, "latin-1")


def _mark(machine: Machine) -> None:
    machine.meta.append(machine.stack)
    machine.stack = []


def _pop(machine: Machine) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.pop_mark()


def _pop_mark(machine: Machine) -> None:
    machine.pop_mark()


def _dup(machine: Machine) -> None:
    machine.stack.append(machine.top())


def _stop(machine: Machine) -> None:
    machine.stopped = True


def _empty(kind: str) -> Operation:
    def operation(machine: Machine) -> None:
        machine.stack.append(Items(kind, ()))

    return operation


def _marked(kind: str) -> Operation:
    def operation(machine: Machine) -> None:
        items = machine.pop_mark()
        machine.keep(items)
        if kind == "frozenset":
            machine.check_keys(items)
        machine.stack.append(Items(kind, items))

    return operation


def _tuple(count: int) -> Operation:
    def operation(machine: Machine) -> None:
        if len(machine.stack) < count:
            raise MalformedError("an operation finds nothing on the stack")
        items = machine.stack[-count:]
        machine.keep(items)
        machine.stack[-count:] = [Items("tuple", items)]

    return operation


def _empty_dict(machine: Machine) -> None:
    machine.stack.append(Table())


def _dict(machine: Machine) -> None:
    items = machine.pop_mark()
    table = Table()
    machine.assign(table, items)
    machine.stack.append(table)


def _append(machine: Machine) -> None:
    value = machine.pop()
    machine.into(machine.top(), (value,))


def _appends(machine: Machine) -> None:
    items = machine.pop_mark()
    machine.into(machine.top(), items)


def _set_item(machine: Machine) -> None:
    value, key = machine.pop(), machine.pop()
    machine.assign(machine.top(), (key, value))


def _set_items(machine: Machine) -> None:
    items = machine.pop_mark()
    machine.assign(machine.top(), items)


def _put(machine: Machine, index: int) -> None:
    if index > _MEMO:
        machine.note("memo", Severity.HIGH, "keeps a value at a number up to which a loader takes memory for every one")
    machine.memo[index] = machine.top()


def _get(machine: Machine, index: int) -> None:
    if index not in machine.memo:
        raise MalformedError("it refers to something that it did not keep")
    machine.stack.append(machine.memo[index])


def _line_index(machine: Machine) -> int:
    return index_of(machine.reader.line())


def _global(machine: Machine) -> None:
    module, name = _global_lines(machine)
    machine.stack.append(machine.name_global(module, name))


def _global_lines(machine: Machine) -> tuple[str, str]:
    return _global_line(machine), _global_line(machine)


def _global_line(machine: Machine) -> str:
    line = machine.reader.line()
    try:
        # A long one is perhaps cut inside a character.
        return line.decode("utf-8", "replace" if len(line) > NAME_CHARACTERS else "strict")
    except UnicodeDecodeError:
        raise MalformedError("the name of a global is not UTF-8") from None


def _stack_global(machine: Machine) -> None:
    name, module = machine.pop(), machine.pop()
    if isinstance(name, str) and isinstance(module, str):
        machine.stack.append(machine.name_global(module, name))
        return
    if is_no_text(name) or is_no_text(module):
        raise MalformedError("the name of a global is no text")
    machine.refused = machine.calls = True
    machine.note("unresolved", Severity.CRITICAL, "names a global in a way that cannot be resolved")
    machine.stack.append(DENIED)


def _inst(machine: Machine) -> None:
    target = machine.name_global(*_global_lines(machine))
    items = machine.pop_mark()
    machine.keep(items)
    machine.stack.append(machine.call(target, Items("tuple", items)))


def _obj(machine: Machine) -> None:
    items = machine.pop_mark()
    if not items:
        raise MalformedError("an operation finds nothing on the stack")
    machine.keep(items[1:])
    machine.stack.append(machine.call(items[0], Items("tuple", items[1:])))


def _reduce(machine: Machine) -> None:
    args, target = machine.pop(), machine.pop()
    machine.stack.append(machine.call(target, args))


def _new_object(machine: Machine) -> None:
    args, target = machine.pop(), machine.pop()
    machine.stack.append(machine.call(target, args, new=True))


def _new_object_ex(machine: Machine) -> None:
    named, args, target = machine.pop(), machine.pop(), machine.pop()
    if not isinstance(named, Table) or not named.empty:
        machine.note("call", Severity.HIGH, "makes an object with named arguments")
    machine.stack.append(machine.call(target, args, new=True))


def _build(machine: Machine) -> None:
    state = machine.pop()
    machine.keep((state,))
    machine.build(machine.top(), state)


def _persistent_line(machine: Machine) -> None:
    machine.reader.line()
    machine.persist(TEXT)


def _persistent(machine: Machine) -> None:
    machine.persist(machine.pop())


def _extension(width: int) -> Operation:
    def operation(machine: Machine) -> None:
        if int.from_bytes(machine.reader.take(width), "little", signed=width == 4) <= 0:
            raise MalformedError("a number of the extension registry is not positive")
        machine.refused = True
        # The registry is empty unless a program fills it: what only begins like a pickle, or is another
        # reading of one, calls nothing with it.
        machine.calls = machine.calls or not (machine.rules.plain or machine.rules.second)
        machine.note("extension", Severity.CRITICAL, "names a global through the extension registry")
        machine.stack.append(DENIED)

    return operation


def _next_buffer(machine: Machine) -> None:
    machine.note("out_of_band", Severity.HIGH, "refers to a buffer outside the file")
    machine.stack.append(BYTES)


def _readonly_buffer(machine: Machine) -> None:
    machine.top()
    machine.note("out_of_band", Severity.HIGH, "refers to a buffer outside the file")


def _protocol(machine: Machine) -> None:
    if machine.reader.number(1) > _PROTOCOL:
        raise MalformedError("its protocol is unknown")


def _frame(machine: Machine) -> None:
    size = machine.reader.number(8)
    if size > machine.reader.remaining:
        raise MalformedError("a frame reaches past the end")
    machine.frame_end = machine.reader.position + size


def _unknown(machine: Machine) -> None:
    raise MalformedError(f"byte {machine.reader.position - 1} is no pickle operation")


def _operations() -> tuple[Operation, ...]:
    table: dict[bytes, Operation] = {
        b"I": _int_line, b"J": _fixed_number(4, signed=True), b"K": _fixed_number(1, signed=False),
        b"M": _fixed_number(2, signed=False), b"L": _long_line, b"\x8a": _long(1), b"\x8b": _long(4),
        b"S": _string_line, b"T": _sized_text(4, "ascii", signed=True), b"U": _sized_text(1, "ascii"),
        b"B": _sized_bytes(4), b"C": _sized_bytes(1), b"\x8e": _sized_bytes(8), b"\x96": _sized_bytes(8),
        b"\x97": _next_buffer, b"\x98": _readonly_buffer,
        b"N": _constant(NONE), b"\x88": _constant(BOOL), b"\x89": _constant(BOOL),
        b"V": _unicode_line, b"\x8c": _sized_text(1, "utf-8"), b"X": _sized_text(4, "utf-8"),
        b"\x8d": _sized_text(8, "utf-8"),
        b"F": _float_line, b"G": _float,
        b"]": _empty("list"), b"a": _append, b"e": _appends, b"l": _marked("list"),
        b")": _empty("tuple"), b"t": _marked("tuple"), b"\x85": _tuple(1), b"\x86": _tuple(2), b"\x87": _tuple(3),
        b"}": _empty_dict, b"d": _dict, b"s": _set_item, b"u": _set_items,
        b"\x8f": _empty("set"), b"\x90": _appends, b"\x91": _marked("frozenset"),
        b"0": _pop, b"2": _dup, b"(": _mark, b"1": _pop_mark,
        b"g": lambda m: _get(m, _line_index(m)), b"h": lambda m: _get(m, m.reader.number(1)),
        b"j": lambda m: _get(m, m.reader.number(4)), b"p": lambda m: _put(m, _line_index(m)),
        b"q": lambda m: _put(m, m.reader.number(1)), b"r": lambda m: _put(m, m.reader.number(4)),
        b"\x94": lambda m: _put(m, len(m.memo)),
        b"\x82": _extension(1), b"\x83": _extension(2), b"\x84": _extension(4),
        b"c": _global, b"\x93": _stack_global, b"R": _reduce, b"b": _build, b"i": _inst, b"o": _obj,
        b"\x81": _new_object, b"\x92": _new_object_ex, b"\x80": _protocol, b".": _stop, b"\x95": _frame,
        b"P": _persistent_line, b"Q": _persistent,
    }  # fmt: skip
    return tuple(table.get(bytes((code,)), _unknown) for code in range(256))


OPERATIONS: Final = _operations()
