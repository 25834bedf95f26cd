"""Profiles that extend others: their own words count last, and no chain is endless."""

from __future__ import annotations

import pytest

from gate.errors import ConfigError
from gate.evaluate.catalogue import load_profile
from gate.model.control import Mode, Profile
from tests.support.cases import packaged

ENFORCE = b'{"controls": {"artifact.signed": {"mode": "enforce"}, "scan.malware": {"mode": "warn"}}, '
BASE = ENFORCE + b'"parameters": {"scan.malware": {"limit": "low", "observed": true}}}'


def load(text: bytes, **others: bytes) -> Profile:
    return load_profile("team", text, packaged().catalogue, {}, others=others)


def test_modes_and_parameters_are_inherited_and_overridden() -> None:
    text = b'{"extends": "base", "controls": {"scan.malware": {"mode": "enforce"}}, '
    found = load(text + b'"parameters": {"scan.malware": {"limit": "high"}}}', base=BASE)
    assert found.name == "team"
    assert found.controls == {"artifact.signed": Mode.ENFORCE, "scan.malware": Mode.ENFORCE}
    assert found.parameters == {"scan.malware": {"limit": "high", "observed": True}}


def test_profiles_extend_over_several_steps() -> None:
    assert load(b'{"extends": "b"}', b=b'{"extends": "c"}', c=BASE).controls == load(BASE).controls


@pytest.mark.parametrize(
    ("text", "others", "words"),
    [
        (b'{"extends": "team"}', {"team": b""}, "extends team, which extends it"),
        (b'{"extends": "b"}', {"b": b'{"extends": "c"}', "c": b'{"extends": "b"}'}, "extends b, which extends it"),
        (b'{"extends": "bas"}', {"base": BASE}, "there is no profile 'bas'; did you mean 'base'?"),
        (b'{"extends": ["base"]}', {"base": BASE}, "expected text"),
        (b'{"extends": "base"}', {"base": b"[]"}, "profile base: line 1: expected a mapping"),
        (
            b'{"extends": "base", "controls": {"artifact.signed": {"mode": "off"}}}',
            {"base": BASE},
            "enforces no control",
        ),
    ],
)
def test_a_wrong_extension_is_refused(text: bytes, others: dict[str, bytes], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text, **others)
    assert words in str(caught.value)


def test_a_chain_of_profiles_is_not_endless() -> None:
    chain = {f"p{number}": b'{"extends": "p%d"}' % (number + 1) for number in range(2000)}
    with pytest.raises(ConfigError, match="more than 16 profiles extend one another"):
        load(b'{"extends": "p0"}', **chain)
