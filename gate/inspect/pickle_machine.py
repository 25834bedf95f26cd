"""A symbolic pickle machine: it runs the stack, the marks and the memo, and never makes an object.

Follows the operations of protocols 0 to 5 (PEP 3154, PEP 574, `Lib/pickletools.py`) the way the unpickler of CPython
does, so that what is called is known wherever names come from: the line, the stack or the memo. Whatever the machine
cannot resolve is reported, never assumed. The time is linear in the size; the number of operations has a cap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from gate.formats.pickle_names import is_code_module, problem_of_allowed
from gate.inspect.context import shown
from gate.inspect.pickle_calls import FUNCTIONS, RefusedError, torch_storage
from gate.inspect.pickle_judge import judge_call, judge_state
from gate.inspect.pickle_keys import holds_costly_key
from gate.inspect.pickle_objects import fails_surely, raw_array
from gate.inspect.pickle_policy import OWN_ROLE, is_plain_name
from gate.inspect.pickle_reader import PickleReader
from gate.inspect.pickle_values import (
    DENIED,
    NONE,
    TEXT,
    Arrays,
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
_PADDING: Final = range(1, 17)
_ARRAY_NAMES: Final = frozenset({"_frombuffer", "_reconstruct", "dtype", "ndarray", "scalar"})
"""What pickles of arrays name of NumPy's modules; nobody else gives these names to what runs code."""
_BLOCK: Final = 1 << 16
_STACK: Final = 1_000_000
"""Values above the last mark; picklers write long lists in batches."""
_MARKS: Final = 100_000
_TABLES: Final = 100_000
"""Dictionaries of which values are kept; more would take memory."""
_FIELDS: Final = 24
"""Values of one dictionary that are kept."""
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
    operations: int = 0
    frame_end: int = 0
    wrappers: set[Made] = field(default_factory=set)
    padded: bool = False
    inner_operations: int = 0
    tables: int = 0

    def note(self, rule: str, severity: Severity, message: str) -> None:
        """Reports something; repeated reports count once."""
        self.noted += severity is not Severity.NONE
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

    def check_keys(self, keys: Sequence[Value]) -> None:
        """Checks values that are hashed."""
        if holds_costly_key(keys):
            self.note("key", Severity.HIGH, "has a key of so many parts that a loader ends or hangs when it hashes it")

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
        if role == OWN_ROLE:
            self.note("allowed", Severity.NONE, f"names {shown(reference.full_name)}, which the configuration allows")
        if role is None:
            if self.rules.second and name in _ARRAY_NAMES and not is_code_module(module):
                raise MalformedError("there is no such global")
            self.refused = True
            full = shown(reference.full_name)
            severity = self.rules.policy.severity(module)
            if "." in name:
                self.note("attribute_path", Severity.CRITICAL, f"reaches through attributes to {full}")
            else:
                self.note("global", severity, f"names {full}, which is not on the allow-list{_how(reference)}")
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
        elif isinstance(target, Made) and target.role == "joblib_array":
            self.read_array(target, state)
        elif target is not DENIED:
            try:
                judge_state(target, state)
            except RefusedError as problem:
                what = target.role if isinstance(target, Made) else "value"
                self.note("state", Severity.HIGH, f"gives a {what} a state: {problem}")

    def read_array(self, wrapper: Made, state: Value) -> None:
        """Passes over an array that follows its description, as joblib does; others take it for operations."""
        try:
            array = raw_array(state)
            if wrapper in self.wrappers:
                raise RefusedError("it is described twice")  # noqa: TRY301 - the reasons meet below
        except RefusedError as problem:
            if self.rules.second and wrapper not in self.wrappers and fails_surely(state):
                raise MalformedError("an array is not described") from None
            self.note("state", Severity.HIGH, f"describes an array in a way that joblib does not: {problem}")
            raise UnknownError("what follows is not known") from None
        self.wrappers.add(wrapper)
        if self.rules.arrays is Arrays.PLAIN:
            return
        if self.reader.position < self.frame_end:
            raise MalformedError("an array follows in the middle of a frame")
        if array.size is None:
            self._read_objects()
        else:
            if array.padded and self.rules.arrays is Arrays.PADDED:
                self.padded = True
                width = self.reader.number(1)
                if width not in _PADDING or self.reader.take(width).strip(b"\xff"):
                    raise MalformedError("the padding before an array is not what joblib writes")
            self.reader.skip(array.size)
        self.stack[-1] = Made("ndarray")

    def _read_objects(self) -> None:
        """An array of objects: a whole pickle, read by an unpickler of its own."""
        left = self.rules.operations - self.inner_operations
        inner = walk(
            self.reader.source,
            self.reader.position,
            replace(self.rules, persistent=False, operations=left, arrays=Arrays.PLAIN),
        )
        self.inner_operations += inner.operations
        for rule, severity, message in inner.notes:
            self.note(rule.removeprefix("pickle."), severity, message)
        self.named |= inner.named
        self.refused = self.refused or inner.refused
        self.calls = self.calls or inner.calls
        if inner.exhausted:
            raise UnknownError("an array of objects goes on and on")
        if inner.error is not None:
            raise MalformedError(f"in an array of objects: {inner.error}")
        self.reader.go_to(inner.end)

    def persist(self, value: Value) -> None:
        """Judges a persistent id, which only torch's own containers can resolve, and pushes what it stands for."""
        if self.rules.plain:
            raise MalformedError("a persistent id, which nothing resolves")
        if self.rules.tensors is not None and isinstance(value, str | int) and str(value) in self.rules.tensors:
            self.stack.append(Made("tensor"))
            return
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
            if target.kind == "set":
                self.check_keys(values)
            if isinstance(target.items, list):
                target.items.extend(values)
            else:
                target.items = list(values)
        elif target is not DENIED and not _is_own(target):
            self.note("target", Severity.HIGH, "appends to something that is neither a list nor a set")

    def assign(self, target: Value, values: Sequence[Value]) -> None:
        """Sets items of a dictionary, keys and values in turn."""
        if len(values) % 2:
            raise MalformedError("a key without a value")
        self.keep(values)
        self.check_keys(values[::2])
        if isinstance(target, Table):
            self._set(target, values)
        elif (
            target is not DENIED and not _is_own(target) and not (isinstance(target, Made) and target.role == "mapping")
        ):
            # On anything else this writes through `__setitem__` (torch CVE-2026-24747).
            self.note("target", Severity.HIGH, "sets items of something that is not a dictionary")

    def _set(self, target: Table, values: Sequence[Value]) -> None:
        keys = values[::2]
        target.empty = target.empty and not values
        if target.plain:
            attributes = self.rules.policy.attributes
            target.plain = all(isinstance(key, str) and key in attributes for key in keys)
        if target.simple:
            target.simple = all(isinstance(key, str) and not key.startswith("__") for key in keys)
        if target.others:
            return
        if target.fields is None:
            self.tables += 1
            target.fields = {}
        if self.tables > _TABLES or len(target.fields) + len(keys) > _FIELDS:
            target.fields, target.others = None, True
            return
        for key, value in zip(keys, values[1::2], strict=True):
            if isinstance(key, str):
                target.fields[key] = value
            else:
                target.others = True


def _how(reference: Reference) -> str:
    """How to allow a global, for the message about it."""
    if problem_of_allowed(reference.full_name) is not None:
        return ""
    return "; who trusts it lists it in gate.yaml: inspection.allow_globals"


def _is_own(value: Value) -> bool:
    return isinstance(value, Made) and value.role == OWN_ROLE


def walk(source: Source, offset: int, rules: WalkRules) -> Walk:
    """Reads one pickle from `offset`. Never raises for what the bytes hold."""
    machine = Machine(PickleReader(source, offset, rules.line_bytes), rules)
    value: Value = NONE
    error: str | None = None
    unknown = False
    try:
        while not machine.stopped and machine.operations < rules.operations:
            _run(machine, min(rules.operations, machine.operations + _BLOCK))
            if len(machine.stack) > _STACK or len(machine.meta) > _MARKS:
                raise UnknownError("it has more on its stack than the limit")  # noqa: TRY301 - like those of operations
        if machine.stopped:
            value = machine.pop()
    except MalformedError as problem:
        error = str(problem)
    except UnknownError:
        unknown = True
    return Walk(
        end=machine.reader.position,
        error=error,
        exhausted=unknown or (error is None and not machine.stopped),
        notes=tuple(machine.notes),
        named=frozenset(machine.named),
        refused=machine.refused,
        calls=machine.calls,
        storages=machine.storages,
        value=value,
        operations=machine.operations + machine.inner_operations,
        arrays=len(machine.wrappers),
        padded=machine.padded,
    )


def _run(machine: Machine, limit: int) -> None:
    """Carries out operations up to a number of them. The few that most of a pickle consists of are done in place."""
    from gate.inspect.pickle_operations import OPERATIONS

    reader, memo, count = machine.reader, machine.memo, machine.operations
    try:
        while not machine.stopped and count < limit:
            at = reader.at
            if at >= len(reader.buffer):
                reader.fill(1)
                at = 0
            buffer, stack = reader.buffer, machine.stack
            code = buffer[at]
            count += 1
            if code == 0x94 and stack:  # MEMOIZE
                memo[len(memo)] = stack[-1]
                reader.at = at + 1
            elif code == 0x71 and stack and at + 1 < len(buffer):  # BINPUT
                memo[buffer[at + 1]] = stack[-1]
                reader.at = at + 2
            elif code == 0x4B and at + 1 < len(buffer):  # BININT1
                stack.append(buffer[at + 1])
                reader.at = at + 2
            elif code == 0x68 and at + 1 < len(buffer) and buffer[at + 1] in memo:  # BINGET
                stack.append(memo[buffer[at + 1]])
                reader.at = at + 2
            else:
                reader.at = at + 1
                OPERATIONS[code](machine)
    finally:
        machine.operations = count
