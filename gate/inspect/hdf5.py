"""HDF5 as Keras writes and reads it: groups, datasets, attributes, walked by a bounded reader of this format's own.

An HDF5 file can name other files: links, the bytes of a dataset, parts of a virtual one. All of them are findings, and
so is what libraries of data unpickle. The settings of a model are an attribute, judged as those of Keras are. A layout
that is not read (dense groups and attributes, shared messages) makes the file uninspected. The numbers of datasets are
passed over.
"""

from __future__ import annotations

from typing import Final

from gate.inspect.context import CapError, Context, Findings, shown
from gate.inspect.hdf5_objects import Attribute, Link, Message, Objects, UnreadError
from gate.inspect.keras import judge_settings
from gate.inspect.magic import may_be_pickle
from gate.inspect.source import BytesSource, Source, SourceError
from gate.model.scan import FileInspection, Severity

_LINK_INFO, _LINK, _FILES, _LAYOUT, _ATTRIBUTE, _TABLE, _ATTRIBUTE_INFO = 0x02, 0x06, 0x07, 0x08, 0x0C, 0x11, 0x15
_JUDGED: Final = frozenset({_LINK_INFO, _LINK, _FILES, _LAYOUT, _ATTRIBUTE, _TABLE, _ATTRIBUTE_INFO})
_PASSED: Final = frozenset({0x00, 0x01, 0x03, 0x04, 0x05, 0x0A, 0x0B, 0x0D, 0x0E, 0x12, 0x13, 0x16})
"""Messages that say how a dataset is stored and when, and name nothing."""
_SETTINGS: Final = frozenset({"model_config", "training_config"})
_ATOM: Final = "PSEUDOATOM"
_HARD: Final = 0
_SOFT: Final = 1
_VIRTUAL: Final = 3
_UNDEFINED: Final = (1 << 64) - 1
_SHARED: Final = 0x2


def inspect_hdf5(_path: str, source: Source, context: Context) -> FileInspection:
    """Judges every object that can be reached from the root."""
    found = Findings(context.limits.findings)
    try:
        objects = Objects(source, context.limits.hdf5_objects)
        _walk(objects, context, found)
    except (UnreadError, CapError, SourceError) as problem:
        return FileInspection("hdf5", inspected=False, reason=str(problem), findings=found.done())
    if objects.end != source.size:
        found.add("hdf5.trailing_data", Severity.HIGH, f"{source.size - objects.end} bytes follow the end of the file")
    return FileInspection("hdf5", inspected=True, findings=found.done())


def _walk(objects: Objects, context: Context, found: Findings) -> None:
    waiting, seen = list(objects.root()), set[int]()
    while waiting:
        link = waiting.pop()
        if link.kind not in {_HARD, _SOFT}:
            found.add("hdf5.link", Severity.HIGH, "a link leads out of the file")
        elif link.kind == _HARD and link.address not in seen:
            seen.add(link.address)
            for message in objects.messages(link.address):
                waiting.extend(_links(objects, message, context, found))


def _links(objects: Objects, message: Message, context: Context, found: Findings) -> tuple[Link, ...]:
    """The links in one message; what else it says is judged."""
    if message.flags & _SHARED and message.kind in _JUDGED:
        raise UnreadError("holds a message that is shared between objects, which is not read")
    if message.kind == _TABLE:
        return objects.table(message.data)
    if message.kind == _LINK:
        return (objects.link(message.data),)
    if message.kind in {_LINK_INFO, _ATTRIBUTE_INFO}:
        if objects.heap_of(message.data, index_bytes=8 if message.kind == _LINK_INFO else 2) != _UNDEFINED:
            raise UnreadError("keeps its names in a dense layout, which is not read")
    elif message.kind == _FILES:
        found.add("hdf5.external_data", Severity.HIGH, "the bytes of a dataset are those of other files")
    elif message.kind == _LAYOUT:
        if message.data[:1] >= b"\3" and message.data[1:2] == bytes((_VIRTUAL,)):
            found.add("hdf5.external_data", Severity.HIGH, "a dataset is put together out of other files")
    elif message.kind == _ATTRIBUTE:
        _judge_attribute(objects, message.data, context, found)
    elif message.kind not in _PASSED:
        raise UnreadError(f"holds a message of kind {message.kind}, which is not known here")
    return ()


def _judge_attribute(objects: Objects, data: bytes, context: Context, found: Findings) -> None:
    attribute = objects.attribute(data)
    if attribute.name not in _SETTINGS:
        _judge_value(attribute, context, found)
        return
    text = objects.text(attribute, context.limits.json_bytes)
    if text is None:
        found.add("hdf5.settings", Severity.HIGH, f"attribute {attribute.name} is not one text")
    else:
        judge_settings(attribute.name, text, context, found)


def _judge_value(attribute: Attribute, context: Context, found: Findings) -> None:
    """PyTables, and pandas with it, unpickle attributes that are bytes, and the rows of arrays of objects."""
    value = attribute.value.rstrip(b"\0")
    if attribute.name == _ATOM and value == b"object":
        found.add("hdf5.pickle", Severity.HIGH, "holds rows of objects, each of which PyTables unpickles")
    elif may_be_pickle(value):
        from gate.inspect.pickle import Hidden, hidden_pickle

        if hidden_pickle(BytesSource(value), context) is not Hidden.NO:
            message = f"attribute {shown(attribute.name, 60)} is a pickle that calls what is not allowed"
            found.add("hdf5.pickle", Severity.CRITICAL, message)
