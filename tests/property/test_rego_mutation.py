"""A weakened control is noticed by its own tests: no mutant survives but the written, equivalent ones.

A mutant changes one place of a control's or library file: a comparison is turned round, a condition or a rule is
dropped, `every` becomes `some`, a set is emptied or loses an element, a number moves by one, a constant is another.
The tests of that file run in the embedded engine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from gate._regorus import PolicyError, PolicySet
from tests.property import rego_library as library

SOURCES = library.modules("rego")
TESTS = library.modules("rego_tests")
FILES = sorted(SOURCES)
EQUIVALENT = {
    (entry["file"], entry["mutant"]): entry["reason"]
    for entry in json.loads((library.HERE / "equivalent_mutants.json").read_text("utf-8"))
}

SWAPS = [
    (" == ", " != "),
    (" != ", " == "),
    (" > ", " >= "),
    (" > ", " < "),
    (" >= ", " > "),
    (" >= ", " < "),
    (" <= ", " < "),
    (" <= ", " > "),
    (" < ", " <= "),
    ("not ", ""),
    (" & ", " | "),
    (" | ", " & "),
    ("count(", "1 + count("),
    ("== true", "== false"),
    (": false", ": true"),
    ("is_string(", "is_null("),
    ("is_null(", "is_string("),
]
NUMBER = re.compile(r"(?<![\w.{^,\[-])(\d+)(?![\w},])")
ELEMENT = re.compile(r'"[a-z-]+", |, "[a-z-]+"(?=[\]}])')
CONDITION = re.compile(r"^\t+(?!some |every |message :=|entry :=|[}\])])(?!.*[{(\[]$)(?!.*,$).+$")
EVERY = re.compile(r"every (.+) in (.+) \{\n((?:\t+.+\n)+?)\t+\}")


def body_of(source: str) -> int:
    """Where the rules begin."""
    return source.index("\npackage ")


def changed_lines(text: str) -> Iterator[tuple[str, str]]:
    """Ways to change one line: a description and the new line, empty if it is dropped."""
    code = text.strip()

    def replaced(found: re.Match[str], new: str, what: str) -> tuple[str, str]:
        return f"{code}: {what}", text[: found.start()] + new + text[found.end() :] + "\n"

    for old, new in SWAPS:
        for found in re.finditer(re.escape(old), text):
            if text[: found.start()].count('"') % 2 == 0:
                yield replaced(found, new, f"{old.strip()} -> {new.strip()}")
    if CONDITION.match(text):
        yield f"{code}: dropped", ""
    if " if " in text and not text.endswith("{"):
        yield f"{code}: if dropped", text[: text.index(" if ")] + "\n"
    for found in re.finditer(r"; [^;}]+", text):
        if " := " not in found.group() and "some " not in found.group():
            yield replaced(found, "", f"{found.group()} dropped")
    for found in NUMBER.finditer(text):
        moved = str(int(found.group(1)) + 1)
        yield replaced(found, moved, f"{found.group(1)} -> {moved}")
    for found in ELEMENT.finditer(text):
        yield replaced(found, "", f"{found.group()} dropped")


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Pairs of a description and the changed text."""
    offset = start = body_of(source)
    for line in source[start:].splitlines(keepends=True):
        if line.strip() and not line.startswith(("#", "import", "package")) and not line.strip().startswith("#"):
            for name, new in changed_lines(line.rstrip("\n")):
                yield name, source[:offset] + new + source[offset + len(line) :]
        offset += len(line)
    for found in EVERY.finditer(source, start):
        first, inner = found.group().splitlines()[0].strip(), found.group(3)
        some = f"some {found.group(1)} in {found.group(2)}\n{inner}"
        yield f"{first}: some", source[: found.start()] + some + source[found.end() :]
        yield f"{first}: dropped", source[: found.start()] + "true" + source[found.end() :]
    for block in re.finditer(r"(?<=\n\n)(?!package|import|#|default)(?:.+\n)+", source[start:]):
        first = block.group().splitlines()[0]
        before, after = source[: start + block.start()], source[start + block.end() :]
        if not first.startswith("status :="):
            yield f"{first}: rule dropped", before + after
        named = re.match(r"([a-z_]+) := (?=\{|\()", first)
        if named:
            yield f"{first}: emptied", before + f"{named.group(1)} := set()\n" + after


def own_tests(file: str) -> list[str]:
    """The test file that must notice a mutant of a file."""
    own = file.replace("rego/", "rego_tests/", 1).replace(".rego", "_test.rego")
    return [own] if own in TESTS else []


def survives(file: str, source: str) -> bool:
    helpers = {name: text for name, text in TESTS.items() if "fixtures" in name}
    shared = {name: text for name, text in SOURCES.items() if "/lib/" in name or name == file}
    shared |= SOURCES if "/main/" in file else {}
    tests = {name: TESTS[name] for name in own_tests(file)}
    try:
        policies = PolicySet.compile({**shared, **helpers, **tests, file: source}, "{}", [])
    except PolicyError:
        return False
    for name in policies.test_rules():
        try:
            if policies.evaluate(name, "{}", time_limit_s=library.TIME_LIMIT_S).json != "true":
                return False
        except PolicyError:
            return False
    return True


def test_there_are_tests_for_every_file() -> None:
    assert [file for file in FILES if not own_tests(file)] == []
    assert all(len(reason) > 20 for reason in EQUIVALENT.values())
    assert {file for file, _ in EQUIVALENT} <= set(FILES)


@pytest.mark.parametrize("file", FILES)
def test_no_weaker_file_survives(file: str) -> None:
    source = SOURCES[file]
    assert survives(file, source), "the file itself passes its tests"
    found = {text: name for name, text in reversed(list(mutants(source))) if text != source}
    surviving = sorted({name for text, name in found.items() if survives(file, text)})
    expected = sorted(name for other, name in EQUIVALENT if other == file)
    assert len(found) >= 3
    assert surviving == expected
