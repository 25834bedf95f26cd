"""Which findings are one vulnerability, seen several times: those of one component that share a name.

A vulnerability has a CVE id, a GHSA id and ids of databases; scanners report one of them and call the others aliases.
Findings of the same component of the same artifact are one group if their names meet, directly or by way of others.
Every finding stays, with its own severity and status: a group says what is one, never what is harmless.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from gate.formats.canonical_json import dumps
from gate.model.digest import hex_of, sha256_digest
from gate.model.scan import Category, Finding

_SEPARATORS: Final = re.compile(r"[-_.]+")
Key = tuple[str, str]


def groups_of(findings: Sequence[Finding]) -> tuple[str | None, ...]:
    """The group of each finding, `None` for what is no vulnerability; it does not depend on the order of findings."""
    names = names_of_groups(findings)
    return tuple(
        _name(keys_of(item)[0], names(item)) if item.category is Category.VULNERABILITY else None for item in findings
    )


def names_of_groups(findings: Sequence[Finding]) -> Callable[[Finding], frozenset[str]]:
    """What tells all names of a finding's vulnerability: its own, and those that others of these findings add."""
    parents: dict[Key, Key] = {}
    for item in findings:
        found = keys_of(item) if item.category is Category.VULNERABILITY else ()
        for key in found:
            parents[_root(parents, key)] = _root(parents, found[0])
    names: dict[Key, set[str]] = {}
    for key in tuple(parents):
        names.setdefault(_root(parents, key), set()).add(key[1])

    def of(finding: Finding) -> frozenset[str]:
        own = keys_of(finding)
        return frozenset({key[1] for key in own}.union(*(names.get(_root(parents, key), set()) for key in own)))

    return of


def keys_of(finding: Finding) -> tuple[Key, ...]:
    """Where a vulnerability is, with each of its names in capital letters."""
    where = dumps([finding.artifact, component_of(finding.purl)]).decode()
    return tuple((where, name.upper()) for name in (finding.rule, *finding.aliases))


def component_of(purl: str | None) -> str | None:
    """A package URL without qualifiers and sub-path; names of Python distributions in normal form."""
    if purl is None:
        return None
    plain = purl.partition("#")[0].partition("?")[0]
    head, at, version = plain.rpartition("@")
    if at and head.lower().startswith("pkg:pypi/"):
        return f"pkg:pypi/{_SEPARATORS.sub('-', head[len('pkg:pypi/') :]).lower()}@{version}"
    return plain


def _root(parents: dict[Key, Key], key: Key) -> Key:
    while (parent := parents.setdefault(key, key)) != key:
        parents[key] = parents[parent]
        key = parent
    return key


def _name(key: Key, names: frozenset[str]) -> str:
    return f"group-{hex_of(sha256_digest(dumps([key[0], *sorted(names)])))[:16]}"
