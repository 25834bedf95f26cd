"""What to say of a file in a format that is known and not judged: what it is, and what to admit instead of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.inspect.magic import suffix_of

_COMPILED: Final = "is compiled for one machine and one library, which trusts it"
_KERNELS: Final = "can need kernels of its own, and nothing here reads its graph"
_NUMBERS: Final = "is numbers without a structure that could be checked"
_WHAT: Final[Mapping[str, tuple[str, str]]] = {
    "engine": ("an engine of TensorRT", _COMPILED),
    "plan": ("an engine of TensorRT", _COMPILED),
    "trt": ("an engine of TensorRT", _COMPILED),
    "rknn": ("a model for RKNN", _COMPILED),
    "hef": ("a model for Hailo", _COMPILED),
    "dlc": ("a model for SNPE", _COMPILED),
    "pte": ("a program of ExecuTorch", _COMPILED),
    "pt2": ("a program that PyTorch exported", _COMPILED),
    "ptl": ("a program of PyTorch Mobile", _COMPILED),
    "xml": ("XML, perhaps a model of OpenVINO or PMML", _KERNELS),
    "pmml": ("a model in PMML", _KERNELS),
    "pdmodel": ("a program of Paddle", _KERNELS),
    "pdiparams": ("weights of Paddle", _NUMBERS),
    "params": ("weights of MXNet, or a configuration", _NUMBERS),
    "param": ("a graph of ncnn", _KERNELS),
    "mnn": ("a model of MNN", _KERNELS),
    "caffemodel": ("a model of Caffe", "can have layers that are Python"),
    "prototxt": ("a graph of Caffe", "can have layers that are Python"),
    "pbtxt": ("a message as text: a graph, or settings of Triton", "can name a program as its backend"),
    "meta": ("a graph of TensorFlow 1", _KERNELS),
    "cbm": ("a model of CatBoost", "is read by code in C++ that nobody here judges"),
    "ubj": ("a model of XGBoost in UBJSON", "is read by code in C++ that nobody here judges"),
    "bst": ("a model of XGBoost", "is read by code in C++ that nobody here judges"),
    "deb": ("a package of Debian", "installs programs"),
    "html": ("HTML", "runs scripts where it is shown"),
    "htm": ("HTML", "runs scripts where it is shown"),
    "svg": ("SVG", "runs scripts where it is shown"),
    "mlpackage": ("a package of Core ML", _KERNELS),
}
_INSTEAD: Final[Mapping[str, str]] = {
    "cbm": "save it as JSON",
    "ubj": "save it as JSON",
    "bst": "save it as JSON",
    "html": "take it out",
    "htm": "take it out",
    "svg": "take it out",
    "deb": "take it out",
}
_FORMATS: Final[Mapping[str, str]] = {
    "7z": "an archive of 7-Zip: repack it as zip or tar",
    "rar": "an archive of RAR: repack it as zip or tar",
    "zstd": "packed with zstd: unpack it, or pack it with gzip",
    "lz4": "packed with lz4: unpack it, or pack it with gzip",
    "sqlite": "a database of SQLite: take it out, or export it as Parquet",
    "pdf": "a PDF, which can run scripts: take it out of the artifact",
}
_WAYS: Final = "waive load.safe_format for this file, or install an inspector for it (entry point gate.inspectors)"


def why_not(path: str, name: str) -> str | None:
    """Why a file of a format that is known is not inspected, and what to do; `None` for a format nobody knows."""
    if name in _FORMATS:
        return f"{_FORMATS[name]}; or {_WAYS}"
    suffix = suffix_of(path)
    if suffix in _WHAT:
        what, why = _WHAT[suffix]
        return f"{what}, which {why}: {_INSTEAD.get(suffix, 'convert it to safetensors, GGUF or ONNX')}; or {_WAYS}"
    return f"format {name} is not inspected by this version: {_WAYS}" if name != "unknown" else None
