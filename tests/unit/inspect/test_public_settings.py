"""How often what popular models ship is refused, as docs/explanation/false-refusals.md publishes it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gate.inspect.jinja import template_problems
from tests.support.looking import is_clean, look, rules

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted((ROOT / "tests" / "vectors" / "templates").glob("*.jinja"))
ENTRIES = json.loads((ROOT / "tests" / "vectors" / "settings" / "ordinary.json").read_text("utf-8"))
OWN_CODE = "code of its own"
VOCABULARIES = {"tokenizer.json", "vocab.json", "added_tokens.json", "vocab.txt", "merges.txt", "tokenizer.model"}


def content(entry: dict[str, object]) -> bytes:
    text = entry["text"] if "text" in entry else json.dumps(entry["json"], ensure_ascii=False)
    return str(text).encode()


def is_tokenizer(entry: dict[str, object]) -> bool:
    name = str(entry["file"]).rpartition("/")[2]
    return name in VOCABULARIES or name.endswith(".tiktoken") or "token" in name


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_templates_of_public_models_are_harmless(path: Path) -> None:
    assert template_problems(path.read_text("utf-8")) == ()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry['like']}-{entry['file']}")
def test_settings_of_public_models_are_clean_unless_they_ask_for_code(entry: dict[str, object]) -> None:
    found = look(str(entry["file"]), content(entry))
    if OWN_CODE in str(entry["like"]):
        assert rules(found) == {"remote_code.auto_map"}
    else:
        assert is_clean(found), found


def counted() -> dict[str, tuple[int, int, int]]:
    """For each kind: how many there are, how many are refused without and with a cause."""
    kinds: dict[str, list[bool | None]] = {"chat templates": [], "tokenizers": [], "other settings": []}
    for path in TEMPLATES:
        kinds["chat templates"].append(bool(template_problems(path.read_text("utf-8"))))
    for entry in ENTRIES:
        refused = not is_clean(look(str(entry["file"]), content(entry)))
        kind = "tokenizers" if is_tokenizer(entry) else "other settings"
        kinds[kind].append(None if refused and OWN_CODE in str(entry["like"]) else refused)
    return {kind: (len(seen), seen.count(True), seen.count(None)) for kind, seen in kinds.items()}


def test_the_page_has_the_numbers() -> None:
    page = (ROOT / "docs" / "explanation" / "false-refusals.md").read_text("utf-8")
    rows = re.findall(r"^\| ([a-z ]+) \| ([0-9]+) \| ([0-9]+) \| ([0-9]+) \|$", page, re.MULTILINE)
    assert {kind: (int(all_), int(wrong), int(right)) for kind, all_, wrong, right in rows} == counted()
