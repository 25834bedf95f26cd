"""safetensors: a length, a JSON header, the tensors' bytes, and nothing else.

Every rule of the format is checked, because its promise (loading cannot run code, every byte is a tensor's) holds only
for files that keep all of them. A violation is a finding; the file counts as inspected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from gate.formats.strict_json import StrictJsonError, loads, loads_object
from gate.inspect.context import Context, Findings, shown
from gate.inspect.remote_code import scan_settings
from gate.inspect.source import Source
from gate.inspect.values import check_values
from gate.model.json import JsonObject, JsonValue
from gate.model.scan import FileInspection, Severity

_BITS: Final[Mapping[str, int]] = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64,
    "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64,
    "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}  # fmt: skip
_ENTRY: Final = frozenset({"dtype", "shape", "data_offsets"})
_SUSPICIOUS: Final = ("_target_", "{{", "{%", "trust_remote_code", "auto_map")


def is_safetensors_head(head: bytes, size: int) -> bool:
    """Whether a file begins with a length that fits and a header that opens."""
    return len(head) > 8 and head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= size - 8


def inspect_safetensors(path: str, source: Source, context: Context) -> FileInspection:
    """Checks the whole structure; of the tensors' bytes only that they are there."""
    found = Findings(context.limits.findings)
    length = int.from_bytes(source.read_at(0, 8), "little")
    if source.size < 10 or length < 2 or length > source.size - 8:
        return _refused(found, "header_size", "the header does not fit into the file")
    if length > context.limits.safetensors_header_bytes:
        return _refused(found, "header_size", "the header is longer than the format allows")
    if length > context.limits.safetensors_metadata_bytes:
        return FileInspection("safetensors", inspected=False, reason="the header is longer than the limit")
    raw = source.read_at(8, length)
    if raw[:1] != b"{" or raw.rstrip(b" ")[-1:] != b"}":
        return _refused(found, "header", "the header does not begin with a brace, or is padded with more than spaces")
    check_values(raw, context.limits)
    try:
        header = loads_object(raw, limit=length)
    except StrictJsonError as problem:
        return _refused(found, "header", f"the header is not strict JSON: {shown(str(problem))}")
    _check_metadata(path, header, found)
    _check_tensors(header, source.size - 8 - length, found)
    return FileInspection("safetensors", inspected=True, findings=found.done(), templates=found.templates)


def _refused(found: Findings, what: str, message: str) -> FileInspection:
    found.add(f"safetensors.{what}", Severity.HIGH, message)
    return FileInspection("safetensors", inspected=True, findings=found.done())


def _check_metadata(path: str, header: JsonObject, found: Findings) -> None:
    metadata = header.get("__metadata__", {})
    if not isinstance(metadata, Mapping) or not all(isinstance(value, str) for value in metadata.values()):
        found.add("safetensors.metadata", Severity.HIGH, "__metadata__ is not a map from text to text")
        return
    for key, value in metadata.items():
        text = str(value)
        # Loaders that feed metadata to hydra or jinja have run it (CVE-2026-22584).
        if any(word in text or word in key for word in _SUSPICIOUS):
            found.add("safetensors.metadata_code", Severity.HIGH, f"metadata {shown(key, 60)} names code or a template")
        _check_settings(path, key, text, found)


def _check_settings(path: str, key: str, value: str, found: Findings) -> None:
    """Settings that some trainers keep in the metadata, as JSON, are judged as settings are."""
    if key in {"chat_template", "default_chat_template"}:
        scan_settings(path, {key: value}, found)
    elif value.lstrip()[:1] in {"{", "["}:
        try:
            scan_settings(path, loads(value.encode(), limit=len(value) * 4), found)
        except StrictJsonError:
            return  # a text that only begins like JSON


def _check_tensors(header: JsonObject, size: int, found: Findings) -> None:
    spans: list[tuple[int, int]] = []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        problem, span = _entry(entry, size)
        if problem is not None:
            found.add(f"safetensors.{problem[0]}", Severity.HIGH, f"tensor {shown(name, 60)}: {problem[1]}")
        if span is not None:
            spans.append(span)
    end = 0
    for start, stop in sorted(spans):
        if start != end:
            word = "leaves a hole" if start > end else "overlaps"
            found.add(
                "safetensors.layout", Severity.HIGH, f"the tensor at byte {start} {word}; the one before ends at {end}"
            )
        end = max(end, stop)
    if end != size:
        found.add(
            "safetensors.size", Severity.HIGH, f"tensors take {end} of {size} bytes; all else is hidden or missing"
        )


def _entry(entry: JsonValue, size: int) -> tuple[tuple[str, str] | None, tuple[int, int] | None]:
    """What is wrong with one tensor's entry, and where its bytes are, if that is known."""
    if not isinstance(entry, Mapping) or set(entry) != _ENTRY:
        return ("entry", "does not have exactly dtype, shape and data_offsets"), None
    offsets = _integers(entry["data_offsets"])
    if offsets is None or len(offsets) != 2 or offsets[0] > offsets[1] or offsets[1] > size:
        return ("offsets", "its bytes are not inside the file"), None
    span = (offsets[0], offsets[1])
    dtype, shape = entry["dtype"], _integers(entry["shape"])
    if not isinstance(dtype, str) or dtype not in _BITS:
        return ("dtype", "its type is unknown"), span
    if shape is None:
        return ("shape", "its shape is not a list of sizes"), span
    bits = 0 if 0 in shape else _BITS[dtype]
    for extent in shape if bits else ():
        bits *= extent
        if bits > size * 8:
            break
    if bits != (span[1] - span[0]) * 8:
        return ("shape", "its shape does not fit its bytes"), span
    return None, span


def _integers(value: JsonValue) -> tuple[int, ...] | None:
    """A list of integers that are not negative; `None` for anything else."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return None
    numbers = tuple(item for item in value if isinstance(item, int) and not isinstance(item, bool) and item >= 0)
    return numbers if len(numbers) == len(value) else None
