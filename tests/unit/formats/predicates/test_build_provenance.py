"""SLSA provenance v1 and v0.2 in one shape of facts."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gate.formats import schema
from gate.formats.predicates.common import dependencies
from gate.model.evidence import Statement
from gate.model.json import JsonObject
from tests.unit.formats.predicates.reading import SLSA_V02, SLSA_V1, SUBJECTS, V02, V1, changed, code_of, read

# In v1 it is the one dependency on a commit; in v0.2 the document says it itself.
SOURCE: JsonObject = {"uri": "https://example.com/app", "ref": None, "digests": {"gitCommit": "0" * 40}}


class TestBuildProvenance:
    FACTS: JsonObject = {  # noqa: RUF012 - read only
        "builder_id": "https://example.com/builder@v1",
        "build_type": "https://example.com/build/v1",
        "external_parameters": {
            "configSource": {"uri": "git+https://example.com/app"},
            "parameters": {"quantize": True},
        },
        "parameters": {"configSource.uri": "git+https://example.com/app", "parameters.quantize": True},
        "source": {"uri": "https://example.com/app", "ref": None, "digests": {}},
        "dependencies": {"git+https://example.com/app": {"gitCommit": "0" * 40}, "base": {"sha256": "1" * 64}},
        "invocation_id": "run-7",
        "started_at_s": 1795168800,
        "finished_at_s": 1795168800,
    }

    @pytest.mark.parametrize(("kind", "predicate"), [(SLSA_V1, V1), (SLSA_V02, V02)], ids=["v1", "v0.2"])
    def test_both_versions_give_one_shape_of_facts(self, kind: str, predicate: Any) -> None:
        facts = self.FACTS if kind == SLSA_V02 else {**self.FACTS, "source": SOURCE}
        assert read(kind, predicate) == Statement(
            claim="build.provenance",
            predicate_type=kind,
            subjects=SUBJECTS,
            resources=SUBJECTS,
            exhaustive=False,
            depends_on=(),
            stated_at_s=1795168800,
            facts=facts,
            predicate=predicate,
        )

    def test_what_is_optional_may_be_absent_or_null_in_both_versions(self) -> None:
        bare_v1 = {
            "buildDefinition": {"buildType": "t", "externalParameters": {}},
            "runDetails": {"builder": {"id": "b"}},
        }
        bare_v02 = {"builder": {"id": "b"}, "buildType": "t"}
        null_v1 = changed(changed(bare_v1, "runDetails.metadata", None), "buildDefinition.resolvedDependencies", None)
        null_v02 = bare_v02 | {"invocation": None, "metadata": None, "materials": None}
        for kind, predicate in ((SLSA_V1, bare_v1), (SLSA_V1, null_v1), (SLSA_V02, bare_v02), (SLSA_V02, null_v02)):
            found = read(kind, predicate)
            assert found.stated_at_s is None
            assert found.facts.keys() == self.FACTS.keys()
            assert (found.facts["dependencies"], found.facts["invocation_id"]) == ({}, None)
            assert found.facts["source"] == {"uri": None, "ref": None, "digests": {}}
            assert found.facts["parameters"] == {}

    @pytest.mark.parametrize(
        ("path", "new"),
        [
            ("buildDefinition", ...),
            ("buildDefinition", None),
            ("buildDefinition", []),
            ("runDetails", ...),
            ("runDetails", "x"),
            ("runDetails.builder", ...),
            ("runDetails.builder.id", ...),
            ("runDetails.builder.id", ""),
            ("runDetails.builder.id", None),
            ("runDetails.builder.id", ["https://example.com/builder@v1"]),
            ("runDetails.builder", "https://example.com/builder@v1"),
            ("buildDefinition.buildType", ...),
            ("buildDefinition.buildType", 1),
            ("buildDefinition.buildType", ""),
            ("buildDefinition.externalParameters", ...),
            ("buildDefinition.externalParameters", None),
            ("buildDefinition.externalParameters", []),
            ("buildDefinition.resolvedDependencies", {}),
            ("buildDefinition.resolvedDependencies", ["x"]),
            ("buildDefinition.resolvedDependencies.0.digest", "x"),
            ("buildDefinition.resolvedDependencies.0.digest", {"sha256": 1}),
            ("buildDefinition.resolvedDependencies.0.uri", None),
            ("runDetails.metadata", []),
            ("runDetails.metadata.startedOn", 5),
            ("runDetails.metadata.invocationId", {}),
        ],
        ids=str,
    )
    def test_a_malformed_v1_is_refused(self, path: str, new: Any) -> None:
        assert code_of(SLSA_V1, changed(V1, path, new)) == "predicate"

    @pytest.mark.parametrize(
        ("path", "new"),
        [
            ("builder", ...),
            ("builder", None),
            ("builder.id", ...),
            ("builder.id", ""),
            ("builder.id", 1),
            ("buildType", ...),
            ("buildType", ""),
            ("invocation", []),
            ("metadata", "x"),
            ("materials", {}),
            ("materials", [1]),
            ("materials.0.uri", 1),
            ("materials.0.digest", []),
            ("metadata.buildStartedOn", 5),
        ],
        ids=str,
    )
    def test_a_malformed_v02_is_refused(self, path: str, new: Any) -> None:
        assert code_of(SLSA_V02, changed(V02, path, new)) == "predicate"

    @pytest.mark.parametrize(
        "text", ["", "yesterday", "2026-11-20", "2026-11-20 10:00:00Z", "2026-13-01T00:00:00Z", "1795168800"]
    )
    def test_a_time_that_cannot_be_read_refuses(self, text: str) -> None:
        assert code_of(SLSA_V1, changed(V1, "runDetails.metadata.finishedOn", text)) == "time"
        assert code_of(SLSA_V02, changed(V02, "metadata.buildStartedOn", text)) == "time"

    def test_no_document_grants_itself_a_level(self) -> None:
        found = read(SLSA_V1, V1 | {"slsaLevel": 3, "buildLevel": "SLSA_BUILD_LEVEL_3"})
        assert found.facts == {**self.FACTS, "source": SOURCE}

    def test_the_stated_time_is_the_end_and_else_the_beginning(self) -> None:
        assert (
            read(SLSA_V1, changed(V1, "runDetails.metadata.finishedOn", "2026-11-20T12:00:00Z")).stated_at_s
            == 1795176000
        )
        assert read(SLSA_V1, changed(V1, "runDetails.metadata.finishedOn", ...)).stated_at_s == 1795168800

    def test_dependencies_of_one_name_are_all_kept(self) -> None:
        items: list[Any] = [{"uri": "a", "digest": {"sha256": str(n)}} for n in range(3)] + [
            {"uri": "a#2"},
            {"name": "n"},
            {},
            {},
            {"uri": ""},
        ]
        assert dependencies(items) == {
            "a": {"sha256": "0"},
            "a#2": {"sha256": "1"},
            "a#3": {"sha256": "2"},
            "a#2#2": {},
            "n": {},
            "unnamed": {},
            "unnamed#2": {},
            "unnamed#3": {},
        }
        assert dependencies([{"uri": "a#2"}, {"uri": "a"}, {"uri": "a"}]) == {"a#2": {}, "a": {}, "a#3": {}}

    def test_many_dependencies_of_one_name_take_linear_time(self) -> None:
        begin = time.process_time()
        found = dependencies([{}] * 200_000 + [{"uri": f"unnamed#{n}"} for n in range(1000)])
        assert len(found) == 201_000
        assert time.process_time() - begin < 5


def test_a_problem_says_where_it_is() -> None:
    problem = schema.problem("predicates/slsa-provenance-v1.json", changed(V1, "runDetails.builder.id", 5))
    assert problem is not None
    assert problem.startswith("runDetails/builder/id: 5 is not of type")
