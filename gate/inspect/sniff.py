"""What a file is: by its content first, by its name second."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gate.inspect.executables import is_build_name, is_program_name, program_kind
from gate.inspect.magic import NPY_MAGIC, is_pickle_head, is_ranks_head, suffix_of
from gate.inspect.safetensors import is_safetensors_head

_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"PK\x07\x08", "zip"),
    (0, b"7z\xbc\xaf'\x1c", "7z"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"BZh", "bz2"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"]\x00\x00", "lzma"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"\x04\x22\x4d\x18", "lz4"),
    (0, b"Rar!\x1a\x07", "rar"),
    (257, b"ustar", "tar"),
    (0, NPY_MAGIC, "numpy"),
    (0, b"GGUF", "gguf"),
    (0, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (0, b"PAR1", "parquet"),
    (0, b"ARROW1", "arrow"),
    (0, b"SQLite format 3\x00", "sqlite"),
    (4, b"TFL3", "tflite"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"GIF8", "gif"),
    (8, b"WEBP", "webp"),
    (0, b"%PDF-", "pdf"),
    (0, b"MZqFpD='", "llamafile"),
    (0, b"jartsr='", "llamafile"),
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TEXT_SUFFIXES: Final = _words(
    "bib bpe cff cfg codes csv gitattributes gitignore gitkeep ini jsonl license lock log md md5 merges ndjson "
    "prompt rst sha1 sha256 sha512 text tsv txt vocab "
)
_TEXT_NAMES: Final = _words(
    "authors changelog checksums codeowners contributing copying license licence md5sums notice "
    "readme sha256sums use_policy version "
)
_BY_SUFFIX: Final[Mapping[str, str]] = {
    "json": "json",
    "yaml": "yaml",
    "yml": "yaml",
    "jinja": "jinja",
    "jinja2": "jinja",
    "j2": "jinja",
    "safetensors": "safetensors",
    "onnx": "onnx",
    "pb": "protobuf",
    "model": "sentencepiece",
    "spm": "sentencepiece",
    "tar": "tar",
    "mlmodel": "coreml",
    "msgpack": "msgpack",
    "toml": "toml",
    "ubj": "unknown",
}
_BY_NAME: Final[Mapping[str, str]] = {
    "saved_model.pb": "saved_model",
    "keras_metadata.pb": "keras_metadata",
    "fingerprint.pb": "fingerprint",
    "MLmodel": "yaml",
    "variables.index": "checkpoint_index",
}
_NUMBERS: Final = (
    (re.compile(r"variables\.data-[0-9]{5}-of-[0-9]{5}"), "checkpoint_data"),
    (re.compile(r"tokenizer\.model\.v[0-9]{1,2}(?:m[0-9]{1,2})?"), "sentencepiece"),
    (re.compile(r".+\.onnx[._]data(?:_[0-9]{1,4})?"), "onnx_data"),
)
"""Names that no suffix tells: the numbers of a model beside them, and tokenizers with their version."""
_PICKLE_SUFFIXES: Final = _words("bin ckpt data dat dill joblib mdl model pickle pkl pt pth sav th ")
_EXPECTED: Final[Mapping[str, frozenset[str]]] = {
    "safetensors": frozenset({"safetensors"}),
    "json": frozenset({"json"}),
    "yaml": frozenset({"yaml"}),
    "yml": frozenset({"yaml"}),
    "npy": frozenset({"numpy"}),
    "npz": frozenset({"npz"}),
    "gguf": frozenset({"gguf"}),
    "onnx": frozenset({"onnx"}),
    "h5": frozenset({"hdf5"}),
    "hdf5": frozenset({"hdf5"}),
    "keras": frozenset({"keras", "hdf5"}),
    "zip": frozenset({"zip", "torch", "torchscript", "npz", "keras", "skops", "mar"}),
    "skops": frozenset({"skops"}),
    "mar": frozenset({"mar"}),
    "nemo": frozenset({"tar", "gzip"}),
    "llamafile": frozenset({"llamafile", "code"}),
    "parquet": frozenset({"parquet"}),
    "arrow": frozenset({"arrow"}),
    "feather": frozenset({"arrow"}),
    "png": frozenset({"png"}),
    "jpg": frozenset({"jpeg"}),
    "jpeg": frozenset({"jpeg"}),
}
_LOADED: Final = _words("pickle torch torch.legacy torch.tar torchscript gzip zlib bz2 xz lzma ")
"""Formats that a loader finds in a file which is named like a pickle."""


def is_text_name(path: str) -> bool:
    """Whether a name promises text that no loader runs."""
    suffix = suffix_of(path)
    return suffix in _TEXT_SUFFIXES or (not suffix and path.rpartition("/")[2].lower() in _TEXT_NAMES)


def is_pickle_name(path: str) -> bool:
    """Whether files of such names are commonly unpickled."""
    return suffix_of(path) in _PICKLE_SUFFIXES


def has_expected_format(path: str, name: str) -> bool:
    """Whether a recognised format is what the file's name promises."""
    if name in {"build", "coreml_weights", "onnx_data"}:
        return True
    if is_text_name(path):
        return name in {"text", "json", "code"}
    if is_pickle_name(path):
        return name in _LOADED or name in {_BY_SUFFIX.get(suffix_of(path)), "tiktoken"}
    return name in _EXPECTED.get(suffix_of(path), {name})


def recognise(path: str, head: bytes, size: int) -> str:
    """The format to inspect a file as; `unknown` when neither its content nor its name tells.

    `head` is the file's first bytes. A safetensors length may begin with the bytes of a pickle's PROTO, so its
    whole pattern is looked at before the pickle's.
    """
    if is_safetensors_head(head, size):
        return "safetensors"
    if is_pickle_head(head):
        return "pickle"
    for offset, magic, name in _MAGIC:
        if head.startswith(magic, offset):
            return name
    if program_kind(head, path) is not None:
        return "code"
    text = is_text_name(path)  # "x^" begins both a text and a stream
    if len(head) >= 2 and head[0] == 0x78 and (head[0] << 8 | head[1]) % 31 == 0 and head[1] & 0x20 == 0 and not text:
        return "zlib"
    return _by_name(path, head)


def _by_name(path: str, head: bytes) -> str:
    suffix, name = suffix_of(path), path.rpartition("/")[2]
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name == "weight.bin" and "com.apple.CoreML/weights/" in path:
        return "coreml_weights"
    for pattern, raw in _NUMBERS:
        if pattern.fullmatch(name):
            return raw
    if is_program_name(path):
        return "code"
    if is_build_name(path):
        return "build"
    if suffix in {"model", "tiktoken"} and is_ranks_head(head):
        return "tiktoken"
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    if is_text_name(path):
        return "text"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["} and not is_pickle_name(path):
        return "json"
    return "unknown"
