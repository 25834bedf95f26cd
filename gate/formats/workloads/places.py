"""Places in objects of custom kinds, as the configuration names them: `spec.groups.*.template`, `spec.side?.image`.

A name is the member of an object, `*` each item of a list or each member of an object, and a `?` behind a name says
that it may be absent. Anything else that is not there is a problem: where an image was looked for and not found, one
may stand elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from gate.model.json import JsonValue

MAX_STEPS: Final = 32
_STEP: Final = re.compile(r"\*|[A-Za-z0-9_][A-Za-z0-9_-]{0,127}\??")


def steps_of(path: str) -> tuple[str, ...]:
    """The steps of a path; raises `ValueError`."""
    steps = tuple(path.split("."))
    if len(steps) > MAX_STEPS or not all(_STEP.fullmatch(step) for step in steps):
        raise ValueError(
            f"{path[:200]!r} is not a path of names with dots between, such as spec.groups.*.template; "
            f"* is each item, and a name that may be absent ends in ?"
        )
    return steps


def values_at(document: JsonValue, path: str, problems: list[str]) -> Iterator[tuple[str, JsonValue]]:
    """What stands at a path, and where; raises `ValueError` for what is no path."""
    yield from _walk(document, steps_of(path), "", problems)


def _walk(value: JsonValue, steps: tuple[str, ...], place: str, problems: list[str]) -> Iterator[tuple[str, JsonValue]]:
    if not steps:
        yield place, value
        return
    step, rest = steps[0], steps[1:]
    if step == "*":
        if isinstance(value, list):
            for number, item in enumerate(value):
                yield from _walk(item, rest, f"{place}[{number}]", problems)
        elif isinstance(value, Mapping):
            for name, item in value.items():
                yield from _walk(item, rest, below(place, name), problems)
        else:
            problems.append(f"{place or 'the object'} is neither a list nor an object")
        return
    name = step.removesuffix("?")
    if not isinstance(value, Mapping):
        problems.append(f"{place or 'the object'} is not an object, so it has no {name}")
    elif value.get(name) is not None:
        yield from _walk(value[name], rest, below(place, name), problems)
    elif not step.endswith("?"):
        problems.append(f"{below(place, name)} is not there")


def below(place: str, name: str) -> str:
    """The place of a member."""
    return f"{place}.{name}" if place else name
