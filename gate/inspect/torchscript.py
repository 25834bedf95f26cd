"""TorchScript: the program of a model, as text. That it is there is a finding; what it reaches for is told besides.

The text is looked through for names and not parsed: nothing that is found or missing in it makes the program harmless.
"""

from __future__ import annotations

import re
from typing import Final

from gate.inspect.context import Findings, shown
from gate.inspect.source import Source, chunks
from gate.model.scan import Severity

_NAME: Final = re.compile(rb"\b(?:ops|torch|__torch__\.torch)\.[A-Za-z_][A-Za-z0-9_.]{0,200}")
_OWN: Final = frozenset({"aten", "prim", "prims", "quantized", "quantized_decomposed", "static_runtime"})
"""Operators that every PyTorch brings."""
_REACHING: Final = frozenset({"classes", "distributed", "from_file", "hub", "load", "save", "jit"})
_OVERLAP: Final = 256
_SHOWN: Final = 20


def judge_code(name: str, source: Source, found: Findings) -> None:
    """Adds that a member is a program, and the names in it of what opens files or comes with a library of its own."""
    message = (
        f"member {shown(name)} is a program (TorchScript): save the weights as safetensors, export the model to "
        "ONNX, or waive this file by name"
    )
    found.add("archive.code", Severity.HIGH, message)
    before = b""
    seen: set[str] = set()
    for chunk in chunks(source):
        for match in _NAME.finditer(before + chunk):
            what = _reached(match[0].decode("ascii").rstrip("."))
            if what is not None and len(seen) < _SHOWN:
                seen.add(what)
        before = chunk[-_OVERLAP:]
    for what in sorted(seen):
        found.add("torchscript.operator", Severity.HIGH, f"member {shown(name)} calls {what}")


def _reached(name: str) -> str | None:
    """What a name reaches beyond computing; `None` for what only computes, as far as a name tells."""
    first, *parts = name.removeprefix("__torch__.").split(".")
    if parts[0] in _REACHING or (first == "ops" and parts[-1] in _REACHING):
        return f"{shown(name, 60)}, which opens files, or is built by a library"
    if first == "ops" and parts[0] not in _OWN:
        return f"{shown(name, 60)}, an operator that a library must bring"
    return None
