"""SLSA provenance v1 and v0.2, in one shape of facts.

A v1 statement whose build type is a training makes the claim `training.provenance` instead, so whoever signs it has to
be trusted for that.

Facts: `builder_id`, `build_type`, `external_parameters`, `dependencies` (`{uri: digest set}`), `invocation_id`,
`started_at_s`, `finished_at_s`. The level is not among them: no document can grant itself one.
Source: slsa.dev/spec/v1.0/provenance and v0.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates import training_provenance
from gate.formats.predicates.common import check_schema, dependencies, make_statement, member, text, time
from gate.model.evidence import Statement
from gate.model.json import JsonObject

CLAIM = "build.provenance"


def _statement(raw: RawStatement, facts: JsonObject) -> Statement:
    stated = facts["finished_at_s"] if facts["finished_at_s"] is not None else facts["started_at_s"]
    return make_statement(raw, CLAIM, facts, stated_at_s=stated if isinstance(stated, int) else None)


def _read_v1(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/slsa-provenance-v1.json")
    build, run = raw.predicate["buildDefinition"], raw.predicate["runDetails"]
    if training_provenance.is_training_build(member(build, "buildType")):
        return training_provenance.read_slsa(raw)
    facts: JsonObject = {
        "builder_id": text(run, "builder", "id"),
        "build_type": text(build, "buildType"),
        "external_parameters": member(build, "externalParameters"),
        "dependencies": dependencies(member(build, "resolvedDependencies")),
        "invocation_id": text(run, "metadata", "invocationId"),
        "started_at_s": time(run, "metadata", "startedOn"),
        "finished_at_s": time(run, "metadata", "finishedOn"),
    }
    return _statement(raw, facts)


def _read_v02(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/slsa-provenance-v0.2.json")
    predicate = raw.predicate
    if training_provenance.is_training_build(member(predicate, "buildType")):
        raise StatementError("build_type", "a training is stated in SLSA provenance v1, or in a predicate of its own")
    facts: JsonObject = {
        "builder_id": text(predicate, "builder", "id"),
        "build_type": text(predicate, "buildType"),
        "external_parameters": {
            "configSource": member(predicate, "invocation", "configSource"),
            "parameters": member(predicate, "invocation", "parameters"),
        },
        "dependencies": dependencies(member(predicate, "materials")),
        "invocation_id": text(predicate, "metadata", "buildInvocationId"),
        "started_at_s": time(predicate, "metadata", "buildStartedOn"),
        "finished_at_s": time(predicate, "metadata", "buildFinishedOn"),
    }
    return _statement(raw, facts)


V1 = "https://slsa.dev/provenance/v1"
READERS: Mapping[str, Callable[[RawStatement], Statement]] = {
    V1: _read_v1,
    "https://slsa.dev/provenance/v0.2": _read_v02,
}
