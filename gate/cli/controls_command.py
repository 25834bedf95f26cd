"""`gate controls`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ParamSpec

import click

from gate import __version__
from gate.app import controls as app
from gate.app import frameworks
from gate.app.report import saved_decision
from gate.cli.document import read_bytes
from gate.cli.output import show
from gate.cli.params import now_or_clock
from gate.formats.canonical_json import pretty
from gate.formats.rfc3339 import format_time
from gate.model.decision import Decision
from gate.model.framework import Framework
from gate.model.policy import Catalogue
from gate.model.settings import Target
from gate.report import controls as pages
from gate.report import framework_evidence, framework_page, matrix_oscal
from gate.report import matrix as matrix_pages
from gate.report.escape import terminal
from gate.report.policy_diff import diff_json, diff_text

P = ParamSpec("P")


def _mark_unverified(*paths: str) -> None:
    """Says on standard error which bundles are looked at without looking at their signatures."""
    for path in filter(app.is_bundle, paths):
        click.echo(f"note: {terminal(path)} is not verified here; gate policy verify does that", err=True)


def _format(*words: str) -> Callable[[Callable[P, int]], Callable[P, int]]:
    return click.option("--format", "form", type=click.Choice(words), default="text", show_default=True)


_POLICY = click.option(
    "--policy",
    metavar="PATH",
    default=app.PACKAGED,
    show_default=True,
    help="A folder laid out like rego/, one of own controls, or a bundle.",
)


@click.group("controls")
def command() -> None:
    """List, show and compare the controls, and map them to frameworks.

    What each checks, which claims it needs, how to fix a refusal, and what evidence for it supports.
    """


@command.command("list")
@click.option("--framework", metavar="NAME", help="Only those that support a requirement of this framework.")
@click.option("--family", metavar="NAME", help="Only those of this family, such as scan.")
@click.option("--target", type=click.Choice([target.value for target in Target]), help="Only those for this target.")
@click.option("--profile", metavar="NAME", help="Only those that this profile asks for.")
@_POLICY
@_format("text", "json", "csv", "markdown")
def list_controls(
    framework: str | None, family: str | None, target: str | None, profile: str | None, policy: str, form: str
) -> int:
    """All controls, or some, with what each profile wants of them."""
    _mark_unverified(policy)
    catalogue = app.open_catalogue(policy)
    found = app.select(catalogue, app.Selection(framework, family, target, profile))
    profiles = [profile] if profile is not None else list(catalogue.profiles)
    if form == "json":
        show(pretty([pages.control_json(catalogue, info) for info in found]))
    elif form == "csv":
        show(pages.full_table(catalogue, found, profiles).csv())
    elif form == "markdown":
        show(pages.full_table(catalogue, found, profiles).markdown())
    else:
        show(f"{pages.list_table(catalogue, found, profiles).text()}\n\nOne of them: gate controls show <control>")
    return 0


@command.command("show")
@click.argument("control")
@_POLICY
@_format("text", "json")
def show_control(control: str, policy: str, form: str) -> int:
    """One control: what it checks, its parameters, how to fix a refusal, and what evidence for it supports."""
    _mark_unverified(policy)
    catalogue = app.open_catalogue(policy)
    info = app.find_control(catalogue, control)
    if form == "json":
        show(pretty(pages.control_json(catalogue, info)))
    else:
        show(pages.control_text(catalogue, info, app.page_of(info) if info == app.catalogue().get(info.id) else None))
    return 0


@command.command(
    "matrix",
    epilog="""\b
Examples:
  gate controls matrix --framework NIST-800-218A
  gate controls matrix --framework EU-AI-Act --format csv > matrix.csv
  gate controls matrix --framework ISO-42001 --decision decision.json
  gate controls matrix --framework ACME-7 --framework-file acme.yaml
  gate controls matrix --format oscal > component-definition.json
""",
)
@click.option("--framework", metavar="NAME", help="Only this framework, such as NIST-800-218A.")
@click.option(
    "--framework-file",
    "lists",
    metavar="PATH",
    multiple=True,
    help="Requirements of a framework of your own: a file, or a folder of them; can be repeated.",
)
@click.option(
    "--decision", metavar="FILE", help="Show which evidence of this decision supports what; - reads standard input."
)
@_POLICY
@_format("text", "json", "csv", "markdown", "oscal")
def matrix(framework: str | None, lists: tuple[str, ...], decision: str | None, policy: str, form: str) -> int:
    """Which controls support which requirements of a framework, and the gaps of both sides.

    With --decision, which evidence of a saved decision supports them, and what is missing on either side: nobody
    proved who wrote that file. Whether a requirement is met, people judge.
    """
    _mark_unverified(policy)
    own = frameworks.own_frameworks(lists)
    catalogue = app.open_catalogue(policy)
    if decision is not None:
        _show_decision(saved_decision(*read_bytes(decision, "--decision")), catalogue, framework, own, form)
        return 0
    found = frameworks.matrices(catalogue, framework, own)
    if form == "json":
        show(pretty(matrix_pages.matrix_json(catalogue, found)))
    elif form == "csv":
        show(matrix_pages.matrix_table(catalogue, found).csv())
    elif form == "markdown":
        show(matrix_pages.matrix_markdown(catalogue, found))
    elif form == "oscal":
        at = format_time(now_or_clock(None))
        show(pretty(matrix_oscal.matrix_oscal(catalogue, found, at=at, version=__version__)))
    else:
        show(matrix_pages.matrix_text(catalogue, found))
    return 0


def _show_decision(
    decision: Decision, catalogue: Catalogue, framework: str | None, own: Sequence[Framework], form: str
) -> None:
    found = frameworks.decision_matrices(decision, catalogue, framework, own)
    evidence = [framework_evidence.page_of(decision, matrix) for matrix in found]
    if form == "json":
        show(pretty(framework_evidence.pages_json(decision, evidence)))
    elif form == "csv":
        show(framework_evidence.pages_table(evidence).csv())
    elif form == "markdown":
        show(framework_page.pages_markdown(decision, evidence))
    elif form == "oscal":
        show(pretty(matrix_oscal.decision_oscal(decision, found)))
    else:
        show(framework_page.pages_text(decision, evidence))


@command.command("diff")
@click.argument("old")
@click.argument("new")
@_format("text", "json")
def diff(old: str, new: str, form: str) -> int:
    """What differs between two policies, and what of it loosens them.

    Each is a folder laid out like rego/, a folder of own controls, a policy bundle, or the word packaged for the
    installed policy.
    """
    _mark_unverified(old, new)
    found = app.compare(old, new)
    show(pretty(diff_json(found)) if form == "json" else diff_text(found))
    return 0
