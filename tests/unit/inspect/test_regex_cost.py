"""SECURITY 20: what an expression could cost is told by its shape, and it never reaches an engine."""

from __future__ import annotations

import time

import pytest

from gate.inspect.regex_cost import regex_problem

# Shapes that tokenizers of public models use; the expressions themselves are facts about them.
ORDINARY = [
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"[^\r\n\p{L}]?[\p{Lu}\p{M}]*[\p{Ll}\p{M}]+(?i:'s|'t)?|[^\r\n\p{L}]?[\p{Lu}]+[\p{Ll}]*(?i:'s|'t)?",
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+| ?[\p{P}\p{S}]+[\r\n]*",
    r" ?[^(\s|[.,!?])]+",
    r"[\p{Lu}&&[^\p{Han}]]*[]a]+[^]b]+",
    r"(?<=\d)(?=(?:\d{3})+\b)",
    r"\x{2581}+ {2,} {,3}a{2,3}?b*+c+?",
    r"(?i)(?<name>a)(?P<other>b)(?>c)(?<!d)(?<=e)",
    "a{b}c{1,x}d{}e{,}",
    "",
]
COSTLY = [
    ("(a+)+$", "matches in several ways"),
    ("(a|a)*", "matches in several ways"),
    ("(a|ab){2,}", "matches in several ways"),
    ("(a?){50}a{50}", "matches in several ways"),
    ("([a-z]+)*", "matches in several ways"),
    ("((a{1,5}))+", "matches in several ways"),
    ("(?:(?:x*)y)*z", "matches in several ways"),
    ("a*a*a*a*a*b", "one after the other"),
    ("(a*a*a*|b)c*d*e*", "one after the other"),
    (r"(a)\1", "refers back"),
    (r"(?<n>a)\k<n>", "refers back"),
    (r"\g<0>", "refers back"),
    ("(?R)", "not known"),
    ("(?(1)a)", "not known"),
    ("(?{code})", "not known"),
    ("a**", "repeated already"),
    ("a{2}{3}", "repeated already"),
    ("*a", "repeated already"),
    ("a{10001}", "more than 10000"),
    ("((a{50}){50}){50}", "more than 10000"),
    ("(", "does not close its groups"),
    ("a)", "did not open"),
    ("[a", "does not close a class"),
    ("[[a]", "does not close a class"),
    ("(" * 60 + ")" * 60, "deeper"),
    ("x" * 9000, "longer"),
]


@pytest.mark.parametrize("pattern", ORDINARY)
def test_s20_ordinary_expressions_are_cheap(pattern: str) -> None:
    assert regex_problem(pattern) is None


@pytest.mark.parametrize(("pattern", "problem"), COSTLY)
def test_s20_costly_expressions_are_told(pattern: str, problem: str) -> None:
    assert problem in (regex_problem(pattern) or "")


def test_s20_telling_is_cheap_itself() -> None:
    start = time.process_time()
    for pattern in ("(" * 8000, "[" * 8000, "a{1," * 2000, "\\" * 8001, "(?" * 4000, "a|" * 4000):
        regex_problem(pattern)
    assert time.process_time() - start < 2
