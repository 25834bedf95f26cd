"""Pickles: default-deny, never loaded. What a pickle may name and call is on a list; all else is a finding."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Final

from gate.inspect.context import Context, Findings
from gate.inspect.pickle_machine import walk
from gate.inspect.pickle_policy import is_plain_name, pickle_policy
from gate.inspect.pickle_values import Arrays, Items, Storage, Walk, WalkRules
from gate.inspect.source import Slice, Source
from gate.model.scan import FileInspection, Severity

LEGACY_TORCH: Final = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""How files of `torch.save` before version 1.6 begin: a pickle of their magic number."""
_LEGACY_PICKLES: Final = 5
_EXHAUSTED: Final = "has more in its pickles than the limits allow to follow"
_FEW_OPERATIONS: Final = 3


class Hidden(Enum):
    """Whether bytes that pass for something else are a pickle that does what is not allowed."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


def walk_pickle(
    source: Source, offset: int, context: Context, *, persistent: bool = False, tensors: frozenset[str] | None = None
) -> Walk:
    """Reads one pickle, within what is left of the file's operations.

    One with arrays of joblib between its operations is read in every way in which somebody reads it: with the arrays
    taken out, with those of joblib before padding, and by an unpickler that knows nothing of joblib.
    """
    rules = WalkRules(
        pickle_policy(context.allowed), persistent, context.budget.operations, context.limits.pickle_line_bytes,
        arrays=Arrays.PADDED, tensors=tensors,
    )  # fmt: skip
    result = _spend(walk(source, offset, rules), context)
    for arrays in (Arrays.PLAIN, *((Arrays.BARE,) if result.padded else ())) if result.arrays else ():
        other = replace(rules, operations=context.budget.operations, arrays=arrays, second=True)
        result = _with_other(result, _spend(walk(source, offset, other), context))
    return result


def _spend(result: Walk, context: Context) -> Walk:
    context.budget.operations -= result.operations
    return result


def _with_other(result: Walk, other: Walk) -> Walk:
    """What one reading found, with what another reader would do beyond it."""
    if other.exhausted:
        return replace(result, exhausted=True)
    if result.refused or not _does_harm(other):
        return result
    note = ("pickle.readings", Severity.CRITICAL, "calls what is not allowed when its arrays are read in another way")
    return replace(result, notes=(*result.notes, note))


def _does_harm(result: Walk) -> bool:
    """Whether a reading calls, or imports to its end, what is not allowed."""
    complete = result.error is None and not result.exhausted
    return result.calls or (result.refused and complete and all(is_plain_name(name) for name in result.named))


def hidden_pickle(source: Source, context: Context, *, loadable: bool = False) -> Hidden:
    """Whether bytes that pass for something else are a pickle that calls, or imports, what is not allowed.

    Text often begins like a pickle. One that only imports has to come to its end, and with names that can be imported.
    Nobody knows what comes behind the last operation that is followed; nor, in what a loader would unpickle
    (`loadable`), behind a break that comes late: the gate and the unpickler may differ about it.
    """
    result = _walk_hidden(source, context)
    if _does_harm(result):
        return Hidden.YES
    late = result.error is not None and result.operations > _FEW_OPERATIONS
    return Hidden.UNKNOWN if result.exhausted or (loadable and late) else Hidden.NO


def is_bare_pickle(source: Source, context: Context) -> bool:
    """Whether bytes without a PROTO operation are a pickle: they end like one, or name something on their way."""
    result = _walk_hidden(source, context)
    return bool(result.named) or result.refused or (result.error is None and result.operations > 1)


def _walk_hidden(source: Source, context: Context) -> Walk:
    """Reads what may be a pickle. Much less than of one that is named like it: any file may begin like a pickle."""
    limits = context.limits
    operations = min(limits.hidden_operations, context.budget.operations)
    rules = WalkRules(
        pickle_policy(), persistent=False, operations=operations, line_bytes=limits.pickle_line_bytes, plain=True
    )
    result = walk(source, 0, rules)
    context.budget.operations -= result.operations
    return result


def inspect_pickle(_path: str, source: Source, context: Context) -> FileInspection:
    """Judges all pickles of a stream; bytes after the last that are no pickle are a finding."""
    if source.read_at(0, len(LEGACY_TORCH)) == LEGACY_TORCH:
        return _inspect_legacy_torch(source, context)
    return inspect_stream("pickle", source, context)


def inspect_stream(name: str, source: Source, context: Context) -> FileInspection:
    """Judges a stream of pickles as the format `name`."""
    found = Findings(context.limits.findings)
    offset, count = 0, 0
    while offset < source.size:
        if count >= context.limits.pickle_streams:
            return FileInspection(
                name, inspected=False, reason="holds more pickles than the limit", findings=found.done()
            )
        result = walk_pickle(source, offset, context)
        add_walk(found, result, first=count == 0)
        if result.exhausted:
            return FileInspection(name, inspected=False, reason=_EXHAUSTED, findings=found.done())
        if result.error is not None:
            break
        offset, count = result.end, count + 1
    return FileInspection(name, inspected=True, findings=found.done())


def add_walk(found: Findings, result: Walk, *, first: bool = True) -> None:
    """Adds what one pickle did, and that it broke off: an unpickler has run everything before the break by then."""
    for rule, severity, message in result.notes:
        found.add(rule, severity, message)
    if result.error is not None:
        rule = "pickle.malformed" if first else "pickle.trailing_data"
        found.add(rule, Severity.HIGH, f"not a complete pickle: {result.error}")


def inspect_torch_data(source: Source, context: Context) -> tuple[FileInspection, Walk]:
    """Judges the `data.pkl` of a torch archive: exactly one pickle, whose persistent ids name storages beside it."""
    found = Findings(context.limits.findings)
    result = walk_pickle(source, 0, context, persistent=True)
    add_walk(found, result)
    if result.exhausted:
        return FileInspection("pickle", inspected=False, reason=_EXHAUSTED, findings=found.done()), result
    if result.error is None and result.end != source.size:
        found.extend(inspect_stream("pickle", Slice(source, result.end, source.size - result.end), context).findings)
        found.add("pickle.trailing_data", Severity.HIGH, "data.pkl holds more than one pickle")
    return FileInspection("pickle", inspected=True, findings=found.done()), result


def _inspect_legacy_torch(source: Source, context: Context) -> FileInspection:
    """Judges a file of `torch.save` before 1.6: magic, protocol, system, object, storage keys, then raw storages."""
    found = Findings(context.limits.findings)
    offset = 0
    storages: dict[str, Storage] = {}
    keys: tuple[str, ...] = ()
    for number in range(_LEGACY_PICKLES):
        result = walk_pickle(source, offset, context, persistent=number == _LEGACY_PICKLES - 2)
        add_walk(found, result)
        if result.exhausted:
            return FileInspection("torch.legacy", inspected=False, reason=_EXHAUSTED, findings=found.done())
        if result.error is not None:
            return FileInspection("torch.legacy", inspected=True, findings=found.done())
        offset = result.end
        storages.update(result.storages)
        if isinstance(result.value, Items):
            keys = tuple(item for item in result.value.items if isinstance(item, str))
    problem = _legacy_storages(source, offset, keys, storages)
    if problem is not None:
        found.add("pickle.storage", Severity.HIGH, problem)
    return FileInspection("torch.legacy", inspected=True, findings=found.done())


def _legacy_storages(source: Source, offset: int, keys: tuple[str, ...], storages: dict[str, Storage]) -> str | None:
    """What is wrong with the raw part, `None` if it is exactly the storages that the object refers to."""
    if len(set(keys)) != len(keys) or set(keys) != set(storages):
        return "the list of storages differs from the storages that are used"
    for key in keys:
        storage = storages[key]
        count = int.from_bytes(source.read_at(offset, 8), "little", signed=True)
        if count != storage.elements:
            return "a storage has another size than its tensors say"
        offset += 8 + count * storage.element_bytes
        if offset > source.size:
            return "a storage reaches past the end of the file"
    return None if offset == source.size else "bytes follow the last storage"
