"""Canonical JSON against the vectors of RFC 8785 and against the reference package."""

from __future__ import annotations

import json
import math
import struct
from types import MappingProxyType
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from gate.formats.canonical_json import CanonicalJsonError, check, dumps, pretty
from gate.formats.strict_json import loads

# RFC 8785, appendix B: the bits of a double and how it is written.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_numbers_are_written_as_the_rfc_says(bits: str, text: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert dumps(number) == text.encode()
    assert dumps({"a": [number]}) == f'{{"a":[{text}]}}'.encode()


def test_the_example_of_the_rfc_has_its_canonical_bytes() -> None:
    value = loads(
        rb"""{
          "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
          "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
          "literals": [null, true, false]
        }"""
    )
    assert (
        dumps(value)
        == (
            '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
            '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
        ).encode()
    )


def test_keys_are_sorted_by_utf_16_code_units() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    written = dumps(dict.fromkeys(keys, 1)).decode()
    assert list(json.loads(written)) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-1, "-1"),
        ("", '""'),
        ([], "[]"),
        ({}, "{}"),
        (2**53 - 1, "9007199254740991"),
        (-(2**53) + 1, "-9007199254740991"),
        (10**15, "1000000000000000"),
        ("\x00\x1f\x7f\u2028/", '"\\u0000\\u001f\x7f\u2028/"'),
        ("\b\t\n\f\r", '"\\b\\t\\n\\f\\r"'),
        ({"b": 1, "a": 2}, '{"a":2,"b":1}'),
        ({"a": {"d": 1, "c": 2}}, '{"a":{"c":2,"d":1}}'),
        ((1, 2), "[1,2]"),
        ({"1.5": "2e9"}, '{"1.5":"2e9"}'),
        ("1234567890123456.5e1", '"1234567890123456.5e1"'),
        ([1e16], "[10000000000000000]"),
        ({'"\u00e9": 1.5': 1}, '{"\\"\u00e9\\": 1.5":1}'),
        ("\u00e9", '"\u00e9"'),
        (["\\", 1.0], '["\\\\",1]'),
    ],
)
def test_values_are_written_canonically(value: object, text: str) -> None:
    assert dumps(value) == text.encode()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        2**53,
        -(2**53),
        2**63,
        10**400,
        10**5000,
        "\ud800",
        {"\udfff": 1},
        {"a": [math.nan]},
        [2**60],
        {"\udfff": 1.5},
        ["\ud800", 0.5],
        {"\u00e9": math.inf},
        {"\u00e9": "\ud800"},
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_canonical_form_is_an_error(value: object) -> None:
    with pytest.raises(CanonicalJsonError):
        dumps(value)  # type: ignore[arg-type]


MAX = 2**53 - 1
values = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX, MAX) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(), inner, max_size=6),
    max_leaves=25,
)


@given(values)
@example({"\U0001f600": 1, "\uff61": 2, "a": 3})
@example({"\u00e9": {"\U00010000": 1, "\ue000": 2}})
@example([1e-7, 1e21, -0.0, 5e-324, 123456789012345.6])
@example({'"': 1.5, "\\": [MAX, -MAX]})
def test_every_value_is_written_as_the_reference_package_writes_it(value: object) -> None:
    assert dumps(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(values)
def test_the_canonical_form_is_a_fixed_point_and_means_the_same(value: object) -> None:
    written = dumps(value)  # type: ignore[arg-type]
    # The RFC writes the double 2^53 like an integer that no double holds for sure.
    again = json.loads(written, parse_int=lambda text: int(text) if abs(int(text)) <= MAX else float(text))
    assert again == value
    assert dumps(again) == written


@given(values)
@example({"\x7f": "\x7f\x9b\u202e\U0001f600\x1b[31m"})
def test_the_pretty_form_is_printable_ascii_and_parses_back(value: object) -> None:
    text = pretty(value)  # type: ignore[arg-type]
    assert all(" " <= character <= "~" or character == "\n" for character in text)
    assert json.loads(text) == value


def test_the_pretty_form_is_sorted_and_indented() -> None:
    assert pretty({"b": [1], "a": "\x7f"}) == '{\n  "a": "\\u007f",\n  "b": [\n    1\n  ]\n}'


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_the_pretty_form_has_no_number_that_json_lacks(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        pretty(value)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":9007199254740991}',
        '{"a":9007199254740992}',
        '{"a":-9007199254740993}',
        '{"a":[9223372036854775807]}',
        '{"a":[1,-9223372036854775807]}',
        '{"a": 9223372036854775807 }',
        '{"a":[0,\t9223372036854775807,\r\n9223372036854775806]}',
        '{"a":1e300,"b":1.0,"c":-0.0,"d":0.1234567890123456789}',
        '{"a":"9007199254740993","9007199254740993":1}',
        '{"\\u00e9":1,"\\ud83d\\ude00":[true,null]}',
    ],
)
def test_check_refuses_what_dumps_refuses(text: str) -> None:
    value, source = loads(text.encode()), text.encode()
    try:
        dumps(value)
    except CanonicalJsonError:
        with pytest.raises(CanonicalJsonError):
            check(value, source)
    else:
        check(value, source)


@pytest.mark.parametrize("text", ['{"a":1e16}', '{"a":[9007199254740992.0]}', '{"a":-1E+20}', '{"a":123456789e9}'])
def test_check_refuses_what_nobody_could_read_back(text: str) -> None:
    """Written canonically, a large double is an integer that is read from nowhere."""
    with pytest.raises(CanonicalJsonError, match="larger than all doubles hold exactly"):
        check(loads(text.encode()), text.encode())


@pytest.mark.parametrize("text", ['{"a":1e21}', '{"a":1e-7,"b":"1e16 9007199254740992"}', '{"a":9007199254740991e0}'])
def test_check_takes_what_means_the_same_to_all(text: str) -> None:
    check(loads(text.encode()), text.encode())


def test_mappings_of_all_kinds_are_objects_and_nothing_else_is_json() -> None:
    assert dumps(MappingProxyType({"b": ("x", 1), "a": {}})) == b'{"a":{},"b":["x",1]}'
    for value in ({1: "a"}, {None: "a"}, {"a": {1, 2}}, b"a", object()):
        with pytest.raises(TypeError):
            dumps(value)  # type: ignore[arg-type]


def test_levels_have_a_limit_of_their_own() -> None:
    value: Any = []
    for _ in range(128):
        value = [value]
    assert dumps(value) == b"[" * 129 + b"]" * 129
    with pytest.raises(CanonicalJsonError, match="128 levels"):
        dumps([value])
