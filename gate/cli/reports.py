"""`--report FORMAT=FILE`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import click

from gate.cli.attesting import rendered
from gate.cli.output import OutputFile
from gate.formats.strict_yaml import suggestion
from gate.model.decision import Decision
from gate.report.interface import FORMATS

P = ParamSpec("P")
R = TypeVar("R")
_META: Final = "gate.option.reports"


class ReportParameter(click.ParamType[tuple[str, Path], object]):
    """The name of a format and the file that a report of it goes to."""

    name = "report"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Path]:
        """Format and file; fails for a format that there is not, or without a file."""
        name, _, file = str(value).partition("=")
        if name not in FORMATS:
            self.fail(f"there is no format {name!r}{suggestion(name, FORMATS)}", param, ctx)
        if not file:
            self.fail(f"name the file that it goes to: {name}=FILE", param, ctx)
        return name, Path(file)


class ReportFiles:
    """The files that reports go to. They are emptied when this is made, before any work is done."""

    def __init__(self, output: Path | None) -> None:
        """Those of the running command, and `--output` for JSON; raises `AttestError` when one cannot be written.

        A file that is named twice is a usage error: one report would be gone without a word.
        """
        asked = click.get_current_context().meta.get(_META, ())
        named = [("json", output, "--output")] if output is not None else []
        wanted = [*named, *((form, file, "--report") for form, file in asked)]
        places = [os.path.realpath(path) for _, path, _ in wanted]
        for (_, path, option), place in zip(wanted, places, strict=True):
            if places.count(place) > 1:
                raise click.UsageError(f"{option}: {path} is named twice, and holds one report.")
        self._files = [(name, OutputFile(path, option)) for name, path, option in wanted]

    @property
    def forms(self) -> frozenset[str]:
        """The names of the formats."""
        return frozenset(name for name, _ in self._files)

    def write(self, decision: Decision) -> None:
        """Writes all of them, once all are made; raises `AttestError`."""
        for file, text in [(file, rendered(name, decision)) for name, file in self._files]:
            file.write(text)


def format_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--format`, as `form`."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS),
        default="text",
        show_default=True,
        metavar="FORMAT",
        help=f"Of the report: {', '.join(FORMATS)}.",
    )(function)


def report_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--report`, for whoever makes `ReportFiles`."""
    return click.option(
        "--report",
        "reports",
        multiple=True,
        type=ReportParameter(),
        metavar="FORMAT=FILE",
        expose_value=False,
        callback=_keep,
        help="Also write a report of any format to a file, emptied first; can be repeated.",
    )(function)


def _keep(context: click.Context, _parameter: click.Parameter, value: object) -> None:
    context.meta[_META] = value
