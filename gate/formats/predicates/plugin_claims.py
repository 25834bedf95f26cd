"""Claims of third parties: an installed distribution offers them by entry points of the group `gate.claims`.

    [project.entry-points."gate.claims"]
    "x.acme.energy" = "acme_gate:ENERGY"

The name of the entry point is the claim; the object is a `ClaimPlugin`. Claims are named `x.<vendor>.<name>` and
predicate types are none that the gate knows, so that a plugin stands in for nothing. Installed is not trusted: like any
claim, one of a plugin counts only from signers that `gate.yaml` trusts for it.

Nothing is looked for until a configuration names such a claim, or a trusted signer's statement has a type that the gate
does not know. Then every plugin has to load: one that is broken is an error, because what it says nothing about might
have been a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gate.errors import ConfigError
from gate.formats.canonical_json import CanonicalJsonError, dumps
from gate.formats.intoto import RawStatement, StatementError, parse_digest_list
from gate.formats.predicates import collected, generic
from gate.formats.predicates.common import check_schema, make_statement, time
from gate.formats.schema import compiled
from gate.model.claim import is_plugin_claim
from gate.model.digest import Digest
from gate.model.evidence import Statement
from gate.model.json import JsonObject, JsonValue

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP: Final = "gate.claims"
_TYPE: Final = re.compile(r"[a-z][a-z0-9+.-]*:[!-~]{1,500}")
_OWN: Final = "urn:promotion-gate:"


@dataclass(frozen=True, slots=True)
class ClaimPlugin:
    """A claim of a third party.

    `schema` is a JSON Schema (2020-12) for the predicate; it refers to nothing outside itself. `facts` turns a
    predicate that fits it into what rules see; it has to be pure, and raises `ValueError` for a predicate that makes no
    sense. Numbers in facts are integers. `collector` is a `gate.attest.collector.Collector`, for the option `--type` of
    `gate attest create`; then predicates are in its form, with `depends_on`, `roles`, `folders` and `privacy`, and the
    schema lets them.
    """

    claim: str
    predicate_type: str
    schema: JsonObject
    facts: Callable[[JsonObject], JsonObject]
    collector: object | None = None

    def read(self, raw: RawStatement) -> Statement:
        """The typed statement; raises `StatementError`, whatever the plugin does."""
        problem = compiled(self.schema)(raw.predicate)
        if problem is not None:
            raise StatementError("predicate", f"the predicate is malformed: {problem}")
        if self.collector is not None:
            check_schema(raw, "predicates/collected.json")
            return collected.build(raw, self.claim, self._facts)
        return make_statement(
            raw,
            self.claim,
            {**generic.plain_facts(raw), **self._facts(raw, {})},
            depends_on=parse_digest_list(raw.predicate.get("depends_on", []), "depends_on"),
            stated_at_s=time(raw.predicate, "created_at"),
        )

    def _facts(self, raw: RawStatement, _: Mapping[str, Digest]) -> JsonObject:
        try:
            found: JsonValue = self.facts(raw.predicate)
            dumps(found)
        except CanonicalJsonError as error:
            raise StatementError("plugin", f"the facts of {self.claim} are no JSON with integers: {error}") from None
        except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises, the evidence does not count
            raise StatementError("plugin", f"{self.claim}: {type(error).__name__}: {str(error)[:200]}") from None
        if not isinstance(found, Mapping) or found.keys() & _RESERVED:
            raise StatementError("plugin", f"the facts of {self.claim} are no object, or have a name of the gate's own")
        return found


_RESERVED: Final = frozenset({"result", "decision", "collected", "privacy", "roles"})


def load_plugins(known_types: Collection[str]) -> Mapping[str, ClaimPlugin]:
    """The plugins of all installed distributions by claim; raises `ConfigError` unless all of them are sound.

    `known_types` are the predicate types that the gate reads itself.
    """
    from importlib.metadata import entry_points

    found: dict[str, ClaimPlugin] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        plugin = _load(entry)
        problem = _problem(entry, plugin, known_types, found)
        if problem is not None or not isinstance(plugin, ClaimPlugin):
            raise _error(entry, problem or f"it is no {ClaimPlugin.__name__}")
        found[plugin.claim] = plugin
    return found


def _load(entry: EntryPoint) -> object:
    try:
        return entry.load()
    except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises, it cannot be used
        raise _error(entry, f"{type(error).__name__}: {str(error)[:300]}") from None


def _problem(
    entry: EntryPoint, plugin: object, known_types: Collection[str], others: Mapping[str, ClaimPlugin]
) -> str | None:
    """What is wrong with a plugin; `None` when it can be used."""
    if not isinstance(plugin, ClaimPlugin):
        return f"{entry.value} is a {type(plugin).__name__}, not a {ClaimPlugin.__name__}"
    if plugin.claim != entry.name or not is_plugin_claim(plugin.claim):
        return f"its claim is {plugin.claim!r}; it has to be the name of the entry point, x.<vendor>.<name>"
    kind: object = plugin.predicate_type
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        return f"{kind!r} is no URI for a predicate type"
    if kind in known_types or _OWN in kind.casefold():
        return f"the predicate type {kind} is one of the gate's"
    if plugin.claim in others or any(kind == other.predicate_type for other in others.values()):
        return "another plugin has this claim or predicate type"
    schema: object = plugin.schema
    if not isinstance(schema, Mapping):
        return "its schema cannot be used: it is no object"
    try:
        compiled(plugin.schema)
    except ValueError as error:
        return f"its schema cannot be used: {str(error)[:300]}"
    return None


def _error(entry: EntryPoint, problem: str) -> ConfigError:
    distribution = f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else "an unnamed distribution"
    return ConfigError(
        f"the plugin {entry.name!r} of {distribution} cannot be used: {problem}",
        hint="repair or remove that distribution; see docs/how-to/attest-more.md",
    )
