"""The two sections that a policy brings can be exchanged, and nothing else."""

from __future__ import annotations

import pytest

from gate.errors import PolicyError
from gate.formats.input_document import InputFacts, read_input_document
from gate.model.control import Mode, Profile
from gate.normalize.sections.profile import asked_by
from tests.support.cases import document_of, good_model

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
