"""The two sections that a policy brings can be exchanged, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from gate.errors import ConfigError, PolicyError
from gate.formats.input_document import InputFacts, read_input_document
from gate.model.control import Mode, Profile
from gate.normalize.sections.profile import asked_by, profile_sections
from tests.support.cases import document_of, good_model
from tests.support.secrets import SECRETS

OTHER = Profile("other", {"artifact.signed": Mode.WARN}, {"artifact.signed": {"limit": 3}})


def test_another_profile_asks_about_the_same_facts() -> None:
    document = document_of(good_model())
    asked = asked_by(document, OTHER)
    assert InputFacts(asked).profile == OTHER
    changed = {name for name in document.value if asked.value[name] != document.value[name]}
    assert changed <= {"profile", "parameters"}
    assert asked == read_input_document(asked.canonical)
    assert asked.digest != document.digest


def test_the_profile_that_asked_asks_the_same_again() -> None:
    document = document_of(good_model())
    assert asked_by(document, InputFacts(document).profile) == document


def test_parameters_without_canonical_form_ask_nothing() -> None:
    odd = Profile("odd", OTHER.controls, {"artifact.signed": {"limit": 1 << 60}})
    with pytest.raises(PolicyError, match="no canonical form"):
        asked_by(document_of(good_model()), odd)


WORDS = [
    ({"blocked_token": "optimizer-v1"}, "parameter blocked_token of team.x: it looks like a secret"),
    ({"words": ["fine", SECRETS["github token"]]}, "parameter words of team.x"),
    ({"deep": {"api_key": "optimizer-v1"}}, "parameter deep of team.x"),
    ({"words": ["[redacted token 01234567]"]}, "parameter words of team.x"),
]


@pytest.mark.parametrize(("values", "message"), WORDS)
def test_s35_a_parameter_that_looks_like_a_secret_judges_nothing(values: dict[str, Any], message: str) -> None:
    """It would not be in the document: a control that forbids what it says would forbid something else."""
    odd = Profile("odd", OTHER.controls, {"artifact.signed": {"limit": 3}, "team.x": values})
    with pytest.raises(ConfigError, match=message) as caught:
        profile_sections(odd)
    assert caught.value.exit_code == 2
    assert "call the parameter something else" in str(caught.value.hint)


def test_s35_a_profile_is_not_called_after_a_secret() -> None:
    with pytest.raises(ConfigError, match="looks like a secret, and no control"):
        profile_sections(Profile(SECRETS["github token"], OTHER.controls, {}))


@pytest.mark.parametrize("value", [{"7": "x"}, "x" * (5 << 20)])
def test_a_parameter_that_is_odd_or_large_is_looked_at_part_by_part(value: Any) -> None:
    odd = Profile("p", OTHER.controls, {"artifact.signed": {"rule": value, "other": ["y"]}})
    assert profile_sections(odd)["parameters"] == {"artifact.signed": {"rule": value, "other": ["y"]}}
