"""SLSA provenance v1 and v0.2, in one shape of facts.

A v1 statement whose build type is a training makes the claim `training.provenance` instead, so whoever signs it has to
be trusted for that.

Facts: `builder_id`, `build_type`, `external_parameters`, `parameters` (the same, flat), `source` (`uri`, `ref`,
`digests`), `dependencies` (`{uri: digest set}`), `invocation_id`, `started_at_s`, `finished_at_s`. The level is not
among them: no document can grant itself one.
Source: slsa.dev/spec/v1.0/provenance and v0.2; actions.github.io/buildtypes/workflow/v1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from gate.formats import canonical_json
from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates import training_provenance
from gate.formats.predicates.common import (
    MAX_TEXT,
    check_schema,
    dependencies,
    digests_of,
    make_statement,
    member,
    text,
    time,
)
from gate.model.digest import sha256_digest
from gate.model.evidence import Statement
from gate.model.json import JsonObject, JsonValue

CLAIM = "build.provenance"
WORKFLOWS: Final = frozenset(
    {
        "https://actions.github.io/buildtypes/workflow/v1",
        "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
    }
)
"""The build types whose `workflow` parameter names the source."""
_PLACE: Final = re.compile(r"(?P<uri>(?:[a-z][a-z0-9+.-]*://[^/]*/)?[^@]*)(?:@(?P<ref>.*))?", re.DOTALL)


def _statement(raw: RawStatement, facts: JsonObject) -> Statement:
    stated = facts["finished_at_s"] if facts["finished_at_s"] is not None else facts["started_at_s"]
    return make_statement(raw, CLAIM, facts, stated_at_s=stated if isinstance(stated, int) else None)


def _read_v1(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/slsa-provenance-v1.json")
    build, run = raw.predicate["buildDefinition"], raw.predicate["runDetails"]
    if training_provenance.is_training_build(member(build, "buildType")):
        return training_provenance.read_slsa(raw)
    wanted = member(build, "externalParameters")
    facts: JsonObject = {
        "builder_id": text(run, "builder", "id"),
        "build_type": text(build, "buildType"),
        "external_parameters": wanted,
        "parameters": _flat(wanted),
        "source": _source_v1(build),
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
    wanted: JsonObject = {
        "configSource": member(predicate, "invocation", "configSource"),
        "parameters": member(predicate, "invocation", "parameters"),
    }
    facts: JsonObject = {
        "builder_id": text(predicate, "builder", "id"),
        "build_type": text(predicate, "buildType"),
        "external_parameters": wanted,
        "parameters": _flat({name: value for name, value in wanted.items() if value not in (None, {})}),
        "source": _source(member(wanted, "configSource")),
        "dependencies": dependencies(member(predicate, "materials")),
        "invocation_id": text(predicate, "metadata", "buildInvocationId"),
        "started_at_s": time(predicate, "metadata", "buildStartedOn"),
        "finished_at_s": time(predicate, "metadata", "buildFinishedOn"),
    }
    return _statement(raw, facts)


def _source_v1(build: JsonValue) -> JsonObject:
    """The source of a build: of a workflow on GitHub what its parameters say, else the one dependency on a commit."""
    listed = member(build, "resolvedDependencies")
    commits = [item for item in (listed if isinstance(listed, list) else []) if _is_commit(item)]
    if text(build, "buildType") not in WORKFLOWS:
        return _source(commits[0] if len(commits) == 1 else None)
    workflow = member(build, "externalParameters", "workflow")
    uri, ref = _named(workflow, "repository"), _named(workflow, "ref")
    resolved = [found for found in map(_source, commits) if (found["uri"], found["ref"]) == (uri, ref)]
    return {"uri": uri, "ref": ref, "digests": resolved[0]["digests"] if len(resolved) == 1 else {}}


def _is_commit(descriptor: JsonValue) -> bool:
    digests, uri = digests_of(descriptor), text(descriptor, "uri") or ""
    return "gitCommit" in digests or ("sha1" in digests and uri.startswith("git+"))


def _source(descriptor: JsonValue) -> JsonObject:
    """A repository as `git+https://host/path@ref` names it: without the prefix, and the ref for itself."""
    place = text(descriptor, "uri")
    found = _PLACE.fullmatch(place.removeprefix("git+")) if place is not None else None
    uri, ref = (found["uri"], found["ref"]) if found is not None else (None, None)
    return {
        "uri": None if uri is None else _whole(uri),
        "ref": None if ref is None else _whole(ref),
        "digests": digests_of(descriptor),
    }


def _flat(value: JsonValue) -> JsonObject:
    """Parameters by the path that leads to them, joined by `.`; raises `StatementError` where two have one path."""
    found: dict[str, JsonValue] = {}
    for names, leaf in _leaves(value, ()):
        path = ".".join(names)
        if path in found:
            raise StatementError("predicate", f"two external parameters are called {path[:120]!r}")
        found[path] = leaf
    return found


def _leaves(value: JsonValue, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], JsonValue]]:
    if isinstance(value, Mapping) and (value or not path):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, Mapping | list | float):
        yield path, _whole(_json_text(value))
    else:
        yield path, _whole(value) if isinstance(value, str) else value


def _named(value: JsonValue, key: str) -> str | None:
    found = text(value, key)
    return None if found is None else _whole(found)


def _whole(value: str) -> str:
    """A text that is compared: one that is too long stands there by its digest, since a part is another value."""
    return value if len(value) <= MAX_TEXT else sha256_digest(value.encode("utf-8"))


def _json_text(value: JsonValue) -> str:
    """A list, an empty object or a fraction as JSON text, which compares without rounding."""
    try:
        return canonical_json.dumps(value).decode("utf-8")
    except canonical_json.CanonicalJsonError as error:
        raise StatementError("number", f"an external parameter has no canonical form: {error}") from None


V1 = "https://slsa.dev/provenance/v1"
READERS: Mapping[str, Callable[[RawStatement], Statement]] = {
    V1: _read_v1,
    "https://slsa.dev/provenance/v0.2": _read_v02,
}
