"""The inspectors, and the one way to them: a file is recognised, judged, and never loaded (SECURITY 31, 32)."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from dataclasses import replace
from typing import BinaryIO, Final, Protocol

from gate.inspect.advice import why_not
from gate.inspect.context import Budget, CapError, Context, Findings, shown
from gate.inspect.executables import check_name
from gate.inspect.limits import InspectLimits
from gate.inspect.magic import is_tar_head, may_be_pickle
from gate.inspect.sniff import has_expected_format, is_pickle_name, recognise
from gate.inspect.source import FileSource, Source, SourceError
from gate.inspect.text import text_problem
from gate.inspect.zip_directory import find_end
from gate.model.scan import FileInspection, Severity


class Inspector(Protocol):
    """Judges the bytes of one format.

    Reads within the limits of the context and without recursion into the data. What is wrong becomes a finding;
    what it cannot judge becomes `inspected=False` with a reason. Whatever it raises makes the file "not inspected".
    """

    def __call__(self, path: str, source: Source, context: Context, /) -> FileInspection:
        """The judgement on one file; `path` is only its name."""


# Module and function by format. A module is imported when its format turns up: most models need few of them.
_INSPECTORS: Final[Mapping[str, tuple[str, str]]] = {
    "safetensors": ("safetensors", "inspect_safetensors"),
    "pickle": ("pickle", "inspect_pickle"),
    "numpy": ("numpy", "inspect_npy"),
    "zip": ("archive", "inspect_zip"),
    "tar": ("tar", "inspect_tar"),
    "json": ("text", "inspect_json"),
    "yaml": ("text", "inspect_yaml"),
    "toml": ("text", "inspect_toml"),
    "text": ("text", "inspect_text"),
    "gguf": ("gguf", "inspect_gguf"),
    "onnx": ("onnx", "inspect_onnx"),
    "onnx_data": ("onnx", "inspect_external_data"),
    "hdf5": ("hdf5", "inspect_hdf5"),
    "saved_model": ("saved_model", "inspect_saved_model"),
    "protobuf": ("saved_model", "inspect_graph"),
    "tflite": ("tflite", "inspect_tflite"),
    "coreml": ("coreml", "inspect_coreml"),
    "coreml_weights": ("coreml", "inspect_weights"),
    "keras_metadata": ("saved_model", "inspect_keras_metadata"),
    "fingerprint": ("saved_model", "inspect_fingerprint"),
    "checkpoint_index": ("saved_model", "inspect_checkpoint_index"),
    "checkpoint_data": ("saved_model", "inspect_checkpoint_data"),
    "llamafile": ("llamafile", "inspect_llamafile"),
    "png": ("images", "inspect_png"),
    "jpeg": ("images", "inspect_jpeg"),
    "gif": ("images", "inspect_gif"),
    "webp": ("images", "inspect_webp"),
    "msgpack": ("msgpack", "inspect_msgpack"),
    "parquet": ("tables", "inspect_parquet"),
    "arrow": ("tables", "inspect_arrow"),
    "sentencepiece": ("vocabulary", "inspect_sentencepiece"),
    "tiktoken": ("vocabulary", "inspect_ranks"),
    "jinja": ("text", "inspect_template"),
    "code": ("executables", "inspect_program"),
    "build": ("executables", "inspect_build"),
}
_COMPRESSED: Final = frozenset({"gzip", "zlib", "bz2", "xz", "lzma"})
_BARE: Final = frozenset({"unknown", "sentencepiece"})
_ZIP_FORMATS: Final = frozenset({"zip", "torch", "torchscript", "npz", "keras", "skops", "mar", "tar"})
"""Formats whose inspectors look themselves for a zip archive that is hidden in the file."""


def inspect_file(
    path: str,
    file: BinaryIO,
    size: int,
    limits: InspectLimits | None = None,
    allowed: frozenset[str] = frozenset(),
) -> FileInspection:
    """What one file is and what it could do, from its bytes alone.

    `path` is relative to its artifact and only used as a name; `file` is open for binary reading and seekable, and
    `size` is its number of bytes. `allowed` are globals that pickles may name because the configuration says so; each
    that one names becomes a finding without severity. Never raises: whatever goes wrong makes the file "not inspected",
    never clean.
    """
    limits = limits or InspectLimits()
    budget = Budget(limits.pickle_operations, limits.inflated_total_bytes, limits.archive_total_members)
    context = Context(limits, budget, _inspect, allowed=allowed)
    return _inspect(path, FileSource(file, size), context)


def _inspect(path: str, source: Source, context: Context) -> FileInspection:
    """One file or member; whatever an inspector raises ends here."""
    found = Findings(context.limits.findings)
    try:
        judged = _judge(path, source, context, found)
    except (CapError, SourceError) as problem:
        return FileInspection("unknown", inspected=False, reason=shown(str(problem)), findings=found.done())
    except Exception as problem:  # noqa: BLE001 - a fault of the gate must not pass for a clean file
        reason = f"the inspection failed ({type(problem).__name__})"
        return FileInspection("unknown", inspected=False, reason=reason, findings=found.done())
    found.extend(judged.findings)
    return replace(judged, findings=found.done())


def _judge(path: str, source: Source, context: Context, found: Findings) -> FileInspection:
    if source.size == 0:
        return FileInspection("empty", inspected=True)
    head = source.read_at(0, context.limits.head_bytes)
    name = recognise(path, head, source.size)
    unclear = name not in _BARE and name != "pickle" and _may_hide_pickle(path, source, context, head, found)
    if name != "tar" and (is_tar_head(head) or head[257:262] == b"ustar"):
        found.add("file.polyglot", Severity.CRITICAL, "is a tar archive too")
    if name in _BARE and _is_bare_pickle(source, context, head):
        judged = _inspector("pickle")(path, source, context)
    elif name in _INSPECTORS or name in _COMPRESSED:
        judged = _inspector(name)(path, source, context)
    else:
        judged = _by_plugins(path, head, source, context) or FileInspection(
            name, inspected=False, reason=_why_not(path, name, source)
        )
    _check_disguise(path, source, judged, found)
    if unclear and judged.inspected:
        found.extend(judged.findings)
        reason = "may be a pickle too, and was not followed to its end"
        return replace(judged, inspected=False, reason=reason)
    return judged


def _inspector(name: str) -> Inspector:
    if name in _COMPRESSED:
        from gate.inspect.archive import inspect_compressed

        return functools.partial(inspect_compressed, name=name)
    module, function = _INSPECTORS[name]
    inspector: Inspector = getattr(importlib.import_module(f"gate.inspect.{module}"), function)
    return inspector


def _by_plugins(path: str, head: bytes, source: Source, context: Context) -> FileInspection | None:
    """What inspectors of other packages say of a file of which the gate cannot judge the format."""
    from gate.inspect.plugins import inspect_by_plugins

    return inspect_by_plugins(path, head, source, context)


def _may_hide_pickle(path: str, source: Source, context: Context, head: bytes, found: Findings) -> bool:
    """Adds a finding for a file of another format that is a pickle too; says whether that stays unclear."""
    if not may_be_pickle(head):
        return False
    from gate.inspect.pickle import Hidden, hidden_pickle

    hidden = hidden_pickle(source, context, loadable=is_pickle_name(path))
    if hidden is Hidden.YES:
        found.add("file.polyglot", Severity.CRITICAL, "is a pickle too, and calls what is not allowed")
    return hidden is Hidden.UNKNOWN


def _is_bare_pickle(source: Source, context: Context, head: bytes) -> bool:
    if not may_be_pickle(head):
        return False
    from gate.inspect.pickle import is_bare_pickle

    return is_bare_pickle(source, context)


def _why_not(path: str, name: str, source: Source) -> str:
    known = why_not(path, name)
    if known is not None:
        return known
    if is_pickle_name(path):
        return "neither a pickle nor another format that is known"
    problem = text_problem(source)
    return "format unknown" if problem else "text of a kind that is not known to be harmless"


def _check_disguise(path: str, source: Source, judged: FileInspection, found: Findings) -> None:
    """A name that promises another format or is run as it is, and a zip archive hidden behind something else."""
    if judged.format not in {"unknown", "empty"} and not has_expected_format(path, judged.format):
        found.add("file.mismatch", Severity.HIGH, f"is {judged.format}, which is not what its name says")
    if judged.format not in {"empty", "code", "build"}:
        check_name(path, found)
    if judged.format not in _ZIP_FORMATS and find_end(source) is not None:
        found.add("file.polyglot", Severity.CRITICAL, "is a zip archive too: one can be read from its end")
