"""What is known to be harmless is not looked at again, and nothing changes by that."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.formats import secrets
from gate.formats.clean import CleanTexts
from gate.formats.secrets import SecretsError, redact, redacted
from tests.property.rego_library import inputs
from tests.support.secrets import SECRETS

INPUTS: dict[str, Any] = dict(inputs())
MARK = redact("password=" + "A1b2C3d4E5f6G7h8J9k0")


def slowly(value: Any, is_outside: bool = False) -> Any:
    """The walk over all of it that `redacted` was before, and still is where something is found."""
    return secrets._Redaction(value, is_outside).of(value)


def same(value: Any, is_outside: bool = False) -> bool:
    """Whether both say the same, or refuse the same: as the same text, so also of the same types and in one order."""
    try:
        expected = json.dumps(slowly(value, is_outside))
    except SecretsError as error:
        with pytest.raises(SecretsError) as raised:
            redacted(value, is_outside=is_outside)
        return str(raised.value) == str(error)
    return json.dumps(redacted(value, is_outside=is_outside)) == expected


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all texts in a value."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from places(member, (*path, name))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from places(member, (*path, number))


def put(value: Any, path: tuple[Any, ...], text: str) -> Any:
    changed = copy.deepcopy(value)
    here = changed
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = text
    return changed


def rename(value: Any, path: tuple[Any, ...], text: str) -> Any:
    changed = copy.deepcopy(value)
    here = changed
    for step in path[:-1]:
        here = here[step]
    if isinstance(here, dict):
        here[text] = here.pop(path[-1])
    return changed


def read(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def fresh() -> CleanTexts:
    return CleanTexts(secrets._is_clean, secrets._names_secret)


@pytest.mark.parametrize("name", sorted(INPUTS))
@pytest.mark.parametrize("is_outside", [False, True])
def test_a_document_is_what_it_was(name: str, is_outside: bool) -> None:
    value = INPUTS[name]
    assert fresh().text(value) is not None, "the quick way is not the one that is tried"
    for _ in range(2):
        assert same(value, is_outside)
    assert redacted(value, is_outside=is_outside) == value


@pytest.mark.parametrize("secret", [*SECRETS.values(), MARK, "[redacted ", 'say "password=A1b2C3d4E5f6G7h8J9k0"'])
def test_s35_a_secret_anywhere_in_a_document_that_is_known_is_found(secret: str) -> None:
    value = INPUTS["deployed"]
    known = fresh()
    assert known.text(value) is not None
    every = list(places(value))
    for path in every[:: max(1, len(every) // 12)]:
        for changed in (put(value, path, secret), rename(value, path, secret)):
            if changed != value:
                assert known.text(changed) is None
                assert same(changed)
                assert same(changed, True)


def test_s35_a_name_makes_a_secret_of_a_text_that_is_known() -> None:
    known = fresh()
    harmless, text = {"note": "A1b2C3d4E5f6"}, "A1b2C3d4E5f6"
    for name in ("db_password", "service_account_token", 'a "b" secret', "a\\b token"):
        assert read(known.text(harmless)) == harmless
        assert read(known.text({name: True, "list": [name]})) == {name: True, "list": [name]}
        assert known.text({name: text}) is None
        assert redacted({name: text}) == slowly({name: text}) != {name: text}
        assert known.text({"x": [{name: text}]}) is None


TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [*SECRETS.values(), MARK, "password", "token", "files", "path", "a" * 50, "\\", '"', "\u2028", "\ud800"]
    ),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


@given(VALUES, st.booleans())
@settings(max_examples=400, deadline=None)
def test_any_value_is_what_it_was(value: Any, is_outside: bool) -> None:
    assert same(value, is_outside)


def test_what_is_no_plain_json_becomes_plain_or_goes_the_other_way() -> None:
    known = fresh()
    assert known.text({"b": MappingProxyType({"d": ("x", 1, 2.5), "c": {}})}) == '{"b":{"c":{},"d":["x",1,2.5]}}'
    assert known.text({"a": float("nan")}) is None
    assert known.text({"a": {1, 2}}) is None  # type: ignore[dict-item]
    assert known.text(["x" * (5 << 20)]) is None
    deep: Any = []
    for _ in range(200_000):
        deep = [deep]
    assert known.text(deep) is None
    while deep:
        deep = deep.pop()


@pytest.mark.parametrize("name", [None, True, False, 7, -7, 1.5, 1e300])
def test_a_name_that_is_no_text_does_not_become_one(name: object) -> None:
    texts = CleanTexts(lambda _: True, lambda _: False)
    assert texts.text({name: "a"}) is None  # type: ignore[dict-item]
    assert texts.text({"a": {"null-": "null", "7a": "1.5"}}) == '{"a":{"7a":"1.5","null-":"null"}}'


def test_s35_a_part_that_is_a_secret_makes_the_whole_none_even_where_it_is_said_elsewhere() -> None:
    text = "A1b2C3d4E5f6"
    whole: dict[str, Any] = {"part": {"password": text}, "said": text}
    assert redacted(whole) == whole
    assert redacted(whole["part"]) != whole["part"]
    assert secrets.clean_text(whole) is None
    assert secrets.clean_text({"said": text}) is not None


def test_the_copy_is_a_copy() -> None:
    value = {"a": ["x"]}
    found = redacted(value)
    assert isinstance(found, dict)
    assert found == value
    assert found["a"] is not value["a"]


def test_a_text_is_tried_once_and_forgotten_when_there_are_others() -> None:
    tried: list[str] = []

    def is_clean(text: str) -> bool:
        tried.append(text)
        return not text.startswith("secret")

    known = CleanTexts(is_clean, lambda text: text == "name", kept=1000)
    for _ in range(3):
        assert known.text(["x", 'with "quotes"']) is not None
    assert sorted(tried) == ['with "quotes"', "x"]
    for _ in range(2):
        assert known.text(["secret"]) is None
        assert known.text(["x" * 5000]) is not None
        assert known.text(["name"]) is not None
    assert len(tried) == 2 + 2 * 3, "what is no clean text, or too long, or a name, is not remembered"
    for number in range(100):
        known.text([f"text {number}"])
        assert known.text(["x"]) is not None
    assert tried.count("x") == 1, "what is asked for stays"
    assert len(known._young) + len(known._old) <= 2 * (1000 // 100 + 1)
    known.text(['with "quotes"'])
    assert tried.count('with "quotes"') == 2


def test_threads_may_share_it() -> None:
    known = CleanTexts(secrets._is_clean, secrets._names_secret, kept=5000)
    secret = SECRETS["github token"]

    def work(number: int) -> bool:
        harmless = all(known.text([f"{number} {n}", f"all {n}"]) is not None for n in range(200))
        return harmless and all(known.text([f"{number} {n}", secret]) is None for n in range(200))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))
