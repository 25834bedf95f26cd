"""The one JSON reader: what it refuses, how fast, and that it reads everything else as it is."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.formats.strict_json import MAX_BYTES, MAX_DEPTH, StrictJsonError, loads, loads_object

# Far above the 0.2 s that is promised, since a tracer and a busy machine may slow it down; below anything quadratic.
TOO_SLOW_S = 1.5
MIN_INT64, MAX_INT64 = -(2**63), 2**63 - 1

ENCODINGS = {
    "empty": b"",
    "only-space": b" \t\r\n",
    "utf-8-bom": b'\xef\xbb\xbf{"a":1}',
    "two-boms": b"\xef\xbb\xbf\xef\xbb\xbf{}",
    "bom-after-space": b" \xef\xbb\xbf{}",
    "bom-at-end": b"{}\xef\xbb\xbf",
    "bom-alone": b"\xef\xbb\xbf",
    **{
        f"{name}-{mark}": (lead + '{"a":1}').encode(name)
        for name in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
        for mark, lead in (("bom", "\ufeff"), ("no-bom", ""))
    },
    "utf-7-bom": b"+/v8-{}",
    "latin-1": b'{"a":"\xe9"}',
    "windows-1252": b'"\x93quoted\x94"',
    "overlong-slash": b'"\xc0\xaf"',
    "overlong-nul": b'"\xc0\x80"',
    "overlong-quote": b'\xc0\xa2a"',
    "overlong-three-bytes": b'"\xe0\x80\xaf"',
    "overlong-four-bytes": b'"\xf0\x80\x80\xaf"',
    "five-byte-form": b'"\xf8\x88\x80\x80\x80"',
    "six-byte-form": b'"\xfc\x84\x80\x80\x80\x80"',
    "above-unicode": b'"\xf4\x90\x80\x80"',
    "cesu-8-pair": b'"\xed\xa0\xbd\xed\xb8\x80"',
    "encoded-high-surrogate": b'"\xed\xa0\x80"',
    "encoded-low-surrogate": b'"\xed\xbf\xbf"',
    "lone-continuation": b'"\x80"',
    "truncated-two": b'"\xc3"',
    "truncated-three": b'"\xe2\x82"',
    "truncated-four": b'"\xf0\x9f\x98"',
    "ff": b"\xff",
    "fe-in-key": b'{"\xfe":1}',
    "bytes-after-value": b"{}\xff",
}

DUPLICATES = {
    "top": '{"a":1,"a":2}',
    "equal-values": '{"a":1,"a":1}',
    "null-first": '{"a":null,"a":1}',
    "nested": '{"x":{"a":1,"a":2}}',
    "in-list": '[{"a":1,"a":2}]',
    "level-10": '{"a":' * 10 + '{"k":1,"k":2}' + "}" * 10,
    "level-60": "[" * 60 + '{"k":1,"k":2}' + "]" * 60,
    "apart": '{"a":1,"b":2,"c":3,"a":4}',
    "three-times": '{"a":1,"a":2,"a":3}',
    "empty-key": '{"":1,"":2}',
    "escaped-letter": r'{"a":1,"\u0061":2}',
    "escaped-both": r'{"\u0061":1,"\u0061":2}',
    "escaped-case-of-hex": r'{"\u00e9":1,"\u00E9":2}',
    "escaped-raw": '{"\u00e9":1,"\\u00e9":2}',
    "escaped-slash": r'{"a/b":1,"a\/b":2}',
    "escaped-pair": '{"\U0001f600":1,"\\ud83d\\ude00":2}',
    "escaped-nul": r'{"\u0000":1,"\u0000":2}',
    "escaped-quote": r'{"\"":1,"\u0022":2}',
    "escaped-tab": r'{"\t":1,"\u0009":2}',
    "payload": '{"payload":"QQ==","payloadType":"t","payload":"Qg==","signatures":[]}',
    "signatures": '{"signatures":[],"signatures":[{"sig":"QQ=="}]}',
    "long-key": '{"' + "k" * 5000 + '":1,"' + "k" * 5000 + '":2}',
    "surrogate-key": r'{"\ud800":1,"\ud800":2}',
}

NUMBERS = [
    "NaN", "Infinity", "-Infinity", "-NaN", "+Infinity", "nan", "inf", "-inf", "[NaN]", '{"a":Infinity}',
    "1e999", "-1e999", "1e309", "[1E400]", "1" * 400 + ".0", "1e99999999999999999999",
    str(MAX_INT64 + 1), str(MIN_INT64 - 1), "1" * 20, "-" + "1" * 20, "9" * 5000, "-" + "9" * 5000,
    str(2**64), str(2**64 - 1), "[18446744073709551616]", "1" + "0" * 100,
    "01", "-01", "00", "-00", "007", "[00]", "0123", "-0123.5", "00.5",
    "+1", "++1", "--1", "- 1", "-", "+", ".5", "-.5", "1.", "-1.", "1.e5", "1e", "1e+", "1E-", "1e1.5", "1.5.5", "1ee1",
    "0x10", "0b1", "0o7", "1_000", "1,000", "1 000", "1f", "1L", "1n",
    "\u0661", "\uff11", "1\u0661", "\u00b2", "1e\u0661", "-\u0661",
    "\u22121", "\u221e",
]  # fmt: skip

SURROGATES = {
    "high": r'"\ud800"',
    "low": r'"\udc00"',
    "highest": r'"\udbff"',
    "last": r'"\udfff"',
    "reversed": r'"\ude00\ud83d"',
    "high-high": r'"\ud83d\ud83d"',
    "high-then-letter": r'"\ud83da"',
    "high-then-escape": r'"\ud83d\n"',
    "high-then-bmp": r'"\ud83d\u0041"',
    "pair-then-high": r'"\ud83d\ude00\ud83d"',
    "in-key": r'{"\ud800":1}',
    "in-nested-key": r'{"a":[{"b":{"\udfff":1}}]}',
    "in-list": r'[1,2,"\udead"]',
    "in-nested-value": r'{"a":{"b":["x","\ud8ff"]}}',
    "upper-case-hex": r'"\uD800"',
}

JUNK = [
    "{} {}",
    "{}x",
    "[]]",
    "{}}",
    "1 2",
    "null null",
    '""""',
    "{},",
    "{}\x00",
    "[]\ufeff",
    "{}//",
    "{}#",
    "[1,]",
    "[,1]",
    "[,]",
    "[1,,2]",
    '{"a":1,}',
    "{,}",
    '{,"a":1}',
    '{"a":1,,"b":2}',
    "[1 2]",
    '["a" "b"]',
    '{"a" 1}',
    '{"a"::1}',
    '{"a":}',
    '{"a"}',
    "{:1}",
    "{a:1}",
    "{'a':1}",
    "{1:1}",
    "{null:1}",
    "{true:1}",
    "{[]:1}",
    '{"a":1 "b":2}',
    "'a'",
    "a",
    "nul",
    "nulll",
    "True",
    "False",
    "None",
    "TRUE",
    "undefined",
    "tru",
    "[",
    "]",
    "{",
    "}",
    "[}",
    "{]",
    '{"a":1]',
    "[1}",
    "[[]",
    '{"a":{}',
    "[1",
    "[1,",
    '{"a"',
    '{"a":',
    "/**/1",
    "1/**/",
    "//\n1",
    "# c\n1",
    "<json/>",
    "\x0b1",
    "\x0c1",
    "\u00a01",
    "\u20281",
    "\u30001",
    "\x001",
]  # fmt: skip
SYNTAX = {
    **{f"junk-{number}": text for number, text in enumerate(JUNK)},
    "unterminated": '"abc',
    "unterminated-escape": '"abc\\',
    "unterminated-escaped-quote": '"abc\\"',
    "unterminated-key": '{"abc',
    "unterminated-u": '"\\u12',
    "lone-quote": '"',
    "bad-escape": r'"\x41"',
    "bad-escape-quote": r'"\'"',
    "bad-escape-upper-u": r'"\U0001f600"',
    "bad-escape-zero": r'"\0"',
    "bad-escape-space": r'"\ "',
    "short-hex": r'"\u12"',
    "no-hex": r'"\uZZZZ"',
    "hex-with-sign": r'"\u+123"',
    "hex-with-space": r'"\u 123"',
    "hex-with-prefix": r'"\u0x12"',
    "hex-with-underscore": r'"\u1_23"',
    "unicode-hex": '"\\u\uff11\uff12\uff13\uff14"',
    "bad-second-hex": r'"\ud83d\uZZZZ"',
}
CONTROLS = [chr(code) for code in range(0x20)]


def refused(data: bytes, *, limit: int = MAX_BYTES) -> str:
    """The reason, given in time and without another exception."""
    begin = time.process_time()
    with pytest.raises(StrictJsonError) as caught:
        loads(data, limit=limit)
    assert time.process_time() - begin < TOO_SLOW_S
    assert len(str(caught.value)) < 200
    return str(caught.value)


class TestS17StrictJson:
    @pytest.mark.parametrize("data", ENCODINGS.values(), ids=ENCODINGS)
    def test_s17_bytes_that_are_not_plain_utf_8_are_refused(self, data: bytes) -> None:
        refused(data)

    @pytest.mark.parametrize("text", DUPLICATES.values(), ids=DUPLICATES)
    def test_s17_duplicate_keys_are_refused_however_they_are_spelt(self, text: str) -> None:
        assert "duplicate key" in refused(text.encode())

    @pytest.mark.parametrize("text", NUMBERS)
    def test_s17_numbers_that_parsers_read_differently_are_refused(self, text: str) -> None:
        refused(text.encode())

    @pytest.mark.parametrize("text", SURROGATES.values(), ids=SURROGATES)
    def test_s17_lone_surrogates_are_refused_in_keys_and_values(self, text: str) -> None:
        assert "surrogate" in refused(text.encode())

    @pytest.mark.parametrize("text", SYNTAX.values(), ids=SYNTAX)
    def test_s17_what_is_no_json_is_refused(self, text: str) -> None:
        refused(text.encode("utf-8", "surrogatepass"))

    @pytest.mark.parametrize("character", CONTROLS, ids=[f"{ord(c):02x}" for c in CONTROLS])
    def test_s17_raw_control_characters_in_strings_are_refused(self, character: str) -> None:
        refused(f'"a{character}b"'.encode())
        refused(f'{{"a{character}b":1}}'.encode())

    @pytest.mark.parametrize("depth", [65, 66, 100, 1_000, 100_000, 500_000])
    @pytest.mark.parametrize(
        ("begin", "end"),
        [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]"), ("[[],", "]"), ('["[[[[",', "]"), ('["\\"",', "]")],
    )
    def test_s17_deep_nesting_is_refused_before_the_parser_sees_it(self, depth: int, begin: str, end: str) -> None:
        for data in (begin * depth, begin * depth + "1" + end * depth):
            assert "levels of nesting" in refused(data.encode(), limit=1 << 24)

    def test_s17_a_million_brackets_are_refused_as_too_deep(self) -> None:
        assert "levels of nesting at byte 64" in refused(b"[" * 1_000_000)
        assert "levels of nesting" in refused(b"[" * 10**6 + b"]" * 10**6, limit=1 << 22)

    @pytest.mark.parametrize("depth", [1, 63, 64])
    @pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}")])
    def test_s17_nesting_up_to_the_limit_is_read(self, depth: int, begin: str, end: str) -> None:
        text = begin * depth + end * depth if begin == "[" else begin * (depth - 1) + "{}" + end * (depth - 1)
        assert loads(text.encode()) == json.loads(text)

    def test_s17_the_limit_of_levels_is_exact(self) -> None:
        assert MAX_DEPTH == 64
        loads(b"[" * 64 + b"]" * 64)
        assert "more than 64 levels" in refused(b"[" * 65 + b"]" * 65)

    @pytest.mark.parametrize(
        "value",
        [
            "[" * 1000,
            "}" * 1000,
            '"[{' * 300,
            "\\[" * 300,
            '\\"[',
            "\\" * 999,
            '\\\\"[{',
            ["[" * 65, "{" * 65],
            {"[" * 70: "]"},
        ],
    )
    def test_s17_brackets_inside_strings_do_not_count(self, value: object) -> None:
        assert loads(json.dumps([value] * 3).encode()) == [value] * 3

    @given(
        st.lists(
            st.sampled_from(["[", "]", "{", "}", '"', "\\", "\\\\", '\\"', "a", ",", "[" * 33, "]" * 33]), max_size=60
        )
    )
    def test_s17_depth_is_that_of_a_walk_over_each_byte(self, pieces: list[str]) -> None:
        data = "".join(pieces).encode()
        depth = most = 0
        is_string = is_escaped = False
        for byte in data.decode():
            if is_string:
                is_string, is_escaped = is_escaped or byte != '"', byte == "\\" and not is_escaped
            elif byte == '"':
                is_string = True
            else:
                depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(byte, 0)
                most = max(most, depth)
        if most > MAX_DEPTH:
            assert "levels of nesting" in refused(data)
        else:
            with contextlib.suppress(StrictJsonError):
                loads(data)
                assert json.loads(data) == loads(data)

    def test_s17_many_flat_containers_are_no_nesting(self) -> None:
        assert loads(b"[" + b",".join([b'{"a":[]}'] * 5000) + b"]") == [{"a": []}] * 5000

    @pytest.mark.parametrize("text", ["]" * 100 + "[" * 100, '"' + "[" * 100, '\\"' + "[" * 100, "x" + "[" * 100])
    def test_s17_misleading_brackets_in_what_is_no_json_are_refused_too(self, text: str) -> None:
        refused(text.encode())

    @pytest.mark.parametrize(("size", "fits"), [(99, True), (100, True), (101, False)])
    def test_s17_the_byte_limit_is_exact(self, size: int, fits: bool) -> None:
        data = b'"' + b"x" * (size - 2) + b'"'
        if fits:
            assert loads(data, limit=100) == "x" * (size - 2)
        else:
            assert refused(data, limit=100) == "101 bytes, more than the 100 allowed"

    def test_s17_the_byte_limit_counts_bytes_and_not_characters(self) -> None:
        refused('"\u00e9\u00e9\u00e9"'.encode(), limit=7)
        assert loads('"\u00e9\u00e9\u00e9"'.encode(), limit=8) == "\u00e9\u00e9\u00e9"

    def test_s17_the_default_limit_is_a_mebibyte(self) -> None:
        refused(b'"' + b"x" * (MAX_BYTES - 1) + b'"')
        assert len(str(loads(b'"' + b"x" * (MAX_BYTES - 2) + b'"'))) == MAX_BYTES - 2

    @pytest.mark.parametrize(
        "data",
        {
            "open-string": b'"' + b"a" * 999_999,
            "quotes": b'"' * 1_000_000,
            "backslashes": b'"' + b"\\" * 999_998,
            "escaped-quotes": b'"' + b'\\"' * 499_999,
            "brackets-then-quotes": b"[" * 60 + b'"[' * 400_000,
            "closed-then-junk": b"[]" * 500_000,
            "digits": b"1" * 1_000_000,
            "zeros": b"-" + b"0" * 999_999,
            "exponent": b"1e" + b"9" * 900_000,
            "spaces": b" " * 1_000_000,
            "equal-keys": b"{" + b'"k":1,' * 150_000 + b'"k":1}',
            "commas": b"[" + b"," * 999_998 + b"]",
            "escapes": b'"' + rb"\ud800" * 160_000 + b'"',
        }.values(),
        ids=range(13),
    )  # fmt: skip
    def test_s17_a_mebibyte_of_hostile_text_is_refused_in_time(self, data: bytes) -> None:
        refused(data)

    def test_s17_the_reason_names_the_place(self) -> None:
        assert refused(b'{\n  "a": 1,\n  b\n}').startswith("not JSON at line 3, column 3")
        assert refused(b'"abc\xff"') == "not UTF-8 at byte 4"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0), ("-0", 0), ("1", 1), ("-1", -1), (str(MAX_INT64), MAX_INT64), (str(MIN_INT64), MIN_INT64),
        ("0.5", 0.5), ("-0.0", 0.0), ("1e5", 1e5), ("1E+5", 1e5), ("1e-400", 0.0), ("1e308", 1e308),
        ("null", None), ("true", True), ("false", False), ('""', ""), ("[]", []), ("{}", {}), (" \t\r\n1 \t\r\n", 1),
        (r'"\ud83d\ude00"', "\U0001f600"), (r'"\u0000"', "\x00"), (r'"\"\\\/\b\f\n\r\t"', '"\\/\b\f\n\r\t'),
        ('"\x7f\u2028\ufeff"', "\x7f\u2028\ufeff"), ('{"":{"":[]}}', {"": {"": []}}),
        ('{"a":1,"A":2}', {"a": 1, "A": 2}),
        ('{"\u00e9":1,"e\u0301":2}', {"\u00e9": 1, "e\u0301": 2}), (r'"\ud7ff\ue000"', "\ud7ff\ue000"),
    ],
)  # fmt: skip
def test_good_texts_are_read_as_they_are(text: str, value: object) -> None:
    found = loads(text.encode())
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["[]", "1", '"{}"', "null", "true", "[{}]"])
def test_where_an_object_is_needed_nothing_else_will_do(text: str) -> None:
    with pytest.raises(StrictJsonError, match="not a JSON object"):
        loads_object(text.encode())


def test_an_object_is_read_as_an_object() -> None:
    assert loads_object(b'{"a":[1]}') == {"a": [1]}


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(MIN_INT64, MAX_INT64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


@given(json_values, st.booleans())
def test_whatever_the_standard_library_writes_is_read_back(value: object, ascii_only: bool) -> None:
    assert loads(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(
    st.binary(max_size=200)
    | st.text(alphabet='{}[]",:\\u0019eE.-+ntf al\ud83d', max_size=60).map(lambda t: t.encode("utf-8", "surrogatepass"))
)
def test_s17_any_bytes_give_a_value_or_a_refusal(data: bytes) -> None:
    try:
        found = loads(data)
    except StrictJsonError:
        return
    assert found == json.loads(data.decode("utf-8"))
