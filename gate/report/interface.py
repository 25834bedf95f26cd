"""What a report is: a pure function from a decision to text. Printing and writing are the caller's work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from gate.errors import ConfigError
from gate.model.decision import Decision

Report = Callable[[Decision], str]
"""Equal decisions give equal text, which ends with a line feed. Nothing is read, printed or written."""


def _text(decision: Decision) -> str:
    from gate.report.text import render_text

    return render_text(decision)


def _json(decision: Decision) -> str:
    from gate.report.json import render_json

    return render_json(decision)


def _markdown(decision: Decision) -> str:
    from gate.report.markdown import render_markdown

    return render_markdown(decision)


def _summary(decision: Decision) -> str:
    from gate.report.job_summary import render_summary

    return render_summary(decision)


def _sarif(decision: Decision) -> str:
    from gate.report.sarif import render_sarif

    return render_sarif(decision)


def _junit(decision: Decision) -> str:
    from gate.report.decision_junit import render_junit

    return render_junit(decision)


def _github(decision: Decision) -> str:
    from gate.report.github import render_github

    return render_github(decision)


def _gitlab_annotations(decision: Decision) -> str:
    from gate.report.gitlab import render_annotations

    return render_annotations(decision)


def _gitlab_codequality(decision: Decision) -> str:
    from gate.report.gitlab import render_codequality

    return render_codequality(decision)


def _csv(decision: Decision) -> str:
    from gate.report.csv import render_csv

    return render_csv(decision)


def _oscal_results(decision: Decision) -> str:
    from gate.report.oscal_results import render_oscal_results

    return render_oscal_results(decision)


def _oscal_component(decision: Decision) -> str:
    from gate.report.oscal_component import render_oscal_component

    return render_oscal_component(decision)


def _cyclonedx(decision: Decision) -> str:
    from gate.report.cyclonedx import render_cyclonedx

    return render_cyclonedx(decision)


def _vsa(decision: Decision) -> str:
    from gate.report.vsa import render_vsa

    return render_vsa(decision)


def _svr(decision: Decision) -> str:
    from gate.report.svr import render_svr

    return render_svr(decision)


def _html(decision: Decision) -> str:
    from gate.report.html.render import render_html

    return render_html(decision)


REPORTS: Final[Mapping[str, Report]] = MappingProxyType(
    {
        "text": _text,
        "json": _json,
        "markdown": _markdown,
        "summary": _summary,
        "html": _html,
        "sarif": _sarif,
        "junit": _junit,
        "github": _github,
        "gitlab-annotations": _gitlab_annotations,
        "gitlab-codequality": _gitlab_codequality,
        "csv": _csv,
        "oscal-results": _oscal_results,
        "oscal-component": _oscal_component,
        "cyclonedx": _cyclonedx,
        "vsa": _vsa,
        "svr": _svr,
    }
)
"""The reports by name. Their modules are imported when they are used."""
FORMATS: Final = tuple(REPORTS)


def render(name: str, decision: Decision, *, colour: bool = False) -> str:
    """The report of that name; raises `ConfigError` when there is none. Only `text` has colours."""
    if name not in REPORTS:
        raise ConfigError(f"there is no report {name!r}", hint=f"one of {', '.join(FORMATS)}")
    if name == "text" and colour:
        from gate.report.text import render_text

        return render_text(decision, colour=True)
    return REPORTS[name](decision)
