"""The subset of YAML that configuration is written in, under both parsers of PyYAML."""

from __future__ import annotations

import json
import time

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gate.formats import strict_yaml
from gate.formats.strict_yaml import MAX_BYTES, MAX_DEPTH, YamlError, loads

# Far above the 0.2 s that is promised, since a tracer and a busy machine may slow it down; below anything quadratic.
TOO_SLOW_S = 1.0
# PyYAML without its parser in C is slow, and only there where somebody built it so.
SLOWER = {"CSafeLoader": 1, "SafeLoader": 10}


@pytest.fixture(params=["CSafeLoader", "SafeLoader"], autouse=True)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whichever parser an installation has, the answers are the same."""
    monkeypatch.setattr(strict_yaml, "_LOADER", getattr(yaml, request.param))
    return str(request.param)


def refused(text: str | bytes) -> YamlError:
    data = text if isinstance(text, bytes) else text.encode("utf-8")
    with pytest.raises(YamlError) as caught:
        loads(data)
    assert len(str(caught.value)) < 400
    return caught.value


def place_of(text: str | bytes) -> tuple[int, int]:
    error = refused(text)
    return error.line, error.column


# What other readers of YAML make of it, and what it is here. `...` stands for a refusal.
TYPING = {
    "yes": "yes",
    "no": "no",
    "on": "on",
    "off": "off",
    "Yes": "Yes",
    "NO": "NO",
    "y": "y",
    "n": "n",
    "Y": "Y",
    "12:30:45": "12:30:45",
    "1:20": "1:20",
    "190:20:30.15": "190:20:30.15",
    "2026-11-20": "2026-11-20",
    "2026-11-20T12:00:00Z": "2026-11-20T12:00:00Z",
    "1_000": "1_000",
    "0b101": "0b101",
    "0o8": "0o8",
    "0xg": "0xg",
    "-0x1F": "-0x1F",
    "=": "=",
    "<": "<",
    "tRUE": "tRUE",
    "nULL": "nULL",
    "Nan": "Nan",
    "inf": "inf",
    "nan": "nan",
    "1.2.3": "1.2.3",
    "v1": "v1",
    "1e": "1e",
    "- 1": (1,),
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "FALSE": False,
    "0": 0,
    "-0": 0,
    "7": 7,
    "+7": 7,
    "-7": -7,
    "999999999999999": 10**15 - 1,
    "-999999999999999": 1 - 10**15,
    "'1'": "1",
    '"1"': "1",
    "'true'": "true",
    "'null'": "null",
    "''": "",
    '"010"': "010",
    "'1e3'": "1e3",
    "'.inf'": ".inf",
    "|\n  1": "1\n",
    ">\n  true": "true\n",
    '"\\u00e9\\x41"': "\u00e9A",
    "'it''s'": "it's",
    "010": ...,
    "00": ...,
    "-01": ...,
    "08": ...,
    "0777": ...,
    "0o17": ...,
    "0x1f": ...,
    "0xFF": ...,
    "1e3": ...,
    "1E-3": ...,
    "1.5": ...,
    "1.": ...,
    ".5": ...,
    "-.5": ...,
    "+1.5e3": ...,
    ".inf": ...,
    "-.inf": ...,
    "+.Inf": ...,
    ".INF": ...,
    ".nan": ...,
    ".NaN": ...,
    "1000000000000000": ...,
    "9223372036854775808": ...,
    "1" * 5000: ...,
    "-" + "9" * 30: ...,
}


class TestS18Scalars:
    @pytest.mark.parametrize(("text", "value"), TYPING.items(), ids=[ascii(text[:24]) for text in TYPING])
    def test_s18_a_scalar_is_what_the_core_schema_says_or_refused(self, text: str, value: object) -> None:
        document = f"a: {text}\n" if not text.startswith("- ") else f"a:\n{text}\n"
        if value is ...:
            error = refused(document)
            assert "is no number the gate reads" in str(error)
            assert (error.line, error.column) == (1, 4)
            return
        found = loads(document.encode()).json()
        expected = list(value) if isinstance(value, tuple) else value
        assert found == {"a": expected}
        assert isinstance(found, dict)
        assert type(found["a"]) is type(expected)

    @pytest.mark.parametrize("text", ["a:", "a: ~", "a: null", "a: Null", "a: NULL", "{a: }", "{a}"])
    def test_s18_nothing_is_null(self, text: str) -> None:
        assert loads(text.encode()).json() == {"a": None}

    @pytest.mark.parametrize("key", ["1", "-1", "true", "False", "null", "~", "", "[a]", "{a: 1}"])
    def test_s18_a_key_that_is_no_text_is_refused(self, key: str) -> None:
        assert "a key must be text" in str(refused(f"? {key}\n: 1\n"))

    @pytest.mark.parametrize("key", ["'1'", '"true"', "yes", "12:30", "a b", "'null'", "1a"])
    def test_s18_a_key_that_is_text_is_read_as_written(self, key: str) -> None:
        assert loads(f"{key}: 1".encode()).json() == {key.strip("'\""): 1}


FORBIDDEN = {
    "anchor-scalar": ("a: &x 1", "anchors", (1, 4)),
    "anchor-mapping": ("a: &x {b: 1}", "anchors", (1, 4)),
    "anchor-list": ("a: &x [1]", "anchors", (1, 4)),
    "anchor-key": ("&x a: 1", "anchors", (1, 1)),
    "anchor-unused": ("a: 1\nb: &unused\n  c: 1", "anchors", (2, 4)),
    "alias-unknown": ("a: *x", "anchors", (1, 4)),
    "alias-key": ("*x : 1", "anchors", (1, 1)),
    "tag-str": ("a: !!str 1", "tags", (1, 4)),
    "tag-int": ("a: !!int '1'", "tags", (1, 4)),
    "tag-python": ("a: !!python/object/apply:os.system ['id']", "tags", (1, 4)),
    "tag-python-name": ("a: !!python/name:os.system", "tags", (1, 4)),
    "tag-custom": ("a: !x y", "tags", (1, 4)),
    "tag-bare": ("a: ! 1", "tags", (1, 4)),
    "tag-verbatim": ("a: !<tag:yaml.org,2002:str> 1", "tags", (1, 4)),
    "tag-root": ("!!map {a: 1}", "tags", (1, 1)),
    "tag-key": ("!!str a: 1", "tags", (1, 1)),
    "tag-list": ("- !!set {a}", "tags", (1, 3)),
    "tag-binary": ("a: !!binary aGk=", "tags", (1, 4)),
    "merge": ("b: 1\n<<: {c: 1}", "merge", (2, 1)),
    "merge-list": ("<<: [{c: 1}]", "merge", (1, 1)),
    "merge-quoted": ("'<<': {c: 1}", "merge", (1, 1)),
    "merge-nested": ("a:\n  <<: {c: 1}", "merge", (2, 3)),
    "duplicate": ("a: 1\nb: 2\na: 1", "duplicate key 'a'", (3, 1)),
    "duplicate-quoted": ("a: 1\n'a': 2", "duplicate key 'a'", (2, 1)),
    "duplicate-escaped": ('a: 1\n"\\x61": 2', "duplicate key 'a'", (2, 1)),
    "duplicate-nested": ("x:\n- {a: 1, a: 2}", "duplicate key 'a'", (2, 10)),
    "duplicate-explicit": ("a: 1\n? a\n: 2", "duplicate key 'a'", (2, 3)),
    "duplicate-long": (f"{'k' * 900}: 1\n{'k' * 900}: 2", "duplicate key", (2, 1)),
    "documents": ("a: 1\n---\nb: 1", "more than one document", (2, 1)),
    "documents-empty": ("a: 1\n---\n", "more than one document", (2, 1)),
    "documents-null-first": ("---\n~\n---\na: 1", "more than one document", (3, 1)),
    "directive-yaml": ("%YAML 1.1\n---\na: 1", "directives", (1, 1)),
    "directive-tag": ("# c\n\n%TAG !e! tag:example,2026:\n---\na: 1", "directives", (3, 1)),
    "line-separator": ("# comment\u2028on_empty_diff: allow", "line break", (1, 10)),
    "paragraph-separator": ("a: 1\n# x\u2029b: 2", "line break", (2, 4)),
    "next-line": ("a: 1 # x\x85b: 2", "line break", (1, 9)),
    "lone-return": ("a: 1\n# x\rb: 2", "line break", (2, 4)),
    "bom": ("\ufeffa: 1", "byte order mark", (1, 1)),
    "nul": ("a: 1\nb: \x00", "not YAML", (2, 4)),
    "escape": ("a: \x1b[31m", "not YAML", (1, 4)),
    "bell-in-comment": ("a: 1\n\n# \x07", "not YAML", (3, 3)),
    "tab-indent": ("a:\n\tb: 1", "not YAML", (2, 1)),
    "unclosed-list": ("a: [1, 2\n", "not YAML", (2, 1)),
    "unclosed-mapping": ("a: {b: 1\n", "not YAML", (2, 1)),
    "unclosed-quote": ("a: 'x", "not YAML", (1, 6)),
    "two-values": ("a: b: c", "not YAML", (1, 5)),
    "at-sign": ("a: @x", "not YAML", (1, 4)),
    "backtick": ("a: `x`", "not YAML", (1, 4)),
    "bad-dedent": ("a:\n    b: 1\n  c: 2", "not YAML", (3, 3)),
    "empty": ("", "empty", (1, 1)),
    "comment-only": ("# nothing\n", "empty", (1, 1)),
    "null": ("~", "empty", (1, 1)),
    "marker-only": ("---\n...\n", "empty", (1, 1)),
}


class TestS18Structure:
    @pytest.mark.parametrize(("text", "message", "place"), FORBIDDEN.values(), ids=FORBIDDEN)
    def test_s18_what_can_be_misread_is_refused_at_its_place(
        self, text: str, message: str, place: tuple[int, int]
    ) -> None:
        error = refused(text)
        assert message in str(error)
        assert (error.line, error.column) == place

    @pytest.mark.parametrize(
        ("data", "line"),
        [
            (b"a: \xff", 1),
            (b"a: 1\nb: \xc0\xaf", 2),
            ("a: 1".encode("utf-16"), 1),
            (b"a: \xed\xa0\x80", 1),
            (b"\n\n\xe9", 3),
        ],
    )
    def test_s18_bytes_that_are_not_utf_8_are_refused(self, data: bytes, line: int) -> None:
        error = refused(data)
        assert str(error).startswith("not UTF-8")
        assert error.line == line

    @pytest.mark.parametrize("escape", ["\\ud800", "\\uDFFF", "\\U0000d912"])
    def test_s18_an_escaped_lone_surrogate_is_refused(self, escape: str) -> None:
        refused(f'a: "{escape}"')
        refused(f'"{escape}": 1')

    @pytest.mark.parametrize(
        ("depth", "fits"),
        [(1, True), (19, True), (20, True), (21, False), (22, False), (5000, False), (50_000, False)],
    )
    @pytest.mark.parametrize("kind", ["flow list", "flow mapping", "block list"])
    def test_s18_nesting_is_limited(self, depth: int, fits: bool, kind: str, loader: str) -> None:
        text = {
            "flow list": "[" * depth + "1" + "]" * depth,
            "flow mapping": "{a: " * depth + "1" + "}" * depth,
            "block list": "- " * depth + "1",
        }[kind]
        begin = time.process_time()
        if fits:
            assert loads(text.encode()).json()
        else:
            assert f"more than {MAX_DEPTH} levels" in str(refused(text))
        assert time.process_time() - begin < TOO_SLOW_S * SLOWER[loader]

    def test_s18_the_byte_limit_is_exact(self) -> None:
        assert MAX_BYTES == 256 << 10
        assert loads(b"a: 1\n#" + b"x" * (MAX_BYTES - 6)).json() == {"a": 1}
        assert "more than the 262144 allowed" in str(refused(b"a: 1\n#" + b"x" * (MAX_BYTES - 5)))

    @pytest.mark.parametrize(
        "text",
        [
            "a: &a [x,x]\n"
            + "".join(f"{n}: &{n} [{'*' + p + ','}{'*' + p}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)),
            "a: &a {x: 1}\n" + "b: &b {<<: [*a, *a]}\n" * 20,
            "&a [" + "*a," * 80_000 + "]",
            "? " * 100_000,
            "&" + "a" * 200_000,
            "!" * 200_000,
            "%TAG !a! b\n" * 20_000,
            "".join(f"%TAG !a{n}! b\n" for n in range(15_000)) + "---\na: 1",
            "{" + "a: " * 80_000,
            "[" * 250_000,
            "- " * 120_000,
            '"' + "\\x41" * 60_000,
            "\u2028" * 80_000,
        ],
        ids=range(13),
    )
    def test_s18_bombs_are_refused_in_time(self, text: str, loader: str) -> None:
        begin = time.process_time()
        refused(text)
        assert time.process_time() - begin < TOO_SLOW_S * SLOWER[loader]

    def test_windows_line_ends_are_read(self) -> None:
        assert loads(b"a: 1\r\nb: [x,\r\n  y]\r\n").json() == {"a": 1, "b": ["x", "y"]}

    def test_one_document_may_have_its_marks(self) -> None:
        assert loads(b"--- # first\na: 1\n...\n").json() == {"a": 1}

    def test_s18_every_node_knows_its_place(self) -> None:
        root = loads(b"a: 1\nb:\n  - x\n  - {c: 'y'}\n")
        members = root.members()
        inner = members["b"].items()[1]
        assert (members["a"].line, members["a"].column) == (1, 4)
        assert (inner.line, inner.column) == (4, 5)
        assert inner.keys == {"c": (4, 6)}
        assert (inner.members()["c"].line, inner.members()["c"].column) == (4, 9)


scalars = st.none() | st.booleans() | st.integers(-(10**15) + 1, 10**15 - 1) | st.text()
documents: st.SearchStrategy[object] = st.dictionaries(
    # YAML reads no key of more than 1024 characters in flow style, and `flow` writes ten for each.
    st.text(max_size=100).filter(lambda key: key != "<<"),
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=1), inner, max_size=4),
        max_leaves=12,
    ),
    min_size=1,
    max_size=4,
)


def flow(value: object) -> str:
    """A value in flow style, every character of its texts escaped."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(character):08x}" for character in value) + '"'
    return json.dumps(value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(documents)
def test_whatever_is_written_with_quotes_is_read_back(value: object) -> None:
    assert loads(flow(value).encode()).json() == value


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.binary(max_size=80)
    | st.text(alphabet="ab:-[]{}#&*!|>'\"%@`?, \n\t01.e~<\x85\u2028", max_size=60).map(str.encode)
)
def test_s18_any_bytes_give_a_value_or_a_refusal_with_a_place(data: bytes) -> None:
    problem = None
    try:
        loads(data).json()
    except YamlError as error:
        problem = error
    if problem is not None:
        assert 1 <= problem.line <= data.count(b"\n") + 2
        assert problem.column >= 1
