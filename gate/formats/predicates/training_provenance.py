"""Training provenance: how a model came to be, in two forms with the same facts.

The gate's own predicate has nine fields: model (the subjects), code, data, base, environment, pipeline, signer, time
and evaluation. SLSA provenance v1 makes the same claim when its build type is one of `BUILD_TYPES`; see
docs/explanation/training-provenance.md.

Facts: those of every collected statement, `method`, `code`, `datasets`, `base`, `environment`, `pipeline`, `signer` (as
stated), `started_at_s`, `finished_at_s`, `evaluation`, `metrics_root`, `seed` and `builder_id` (of the SLSA form).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from gate.formats.intoto import RawStatement, StatementError, parse_digest_list
from gate.formats.predicates.collected import reader
from gate.formats.predicates.common import check_schema, make_statement, member, names_in, text, time
from gate.model.digest import Digest
from gate.model.evidence import Statement
from gate.model.json import JsonObject, JsonValue
from gate.model.path import fold

CLAIM: Final = "training.provenance"
TRAINING: Final = "training"
FINE_TUNING: Final = "fine-tuning"
BUILD_TYPES: Final[Mapping[str, str]] = {
    f"urn:promotion-gate:buildtype:{method}:v1": method for method in (TRAINING, FINE_TUNING)
}
"""The build types of SLSA provenance that make this claim, with their method."""
_NAMESPACE: Final = "urn:promotion-gate:"
_STATEMENT: Final = "urn:promotion-gate:statement:"
"""How the `uri` of a dependency that is a statement begins; its claim follows, its sha256 is the payload's."""
_MEMBERS: Final = ("method", "code", "datasets", "base", "environment", "pipeline", "signer", "metrics_root", "seed")


def is_training_build(build_type: JsonValue) -> bool:
    """Whether a build type makes this claim; raises `StatementError` for one that only looks like it.

    The gate's names for build types are its own: a training that calls itself nearly so would be judged as a build,
    without the base and the data that a training has to name.
    """
    if isinstance(build_type, str) and build_type in BUILD_TYPES:
        return True
    if isinstance(build_type, str) and _NAMESPACE in fold("".join(build_type.split())):
        raise StatementError("build_type", f"{build_type[:120]!r} is no build type; known are {', '.join(BUILD_TYPES)}")
    return False


def read_slsa(raw: RawStatement) -> Statement:
    """SLSA provenance v1 whose build type is one of `BUILD_TYPES`, and whose predicate fits the schema of SLSA."""
    check_schema(raw, "predicates/slsa-training.json")
    build = member(raw.predicate, "buildDefinition")
    wanted, added = member(build, "externalParameters"), member(build, "internalParameters")
    inputs = _Inputs(member(build, "resolvedDependencies"))
    source = text(wanted, "source") or ""
    base = text(wanted, "baseModel")
    dirty = member(added, "dirty")
    evaluation = inputs.statements("eval")
    facts: JsonObject = {
        "result": None,
        "decision": None,
        "collected": True,
        "privacy": {"mode": "hash_only", "payloads": []},
        "roles": {},
        "method": BUILD_TYPES[text(build, "buildType") or ""],
        "code": {"repository": source, "commit": text(inputs.named(source), "gitCommit"), "dirty": dirty},
        "datasets": {name: inputs.digest(name) for name in names_in(member(wanted, "datasets"))},
        "base": {} if base is None else {base: inputs.digest(base)},
        "environment": member(added, "environment") or {},
        "pipeline": text(wanted, "recipe"),
        "signer": None,
        "metrics_root": text(added, "metricsRoot"),
        "seed": member(wanted, "seed"),
        "evaluation": list(evaluation),
        "builder_id": text(raw.predicate, "runDetails", "builder", "id"),
        "started_at_s": time(raw.predicate, "runDetails", "metadata", "startedOn"),
        "finished_at_s": time(raw.predicate, "runDetails", "metadata", "finishedOn"),
    }
    stated = facts["finished_at_s"] if facts["finished_at_s"] is not None else facts["started_at_s"]
    return make_statement(
        raw,
        CLAIM,
        _checked(facts),
        depends_on=inputs.statements(),
        stated_at_s=stated if isinstance(stated, int) else None,
    )


class _Inputs:
    """The resolved dependencies of a build, by `uri` and by `name`."""

    def __init__(self, listed: JsonValue) -> None:
        self._items: Final = [item for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []

    def named(self, name: str) -> JsonValue:
        """The digests of the one input of a name; raises `StatementError` for none or several."""
        found: list[JsonValue] = [item["digest"] for item in self._items if name in {item.get("uri"), item.get("name")}]
        if len(found) != 1:
            raise StatementError("dependency", f"{len(found)} resolved dependencies are {name[:120]!r}, expected one")
        return found[0]

    def digest(self, name: str) -> str:
        """The SHA-256 of an input."""
        return _sha256(self.named(name), name)

    def statements(self, claim: str | None = None) -> tuple[Digest, ...]:
        """The payload digests of the inputs that are statements, of one claim or of all."""
        uris = [(text(item, "uri") or "", item["digest"]) for item in self._items]
        found = {
            _sha256(digests, uri)
            for uri, digests in uris
            if (uri.startswith(_STATEMENT) if claim is None else uri == _STATEMENT + claim)
        }
        return parse_digest_list(sorted(found), "resolvedDependencies")


def _sha256(digests: JsonValue, name: str) -> str:
    found = text(digests, "sha256")
    if found is None:
        raise StatementError("dependency", f"the resolved dependency {name[:120]!r} has no sha256")
    return f"sha256:{found}"


def _facts(raw: RawStatement, _: Mapping[str, Digest]) -> JsonObject:
    predicate = raw.predicate
    if not set(names_in(predicate["evaluation"])) <= set(names_in(predicate["depends_on"])):
        raise StatementError("evaluation", "an evaluation is not in depends_on, so nothing shows that it is there")
    return _checked(
        {
            **{name: predicate[name] for name in _MEMBERS},
            "evaluation": predicate["evaluation"],
            "builder_id": None,
            "started_at_s": time(predicate, "time", "started_at"),
            "finished_at_s": time(predicate, "time", "finished_at"),
        }
    )


def _checked(facts: JsonObject) -> JsonObject:
    """The facts; raises `StatementError` where they contradict each other."""
    for problem in _contradictions(facts):
        raise StatementError("training", problem)
    return facts


def _contradictions(facts: JsonObject) -> Iterator[str]:
    if facts["method"] == FINE_TUNING and not facts["base"]:
        yield "fine-tuning starts from a base model, and none is named"
    if facts["method"] == TRAINING and facts["base"]:
        yield "training from scratch has no base model; with one it is fine-tuning"
    started, finished = facts["started_at_s"], facts["finished_at_s"]
    if isinstance(started, int) and isinstance(finished, int) and finished < started:
        yield "the training ended before it started"


READERS = reader(CLAIM, _facts)
