"""`gate policy test`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.opa_test import find_opa
from gate.app.policy_test import PolicyTestRequest, run_policy_tests
from gate.cli.output import OutputFile, progress, show
from gate.report.policy_test import tests_json, tests_junit, tests_text

_FAILED = 13


@click.command("test")
@click.argument("directories", nargs=-1)
@click.option("--tests", multiple=True, metavar="DIR", help="A folder of tests and their helpers; can be repeated.")
@click.option("--filter", "text", default="", metavar="TEXT", help="Only tests and scenarios with TEXT in their name.")
@click.option("--engine", type=click.Choice(["regorus", "opa"]), default="regorus", show_default=True)
@click.option("--opa", metavar="PATH", help="The OPA program for --engine opa  [default: opa on PATH]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--junit", type=click.Path(path_type=Path), help="Write JUnit XML here as well.")
@click.option("--coverage/--no-coverage", default=True, show_default=True, help="Count the lines that tests reach.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 100),
    default=100.0,
    show_default=True,
    help="Percent of a file's lines that tests have to reach.",
)
def command(  # noqa: PLR0913 - one parameter an option
    *,
    directories: tuple[str, ...],
    tests: tuple[str, ...],
    text: str,
    engine: str,
    opa: str | None,
    form: str,
    junit: Path | None,
    coverage: bool,
    threshold: float,
) -> int:
    """Run the tests of controls, and say which lines none of them reaches.

    Runs every rule test_* and the scenarios of own controls. DIRECTORIES are policy directories; without any those of
    gate.yaml, else policy/. The exit code is 13 when a test fails or a file is covered less than --threshold.
    """
    output = OutputFile(junit, "--junit") if junit is not None else None
    request = PolicyTestRequest(
        start=Path.cwd(),
        directories=directories,
        tests=tests,
        text=text,
        opa=find_opa(opa) if engine == "opa" else None,
        coverage=coverage,
        threshold=threshold,
    )
    report = run_policy_tests(request, progress)
    if output is not None:
        output.write(tests_junit(report))
    show(tests_json(report) if form == "json" else tests_text(report))
    return 0 if report.is_good else _FAILED
