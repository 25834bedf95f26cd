"""Requirements of frameworks against controls. The words are "supports" and "partly supports", and no others."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from gate.model.control import ControlInfo, Mode
from gate.model.framework import Framework, Matrix, RequirementRow
from gate.model.json import JsonObject
from gate.model.policy import Catalogue
from gate.report.escape import markdown, markdown_code, terminal
from gate.report.tables import Table

SCHEMA: Final = "urn:gate:controls-matrix:v1"
NOTE: Final = "Evidence for a control supports a requirement; whether it is met, people judge."
_WIDTH: Final = 90
_NOT_LISTED: Final = "not in the gate's list"


def matrix_json(catalogue: Catalogue, matrices: Sequence[Matrix]) -> JsonObject:
    """A `urn:gate:controls-matrix:v1` document."""
    return {
        "schema": SCHEMA,
        "policy": catalogue.policy,
        "frameworks": [_framework_json(catalogue, matrix) for matrix in matrices],
        "unmapped": [info.id for info in _without_mapping(catalogue)],
    }


def _framework_json(catalogue: Catalogue, matrix: Matrix) -> JsonObject:
    framework = matrix.framework
    return {
        "id": framework.id,
        "title": framework.title,
        "version": framework.version,
        "complete": framework.complete,
        "scope": framework.scope,
        "source": framework.source,
        "requirements": [
            {
                "id": row.id,
                "title": row.title,
                "listed": row.listed,
                "controls": [
                    {
                        "id": support.control.id,
                        "relation": support.relation,
                        "claims": list(support.control.claims),
                        "profiles": _modes(catalogue, support.control),
                    }
                    for support in row.supports
                ],
            }
            for row in matrix.rows
        ],
        "gaps": {"requirements": [row.id for row in matrix.gaps], "controls": [info.id for info in matrix.unmapped]},
    }


def matrix_table(catalogue: Catalogue, matrices: Sequence[Matrix]) -> Table:
    """One row for each requirement and control, one for each gap; the last column says which."""
    heads = ("framework", "requirement", "title", "control", "relation", "claims", *catalogue.profiles, "gap")
    blank = ("",) * len(catalogue.profiles)
    rows: list[tuple[str, ...]] = []
    for matrix in matrices:
        name = matrix.framework.id
        gap = "no control" if matrix.framework.complete else "no control; the list of requirements is not complete"
        for row in matrix.rows:
            rows += [(name, *cells, "" if row.listed else _NOT_LISTED) for cells in _cells(catalogue, row)]
            if not row.supports:
                rows.append((name, row.id, row.title, "", "", "", *blank, gap))
        for info in matrix.unmapped:
            rows.append(
                (name, "", "", info.id, "", ", ".join(info.claims), *_modes(catalogue, info).values(), "no mapping")
            )
    return Table(heads, tuple(rows))


def _cells(catalogue: Catalogue, row: RequirementRow) -> Iterator[tuple[str, ...]]:
    for support in row.supports:
        control = support.control
        claims = ", ".join(control.claims)
        yield row.id, row.title, control.id, support.relation, claims, *_modes(catalogue, control).values()


def matrix_text(catalogue: Catalogue, matrices: Sequence[Matrix]) -> str:
    """For a terminal: each framework with what is supported, then its gaps."""
    lines: list[str] = []
    for matrix in matrices:
        framework = matrix.framework
        lines += [
            f"{terminal(framework.id)}  {terminal(title_words(framework))}".rstrip(),
            f"  {terminal(scope_words(framework))}",
            *([f"  {terminal(source_words(framework))}"] if framework.source else []),
            "",
        ]
        lines += _supported_text(catalogue, matrix)
        if matrix.gaps:
            lines += [f"  {_gap_head(matrix)}", *(f"    {terminal(line)}" for line in _gap_lines(matrix)), ""]
        if matrix.unmapped:
            names = ", ".join(terminal(info.id) for info in matrix.unmapped)
            lines += [
                f"  {_unmapped_head(catalogue, matrix)}",
                textwrap.indent(textwrap.fill(names, _WIDTH), "    "),
                "",
            ]
    lines += (textwrap.fill(line, _WIDTH) + "\n" for line in _no_mapping(catalogue, terminal))
    return "\n".join([*lines, NOTE])


def _supported_text(catalogue: Catalogue, matrix: Matrix) -> Iterator[str]:
    supports = [support for row in matrix.rows for support in row.supports]
    relation, control, claims = (
        max((len(terminal(text)) for text in texts), default=0)
        for texts in (
            [support.relation for support in supports],
            [support.control.id for support in supports],
            [_claims(support.control) for support in supports],
        )
    )
    for row in matrix.rows:
        if not row.supports:
            continue
        yield f"  {terminal(row.id)}  {terminal(row.title if row.listed else f'({_NOT_LISTED})')}"
        for support in row.supports:
            asked = [
                (name, mode) for name, mode in _modes(catalogue, support.control).items() if mode != Mode.OFF.value
            ]
            modes = "  ".join(f"{name}: {mode}" for name, mode in asked) or "in no profile"
            yield (
                f"    {support.relation:<{relation}}  {terminal(support.control.id):<{control}}"
                f"  {terminal(_claims(support.control)):<{claims}}  {terminal(modes)}"
            ).rstrip()
        yield ""


def matrix_markdown(catalogue: Catalogue, matrices: Sequence[Matrix]) -> str:
    """For a page: a heading for each framework, a table of what is supported, and its gaps."""
    parts: list[str] = []
    for matrix in matrices:
        framework = matrix.framework
        rows = tuple(cells for row in matrix.rows for cells in _cells(catalogue, row))
        heads = ("requirement", "title", "control", "relation", "claims", *catalogue.profiles)
        parts += [
            f"## {markdown(framework.id)}",
            about_words(framework),
        ]
        if rows:
            parts.append(Table(heads, rows, frozenset({"requirement", "control", "claims"})).markdown())
        if matrix.gaps:
            parts.append(f"{markdown(_gap_head(matrix))}")
            parts.append("\n".join(f"- {markdown(line)}" for line in _gap_lines(matrix)))
        if matrix.unmapped:
            names = ", ".join(markdown_code(info.id) for info in matrix.unmapped)
            parts.append(f"{_unmapped_head(catalogue, matrix)} {names}")
    return "\n\n".join([*parts, *_no_mapping(catalogue, markdown_code), NOTE])


def about_words(framework: Framework) -> str:
    """For a page: title, scope and source as sentences."""
    words = (title_words(framework), scope_words(framework), source_words(framework))
    return " ".join(f"{markdown(sentence)}." for sentence in words if sentence)


def _modes(catalogue: Catalogue, info: ControlInfo) -> Mapping[str, str]:
    return {name: mode.value for name, mode in catalogue.modes(info.id).items()}


def _claims(info: ControlInfo) -> str:
    return f"needs {', '.join(info.claims)}" if info.claims else "needs no claim"


def title_words(framework: Framework) -> str:
    """Title and version; empty for a framework that only controls name."""
    return f"{framework.title}, {framework.version}" if framework.title else ""


def scope_words(framework: Framework) -> str:
    """Which requirements are listed."""
    return f"The list of requirements is {'complete' if framework.complete else 'not complete'}: {framework.scope}"


def source_words(framework: Framework) -> str:
    """What the ids were checked against; empty where nobody said."""
    return f"Source: {framework.source}" if framework.source else ""


def _gap_head(matrix: Matrix) -> str:
    total = len(matrix.framework.requirements)
    more = "" if matrix.framework.complete else " (there may be more: the list is not complete)"
    return f"No control for {len(matrix.gaps)} of the {total} requirements listed{more}:"


def _gap_lines(matrix: Matrix) -> Iterator[str]:
    """The gaps, those of one title that follow one another in one line."""
    for title, rows in itertools.groupby(matrix.gaps, key=lambda row: row.title):
        yield f"{', '.join(row.id for row in rows)}  {title}"


def _unmapped_head(catalogue: Catalogue, matrix: Matrix) -> str:
    return f"No mapping to it in {len(matrix.unmapped)} of {len(catalogue.controls)} controls:"


def _without_mapping(catalogue: Catalogue) -> Sequence[ControlInfo]:
    """The controls that name no requirement of any framework."""
    return [
        info for info in catalogue.controls.values() if not any(reference.ids for reference in info.frameworks.values())
    ]


def _no_mapping(catalogue: Catalogue, escape: Callable[[str], str]) -> Iterator[str]:
    names = [escape(info.id) for info in _without_mapping(catalogue)]
    if names:
        yield f"No mapping to any framework: {', '.join(names)}."
