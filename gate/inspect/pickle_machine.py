"""A symbolic pickle machine: it runs the stack, the marks and the memo, and never makes an object.

Follows the operations of protocols 0 to 5 (PEP 3154, PEP 574, `Lib/pickletools.py`) the way the unpickler of CPython
does, so that what is called is known wherever names come from: the line, the stack or the memo. Whatever the machine
cannot resolve is reported, never assumed. The time is linear in the size; the number of operations has a cap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from gate.inspect.context import shown
from gate.inspect.pickle_calls import FUNCTIONS, RefusedError, judge_call, judge_state, torch_storage
from gate.inspect.pickle_policy import is_plain_name
from gate.inspect.pickle_reader import PickleReader
from gate.inspect.pickle_values import (
    DENIED,
    NONE,
    TEXT,
    Items,
    Made,
    MalformedError,
    Reference,
    Storage,
    Table,
    UnknownError,
    Value,
    Walk,
    WalkRules,
)
from gate.inspect.source import Source
from gate.model.scan import Severity

NAME_CHARACTERS: Final = 512
"""Longer text is never the name of a global; its content is not kept."""
_NOTES: Final = 200
_NOTED: Final = 10_000


@dataclass(slots=True, eq=False)
class Machine:
    """The state of one pickle that is being read. Operations are in `pickle_operations`."""

    reader: PickleReader
    rules: WalkRules
    stack: list[Value] = field(default_factory=list)
    meta: list[list[Value]] = field(default_factory=list)
    memo: dict[int, Value] = field(default_factory=dict)
    notes: dict[tuple[str, Severity, str], None] = field(default_factory=dict)
    noted: int = 0
    named: set[str] = field(default_factory=set)
    storages: dict[str, Storage] = field(default_factory=dict)
    refused: bool = False
    calls: bool = False
    stopped: bool = False

    def note(self, rule: str, severity: Severity, message: str) -> None:
        """Reports something; repeated reports count once."""
        self.noted += 1
        if self.noted > _NOTED:
            raise UnknownError("it does more that is not allowed than is worth listing")
        if len(self.notes) < _NOTES:
            self.notes[f"pickle.{rule}", severity, message] = None

    def pop(self) -> Value:
        """Takes the top of the stack, above the last mark only."""
        if not self.stack:
            raise MalformedError("an operation finds nothing on the stack")
        return self.stack.pop()

    def pop_mark(self) -> list[Value]:
        """Takes everything above the last mark, and the mark."""
        if not self.meta:
            raise MalformedError("an operation finds no mark")
        items, self.stack = self.stack, self.meta.pop()
        return items

    def top(self) -> Value:
        """The top of the stack, left in place."""
        if not self.stack:
            raise MalformedError("an operation finds nothing on the stack")
        return self.stack[-1]

    def keep(self, items: Sequence[Value]) -> None:
        """Checks values that go into a container: a function must not be handed on to be called by somebody else."""
        for item in items:
            if item.__class__ is Reference and item.role in FUNCTIONS:
                name = item.full_name
                self.note("reference", Severity.HIGH, f"hands on the function {name} instead of calling it")

    def text(self, data: bytes, encoding: str) -> None:
        """Pushes text. Text that is no name is only known to be text."""
        if len(data) > NAME_CHARACTERS:
            self.stack.append(TEXT)
            return
        try:
            self.stack.append(data.decode(encoding, "surrogatepass" if encoding == "utf-8" else "strict"))
        except UnicodeDecodeError:
            self.stack.append(TEXT)

    def name_global(self, module: str, name: str) -> Reference:
        """Names a global, and reports one that is not on the allow-list (or reaches through attributes)."""
        module, name = module[:NAME_CHARACTERS], name[:NAME_CHARACTERS]
        role = self.rules.policy.roles.get((module, name))
        reference = Reference(module, name, role)
        if role is None:
            self.refused = True
            full = shown(reference.full_name)
            severity = self.rules.policy.severity(module)
            if "." in name:
                self.note("attribute_path", Severity.CRITICAL, f"reaches through attributes to {full}")
            else:
                self.note("global", severity, f"names {full}, which is not on the allow-list")
        if len(self.named) < _NOTES:
            self.named.add(reference.full_name)
        return reference

    def call(self, target: Value, args: Value, *, new: bool = False) -> Value:
        """Judges a call and answers with what it makes. `new` calls `__new__` of a class."""
        if isinstance(target, Reference) and target.role is None:
            self.calls = self.calls or is_plain_name(target.module)
            return DENIED
        try:
            return judge_call(target, args, new=new)
        except RefusedError as problem:
            what = target.full_name if isinstance(target, Reference) else "a value"
            self.note("call", Severity.HIGH, f"calls {shown(what)}: {problem}")
            return DENIED

    def build(self, target: Value, state: Value) -> None:
        """Judges the state that BUILD gives to an object."""
        if isinstance(target, Reference) and target.role is None:
            self.calls = self.calls or is_plain_name(target.module)
        elif target is not DENIED:
            try:
                judge_state(target, state)
            except RefusedError as problem:
                what = target.role if isinstance(target, Made) else "value"
                self.note("state", Severity.HIGH, f"gives a {what} a state: {problem}")

    def persist(self, value: Value) -> None:
        """Judges a persistent id, which only torch's own containers can resolve, and pushes what it stands for."""
        if self.rules.plain:
            raise MalformedError("a persistent id, which nothing resolves")
        try:
            if not self.rules.persistent:
                raise RefusedError("only a torch archive resolves it")  # noqa: TRY301 - the reasons meet below
            key, storage = torch_storage(value)
        except RefusedError as problem:
            self.note("persistent_id", Severity.HIGH, f"uses a persistent id: {problem}")
            self.stack.append(DENIED)
            return
        if self.storages.setdefault(key, storage) != storage:
            self.note("persistent_id", Severity.HIGH, "uses a persistent id: one storage with two sizes")
        self.stack.append(Made("storage", (storage.elements,)))

    def into(self, target: Value, values: Sequence[Value]) -> None:
        """Appends to a list, or adds to a set."""
        self.keep(values)
        if isinstance(target, Items) and target.kind in {"list", "set"}:
            target.items.extend(values)
        elif target is not DENIED:
            self.note("target", Severity.HIGH, "appends to something that is neither a list nor a set")

    def assign(self, target: Value, values: Sequence[Value]) -> None:
        """Sets items of a dictionary, keys and values in turn."""
        if len(values) % 2:
            raise MalformedError("a key without a value")
        self.keep(values)
        if isinstance(target, Table):
            target.empty = target.empty and not values
            if target.plain:
                attributes = self.rules.policy.attributes
                target.plain = all(isinstance(key, str) and key in attributes for key in values[::2])
        elif target is not DENIED and not (isinstance(target, Made) and target.role == "mapping"):
            # On anything else this writes through `__setitem__` (torch CVE-2026-24747).
            self.note("target", Severity.HIGH, "sets items of something that is not a dictionary")


def walk(source: Source, offset: int, rules: WalkRules) -> Walk:
    """Reads one pickle from `offset`. Never raises for what the bytes hold."""
    from gate.inspect.pickle_operations import OPERATIONS

    reader = PickleReader(source, offset, rules.line_bytes)
    machine = Machine(reader, rules)
    value: Value = NONE
    error: str | None = None
    count = 0
    unknown = False
    try:
        while not machine.stopped and count < rules.operations:
            if reader.at >= len(reader.buffer):
                reader.fill(1)
            operation = OPERATIONS[reader.buffer[reader.at]]
            reader.at += 1
            count += 1
            operation(machine)
        if machine.stopped:
            value = machine.pop()
    except MalformedError as problem:
        error = str(problem)
    except UnknownError:
        unknown = True
    return Walk(
        end=reader.position,
        error=error,
        exhausted=unknown or (error is None and not machine.stopped),
        notes=tuple(machine.notes),
        named=frozenset(machine.named),
        refused=machine.refused,
        calls=machine.calls,
        storages=machine.storages,
        value=value,
        operations=count,
    )
