"""The report as a page for a browser: one file, without network, readable without scripts.

Every value that the template shows passes `escape.html` on its way, there and nowhere else: no template can forget it.
The page's policy lets the browser load nothing, and run its own style and script alone, which it names by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Final

import jinja2

from gate import resources
from gate.model.decision import Decision
from gate.report import summary
from gate.report.escape import html
from gate.report.html import view
from gate.report.html.frameworks import NOTE, frameworks
from gate.report.html.heat import MEANINGS, heat_map
from gate.report.html.lineage import drawings

_PAGE: Final = "page.html"


@dataclass(frozen=True, slots=True)
class _Markup:
    """Text that is HTML already. Only what is packaged, and what `html` made, becomes one."""

    text: str

    def __html__(self) -> str:
        return self.text


def render_html(decision: Decision) -> str:
    """The page. It holds all that its tables have room for, and counts the rest."""
    explainer = view.explainer_of(decision)
    judged = view.judged(decision, explainer)
    findings, evidence = view.findings(decision, explainer), view.evidence(decision)
    figures, undrawn = drawings(decision, view.refused_artifacts(decision))
    style, script = _packaged("page.css"), _packaged("page.js")
    return (
        _environment()
        .get_template(_PAGE)
        .render(
            decision=decision,
            verdict=summary.VERDICTS[decision.verdict],
            setting=summary.setting(decision),
            head=summary.head_commit(decision),
            judged_what=summary.judged(decision),
            exit_words=summary.exit_words(decision),
            tally=summary.tally(decision),
            counts=summary.counts(decision),
            notes=_notes(decision),
            refused=view.cards(summary.refused(decision), explainer),
            warned=view.cards(summary.warned(decision), explainer),
            statements=summary.statements(decision),
            map=heat_map(decision),
            meanings=MEANINGS,
            findings=findings[: view.MAX_FINDINGS],
            findings_left=max(len(findings) - view.MAX_FINDINGS, 0),
            evidence=evidence[: view.MAX_EVIDENCE],
            evidence_left=max(len(evidence) - view.MAX_EVIDENCE, 0),
            controls=judged,
            waivers=sorted(decision.waivers, key=lambda waiver: (not waiver.used, waiver.id)),
            reuse=[(item, summary.reuse_effect(decision, item)) for item in decision.reuse],
            numbers=view.numbers(decision),
            figures=figures,
            undrawn=undrawn,
            frameworks=frameworks(decision, judged),
            framework_note=NOTE,
            skipped=sorted(decision.skipped.items()),
            day=summary.day,
            style=_Markup(style),
            script=_Markup(script),
            style_hash=_hash(style),
            script_hash=_hash(script),
        )
        + "\n"
    )


def _notes(decision: Decision) -> list[str]:
    notes = (
        summary.dry_run_words(decision),
        summary.unexplained(decision),
        summary.own_configuration(decision),
        summary.own_controls(decision),
    )
    return [note for note in notes if note]


@cache
def _environment() -> jinja2.Environment:
    """The templates: values are escaped, what is not defined is an error."""
    return jinja2.Environment(
        autoescape=True,
        finalize=_shown,
        loader=jinja2.FunctionLoader(_packaged),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


@cache
def _packaged(name: str) -> str:
    return resources.page_file(name).decode()


def _shown(value: object) -> object:
    """A value as the page shows it; what a macro made, and the packaged style and script, is HTML already."""
    if hasattr(value, "__html__"):
        return value
    return _Markup(html(str(value)))


def _hash(text: str) -> str:
    """What names a style or script in a Content-Security-Policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
