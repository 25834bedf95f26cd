"""`gate check --format html`, read by a parser: the heading, the table of all controls, and the record."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tests.support.readings import Reading

_VERDICTS = {"ALLOW": "allow", "DENY": "deny", "NO DECISION": "error"}


class _Page(HTMLParser):
    """The text below the elements that say what was decided, and the effect of each control."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.verdict = self.tally = self.record = ""
        self.notes: list[str] = []
        self.effects: dict[str, str] = {}
        self._section = ""
        self._into = ""
        self._effect = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "section":
            self._section = found["id"] or ""
        if tag == "tr":
            self._effect = found.get("data-s") or ""
        kinds = {"verdict": "verdict", "tally": "tally", "attention": "note"}
        if found.get("class") in kinds:
            self._into = kinds[str(found["class"])]
            self.notes += [""] if self._into == "note" else []
        elif tag == "code" and self._section == "controls" and self._effect:
            self._into = "control"
        elif tag == "code" and self._section == "record" and not self.record:
            self._into = "record"

    def handle_endtag(self, tag: str) -> None:
        if tag in {"span", "p", "code"}:
            self._into = ""
        if tag == "code":
            self._effect = ""

    def handle_data(self, data: str) -> None:
        if self._into == "note":
            self.notes[-1] += data
        elif self._into == "control":
            self.effects[data] = self._effect
        elif self._into:
            setattr(self, self._into, getattr(self, self._into) + data)


def read(text: str) -> Reading:
    page = _Page(text)
    code = re.search(r"exit (\d+) \(", page.tally)
    assert code is not None

    def having(*effects: str) -> frozenset[str]:
        return frozenset(name for name, effect in page.effects.items() if effect in effects)

    return Reading(
        verdict=_VERDICTS[page.verdict],
        refused=having("refuses", "error"),
        id=page.record,
        exit_code=int(code[1]),
        dry_run=any(note.startswith("DRY RUN") for note in page.notes),
        waived=having("waived"),
        warned=having("warns"),
    )
