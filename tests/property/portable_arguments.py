"""Arguments for builtin functions that are likely to tell two implementations apart."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

from tests.property import rego_library as library

CAPABILITIES = "gate/_data/workshop/capabilities.portable.json"
PER_FUNCTION = 160
PATTERNS = ("a+", "^[a-c]*$", "(a|b)c", "", "[^a]", "é|😀", "^.$", "a{2,3}?", r"\.", "[0-9]{2}", "(?:ab)+c")
FORMATS = ("%s", "%d", "%s and %d", "100%%", "é%s", "%d%d")

TEXTS = [
    *("", "a", "abc", "aaaa", "a.b", "A", "Hello", "a,b,,c", ",", " a ", "\t\n a\u00a0\u2003", "\u0000", "[1,2]"),
    *("é", "ÀÉ", "ß", "İ", "Σ", "ǅ", "ﬁ", "😀", "a😀b", "e\u0301", "true", "null", "%", "%zz", "a+b", "~*"),
    *("0", "1", "-1", " 1", "+1", "0x1f", "1_000", "01", "--1", "inf", "nan", "12a", "1 2", "9007199254740992"),
    *("6869", "686", "ABcd", "zz", "c3a9", "ff", "abcabc", "cba", "aa", "b", "bc", "ab12", "2026-01-02"),
]
NUMBERS = [0, 1, -1, 2, 3, 10, 16, 36, 37, -5, 64, 100, 255, 1000]
LARGE = [2**31, 2**53, -(2**53)]
FRACTIONS = [1.5, -1.5, 2.5, 0.25]
ARRAYS: list[Any] = [
    *([], [1], [1, 2, 3], ["a"], ["a", "b"], ["é", "😀"], [3, 1, 2], [1, 1], [2, -3], ["b", "a", "c"]),
    *([None, True, 1, "a", [1], {"a": 1}], [[1], [2, 3]], [1, "a"], [{}], [{"a": 1}, {"a": {"b": 2}}, {"c": 3}]),
    *([{"op": "add", "path": "/a", "value": 1}], [{"op": "remove", "path": "/zz"}], [{"op": "test", "path": "/a"}]),
]
OBJECTS: list[Any] = [
    *({}, {"a": 1}, {"a": 1, "b": 2}, {"a": {"b": {"c": 1}}}, {"é": 1}, {"a": ["b"], "b": ["a"], "c": []}),
    *({"a": {"x": 1}, "b": 1}, {"a": [1, 2, 3]}, {"1": 2}),
]
ANY = [None, True, False, 0, 1, "", "a", "é", "1", *ARRAYS[:10], *OBJECTS[:5]]
WRONG = [None, True, 1, "a", [1], {"a": 1}]


class Members(list[Any]):
    """What becomes a set in Rego."""


SETS = [Members(items) for items in ([], [1], ["a"], ["a", "b"], [1, 2, 3], [None, True, 1, "a"], ["é", "😀"])]
SETS_OF_SETS = [Members([Members([1]), Members([1, 2])]), Members(), Members([Members(["a"])])]


def declarations() -> dict[str, list[dict[str, Any]]]:
    """What the list for `opa check` says of the arguments of each function."""
    listed = json.loads((library.ROOT / CAPABILITIES).read_text("utf-8"))["builtins"]
    return {builtin["name"]: builtin["decl"]["args"] for builtin in listed}


def _of(kind: dict[str, Any]) -> list[Any]:
    match kind["type"]:
        case "any":
            return [value for one in kind["of"] for value in _of(one)] if "of" in kind else [*ANY, *SETS]
        case "set":
            return [*SETS_OF_SETS, *SETS] if kind.get("of", {}).get("type") == "set" else SETS
        case "boolean":
            return [True, False]
        case "null":
            return [None]
        case name:
            pools: dict[str, list[Any]] = {"string": TEXTS, "number": NUMBERS, "array": ARRAYS, "object": OBJECTS}
            return pools[name]


def arguments(name: str, kinds: list[dict[str, Any]]) -> Iterator[list[Any]]:
    """Some good and some bad arguments for one function, the same every time."""
    choose = random.Random(name)
    pools = [_of(kind) for kind in kinds]
    if len(pools) == 1 and kinds[0]["type"] in {"number", "any"} and not name.startswith("numbers."):
        pools[0] = [*pools[0], *LARGE, *FRACTIONS]
    total = 1
    for pool in pools:
        total *= len(pool)
    everything = itertools.product(*pools)
    sample = ([choose.choice(pool) for pool in pools] for _ in range(PER_FUNCTION))
    yield from (list(one) for one in (everything if total <= PER_FUNCTION else sample))
    for place in range(len(pools)):
        for wrong in WRONG:
            some = [choose.choice(pool) for pool in pools]
            some[place] = wrong
            yield some


def expression(value: object, place: str) -> str:
    """Rego that makes a value from what is in the input."""
    if not isinstance(value, Members):
        return place
    if any(isinstance(member, Members) for member in value):
        return "{" + ", ".join(expression(member, f"{place}[{n}]") for n, member in enumerate(value)) + "}"
    return f"{{x | some x in {place}}}"
