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


REPORTS: Final[Mapping[str, Report]] = MappingProxyType({"text": _text, "json": _json, "markdown": _markdown})
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
