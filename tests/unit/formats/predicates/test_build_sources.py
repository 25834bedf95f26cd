"""The source and the parameters of a build, in one shape for both versions of its provenance."""

from __future__ import annotations

from typing import Any

import pytest

from gate.formats.predicates.build_provenance import WORKFLOWS
from gate.formats.predicates.common import MAX_TEXT
from gate.model.digest import sha256_digest
from tests.unit.formats.predicates.reading import SLSA_V02, SLSA_V1, V02, V1, changed, code_of, read

COMMIT = {"gitCommit": "0" * 40}
NOTHING: dict[str, Any] = {"uri": None, "ref": None, "digests": {}}
LONG = sha256_digest(b"x" * 9999)
APP = "git+https://forge.test/acme/app@refs/heads/main"


def v1(*dependencies: Any, **changes: Any) -> Any:
    definition = {**V1["buildDefinition"], "resolvedDependencies": list(dependencies), **changes}
    return read(SLSA_V1, {**V1, "buildDefinition": definition}).facts["source"]


def v02(source: Any) -> Any:
    return read(SLSA_V02, changed(V02, "invocation.configSource", source)).facts["source"]


@pytest.mark.parametrize(
    ("uri", "repository", "ref"),
    [
        (APP, "https://forge.test/acme/app", "refs/heads/main"),
        ("https://forge.test/acme/app", "https://forge.test/acme/app", None),
        ("git+ssh://git@forge.test/acme/app@v1", "ssh://git@forge.test/acme/app", "v1"),
        ("https://forge.test/acme/app@refs/tags/v1@2", "https://forge.test/acme/app", "refs/tags/v1@2"),
        ("git+https://forge.test/acme/app@", "https://forge.test/acme/app", ""),
        ("acme/app@main", "acme/app", "main"),
        ("https://forge.test/a\nb@c\nd", "https://forge.test/a\nb", "c\nd"),
        ("", "", None),
        ("x" * 9999, LONG, None),
        ("x" * MAX_TEXT, "x" * MAX_TEXT, None),
    ],
    ids=lambda text: str(text)[:40],
)
def test_the_repository_and_the_ref_are_told_apart(uri: str, repository: str, ref: str | None) -> None:
    wanted = {"uri": repository, "ref": ref, "digests": {"sha1": "a"}}
    assert v02({"uri": uri, "digest": {"sha1": "a"}}) == wanted
    assert v1({"uri": uri, "digest": COMMIT}) == {**wanted, "digests": COMMIT}


def test_without_a_word_of_the_source_there_is_none() -> None:
    for source in (None, {}, "x", {"uri": 5}, {"digest": {"sha1": 5}}):
        assert v02(source) == NOTHING
    assert v1() == v1({"uri": APP}) == v1({"uri": "https://x.test/a.jar", "digest": {"sha1": "a"}}) == NOTHING


def test_among_several_commits_none_is_the_source() -> None:
    assert v1({"uri": APP, "digest": COMMIT}, {"uri": "git+https://x.test/y", "digest": {"sha1": "1"}}) == NOTHING
    assert v1({"uri": APP, "digest": COMMIT}, {"uri": "https://x.test/y", "digest": {"sha1": "1"}})["digests"] == COMMIT


@pytest.mark.parametrize("build_type", sorted(WORKFLOWS))
class TestWorkflows:
    WORKFLOW = {"ref": "refs/heads/main", "repository": "https://forge.test/acme/app", "path": ".w/release.yml"}  # noqa: RUF012 - read only

    def source(self, build_type: str, *dependencies: Any, workflow: Any = None) -> Any:
        said = {"workflow": workflow or self.WORKFLOW}
        return v1(*dependencies, buildType=build_type, externalParameters=said)

    def test_the_parameters_say_the_source_and_its_dependency_the_commit(self, build_type: str) -> None:
        other = {"uri": "git+https://forge.test/acme/lib@refs/heads/main", "digest": {"gitCommit": "1" * 40}}
        found = self.source(build_type, other, {"uri": APP, "digest": COMMIT})
        assert found == {"uri": "https://forge.test/acme/app", "ref": "refs/heads/main", "digests": COMMIT}

    @pytest.mark.parametrize(
        "uri",
        [
            "git+https://forge.test/acme/app@refs/heads/dev",
            "git+https://forge.test/acme/app",
            "git+https://forge.test/evil/app@refs/heads/main",
            "git+https://forge.test/acme/app.git@refs/heads/main",
        ],
    )
    def test_a_commit_of_another_place_is_not_the_source(self, build_type: str, uri: str) -> None:
        assert self.source(build_type, {"uri": uri, "digest": COMMIT})["digests"] == {}

    def test_two_commits_of_one_place_are_none(self, build_type: str) -> None:
        two = [{"uri": APP, "digest": COMMIT}, {"uri": APP, "digest": {"gitCommit": "1" * 40}}]
        assert self.source(build_type, *two)["digests"] == {}

    def test_a_workflow_that_is_none_names_nothing(self, build_type: str) -> None:
        for workflow in ("x", {"ref": 1}, {"repository": ["x"]}):
            assert self.source(build_type, {"uri": APP, "digest": COMMIT}, workflow=workflow) == NOTHING


def test_a_workflow_is_believed_only_of_those_build_types() -> None:
    said = {"workflow": TestWorkflows.WORKFLOW}
    assert v1(externalParameters=said) == NOTHING


@pytest.mark.parametrize(
    ("parameters", "flat"),
    [
        ({}, {}),
        ({"a": {"b": {"c": 1}}, "d": None}, {"a.b.c": 1, "d": None}),
        ({"a": True, "b": False, "c": -5, "d": "x" * 9999}, {"a": True, "b": False, "c": -5, "d": LONG}),
        ({"a": {}, "b": {"c": {}}}, {"a": "{}", "b.c": "{}"}),
        ({"a": [1, {"b": "c"}], "d": []}, {"a": '[1,{"b":"c"}]', "d": "[]"}),
        ({"a": 0.5, "b": 1e21, "c": [0.1]}, {"a": "0.5", "b": "1e+21", "c": "[0.1]"}),
        ({"": "hidden", "a": {"": "hidden"}}, {"": "hidden", "a.": "hidden"}),
    ],
    ids=str,
)
def test_parameters_are_flat_and_hold_no_fraction(parameters: Any, flat: Any) -> None:
    statement = changed(V1, "buildDefinition.externalParameters", parameters)
    assert read(SLSA_V1, statement).facts["parameters"] == flat
    assert read(SLSA_V02, {**V02, "invocation": {"parameters": parameters}}).facts["parameters"] == {
        f"parameters.{name}" if name else "parameters.": value for name, value in flat.items()
    }


def test_a_parameter_cannot_hide_behind_another_of_its_name() -> None:
    twice = {"inputs.x": "good", "inputs": {"x": "evil"}}
    assert code_of(SLSA_V1, changed(V1, "buildDefinition.externalParameters", twice)) == "predicate"
    assert code_of(SLSA_V02, {**V02, "invocation": {"parameters": twice}}) == "predicate"


def test_a_list_that_cannot_be_compared_is_refused() -> None:
    assert code_of(SLSA_V1, changed(V1, "buildDefinition.externalParameters", {"a": [1 << 62]})) == "number"
