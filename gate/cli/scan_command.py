"""`gate scan`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from gate.app.scan import ScanRequest, scan
from gate.cli.output import OutputFile, progress, show
from gate.collect.crew import CrewLimits, default_jobs
from gate.errors import ConfigError
from gate.model.scan import Severity
from gate.report.scan import FORMATS, render_scan, scan_summary

_SEVERITIES: Final = tuple(word.value for word in Severity if word is not Severity.NONE)


@click.command(
    "scan",
    epilog="""\b
Examples:
  gate scan models/summarizer
  gate scan model.safetensors adapter.bin
  gate scan models --format sarif --output scan.sarif
  gate scan . --exclude ".git/**" --fail-on high
""",
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the report to a file.")
@click.option(
    "--exclude",
    multiple=True,
    metavar="GLOB",
    help="Leave out what matches below each PATH; it is reported as not judged. Can be repeated.",
)
@click.option(
    "--fail-on",
    type=click.Choice(_SEVERITIES),
    default="low",
    show_default=True,
    help="The least severity that counts. What was not judged always counts.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A gate.yaml whose section `inspection` counts; without it no configuration is read.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Processes that read and inspect.  [default: one for each core, at most 4]",
)
@click.option(
    "--timeout",
    type=click.IntRange(1, 86_400),
    default=int(CrewLimits().seconds),
    show_default=True,
    metavar="SECONDS",
    help="For each file, and a second more for every 10 MiB.",
)
def command(
    paths: tuple[Path, ...],
    form: str,
    output: Path | None,
    exclude: tuple[str, ...],
    fail_on: str,
    config: Path | None,
    jobs: int | None,
    timeout: int,
) -> int:
    """Look inside model files, without loading them.

    Every file is hashed and inspected: pickles, safetensors, GGUF, Keras, ONNX, archives, templates, code and more.
    No configuration is needed. Exit code 0: every file was judged, and nothing was found. 13: something was found,
    or a file could not be judged, or there is no file. A link is never followed.
    """
    if output is not None:
        _check_beside(output, paths)
    file = None if output is None else OutputFile(output)
    limits = CrewLimits(jobs=jobs or default_jobs(), seconds=timeout)
    found = scan(ScanRequest(paths, exclude, config, Severity(fail_on), limits), progress)
    text = render_scan(form, found)
    if file is None:
        show(text)
    else:
        file.write(text if text.endswith("\n") else f"{text}\n")
        show(scan_summary(found))
    return found.exit_code


def _check_beside(output: Path, paths: tuple[Path, ...]) -> None:
    """The report must not lie where it would be scanned, empty as it is meanwhile."""
    place = output.absolute().parent.resolve() / output.name
    for path in paths:
        named = path.resolve()
        if place == named or (named.is_dir() and place.is_relative_to(named)):
            raise ConfigError(f"--output: {output} lies in {path}, which is scanned", hint="write the report elsewhere")
