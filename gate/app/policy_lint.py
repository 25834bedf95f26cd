"""`gate policy lint`: what can be said of a policy directory without running it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.app.workshop import Sources, load_sources, policy_directories
from gate.errors import PolicyError
from gate.evaluate.catalogue import control_id
from gate.evaluate.frameworks import packaged_frameworks
from gate.evaluate.lint import Finding, lint, problem
from gate.formats import schema
from gate.formats.strict_json import StrictJsonError, loads
from gate.formats.strict_yaml import suggestion
from gate.model.json import JsonObject, JsonValue

_SCENARIOS: Final = ("passes", "refuses")
_BYTES: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Linted:
    """The findings, with the places of their files on disk, and how many controls were looked at."""

    findings: tuple[Finding, ...]
    controls: int

    @property
    def document(self) -> JsonObject:
        """The findings as JSON."""
        findings: list[JsonValue] = [
            {"file": one.path, "line": one.line, "column": one.column, "rule": one.rule, "message": one.message}
            for one in self.findings
        ]
        return {"schema": "urn:gate:lint:v1", "controls": self.controls, "findings": findings}


def lint_policy(start: Path, directories: Sequence[str] = (), tests: Sequence[str] = ()) -> Linted:
    """Everything that is wrong, sorted by place; raises `ConfigError` when there is nothing to look at."""
    try:
        sources = load_sources(start, directories, tests)
    except PolicyError as error:
        return Linted(unloadable(start, directories, error), 0)
    found = [
        Finding(sources.place(one.path), one.line, one.column, one.rule, one.message)
        for one in lint(sources.own, sources.bundle.modules, sources.tests)
    ]
    for control in sources.bundle.own:
        found += _missing_files(start, sources, control)
        found += _unknown_requirements(sources, control)
    return Linted(tuple(sorted(found)), sum(control_id(path) is not None for path in sources.own))


def unloadable(start: Path, directories: Sequence[str], error: PolicyError) -> tuple[Finding, ...]:
    """The findings in what `load_sources` says of modules that it could not load, by place on disk."""
    folders = policy_directories(start, tuple(directories))[0]
    return tuple(_placed(start, folders, one) for one in problem(error))


def _placed(start: Path, folders: Sequence[str], found: Finding) -> Finding:
    """A finding of a module that could not be loaded, with its place on disk."""
    top = next((folder for folder in folders if found.path and (start / folder / found.path).exists()), None)
    path = f"{top}/{found.path}" if top is not None else found.path or folders[0]
    return Finding(path, found.line, found.column, found.rule, found.message)


def _unknown_requirements(sources: Sources, control: str) -> Iterator[Finding]:
    """What a control says it supports, and a framework of which the gate lists everything does not have."""
    place = sources.place(next(path for path in sources.own if control_id(path) == control))
    listed = packaged_frameworks()
    for name, reference in sources.bundle.catalogue[control].frameworks.items():
        if name in listed and listed[name].complete:
            known = sorted(listed[name].requirements)
            for id_ in sorted(set(reference.ids) - set(known)):
                message = f"{name} has no requirement {id_!r}{suggestion(id_, known)}"
                yield Finding(place, 1, 1, "framework", message)


def _missing_files(start: Path, sources: Sources, control: str) -> Iterator[Finding]:
    """What a control of one's own has beside its rules: two scenarios and a page (CONTROLS 3)."""
    path = next(path for path in sources.own if control_id(path) == control)
    place = sources.place(path)
    top = place.removesuffix(path)
    family, name = control.split(".")[-2:]
    page = f"{top}docs/{family}/{name}.md"
    if not (start / page).is_file():
        yield Finding(place, 1, 1, "page", f"{control} has no page {page}")
    for scenario in _SCENARIOS:
        folder = f"{top}scenarios/{control}/{scenario}"
        for file in ("input.json", "expected.json"):
            if not (start / folder / file).is_file():
                yield Finding(place, 1, 1, "scenario", f"{control} has no scenario {folder}/{file}")
            elif (wrong := _wrong(start / folder / file)) is not None:
                yield Finding(f"{folder}/{file}", 1, 1, "scenario", wrong)


def _wrong(path: Path) -> str | None:
    try:
        value = loads(path.read_bytes(), limit=_BYTES)
    except StrictJsonError as error:
        return str(error)
    if path.name == "input.json":
        return schema.problem("input.json", value)
    is_expectation = isinstance(value, dict) and set(value) == {"status", "codes"}
    return None if is_expectation else 'expected {"status": ..., "codes": [...]}'
