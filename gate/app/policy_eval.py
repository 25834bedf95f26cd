"""`gate policy eval`: what an expression comes to, against a policy and an input document."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gate.app.explain import policy_sources, read_document
from gate.errors import PolicyError
from gate.evaluate.query import misspelt, query
from gate.model.json import JsonObject, JsonValue


def evaluate(
    start: Path, expression: str, directories: Sequence[str] = (), document: tuple[str, bytes] | None = None
) -> list[JsonValue]:
    """The values of an expression; `document` is what to call the input document, and its bytes.

    Raises `PolicyError` when it is undefined or does not compile, with the nearest name that exists.
    """
    modules = policy_sources(start, directories).modules
    empty: JsonObject = {}
    value, canonical = empty, b"{}"
    if document is not None:
        read = read_document(*document)
        value, canonical = read.value, read.canonical
    hint = "" if document is not None or "input" not in expression else "give it an input document: --input input.json"
    try:
        found = query(modules, expression, canonical)
    except PolicyError as error:
        raise PolicyError(" ".join(str(error).split()), hint=misspelt(modules, expression, value) or hint) from None
    if not found:
        raise PolicyError("the expression is undefined", hint=hint or misspelt(modules, expression, value))
    return found
