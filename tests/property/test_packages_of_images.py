"""What is left out before packages are compared by their names is none that is wanted, however it is spelt."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gate.evaluate.regorus import CompiledRules
from gate.model.json import JsonObject
from tests.property import rego_library as library

# As the rule was before: every component is spelt out and compared.
SLOWLY = """\
package gate.slowly_test

import data.gate.lib.installed
import data.gate.lib.versions
import future.keywords.not

wanted := {name | some url, _ in installed.minimums; some name in [versions.canonical(url), versions.name(url)]}

answer := {
	"quickly": installed.packages,
	"slowly": packages,
}

packages := {[image, name, version] |
	some [image, component] in installed._components
	installed._has_url(component)
	name := versions.canonical(component.purl)
	name in wanted
	some version in installed._said(component)
} | {[image, name, "unknown"] |
	some [image, component] in installed._components
	is_string(component.name)
	not installed._has_url(component)
	name := versions.name(component.name)
	name in wanted
}
"""
RULE = "data.gate.slowly_test.answer"
RULES = CompiledRules({**library.modules("rego"), "slowly_test.rego": SLOWLY}, [RULE])
IMAGE = "sha256:" + "1" * 64
STATEMENT = "sha256:" + "2" * 64
NAMES = ["torch", "vllm", "typing_extensions", "a.b-c", "c++", "++", "@scope/core", "org.apache/log4j-core", "k8s"]
MINIMUMS = [f"pkg:{kind}/{name}" for kind in ("pypi", "npm", "generic") for name in NAMES]
PIECES = [
    "pkg:",
    "pypi",
    "npm",
    "generic",
    "/",
    "//",
    "@",
    "-",
    "_",
    ".",
    "%",
    "%2f",
    "%6B",
    "#",
    "?",
    " ",
    "1.2",
    "\u212a",
]
SPELLINGS = st.one_of(
    st.sampled_from([f"{url}@1.2" for url in MINIMUMS]),
    st.sampled_from(NAMES),
    st.lists(st.sampled_from([*PIECES, *NAMES, "TORCH", "Typing.Extensions", "8s", "torchvision"]), max_size=7).map(
        "".join
    ),
    st.text(max_size=6),
)


@st.composite
def respelt(draw: st.DrawFn) -> str:
    """A wanted package, in a spelling that may be another one."""
    text = draw(st.sampled_from([f"{url}@1.2" for url in MINIMUMS]))
    found = []
    for letter in text:
        others = {"/": ["//"], "k": ["\u212a"], "-": ["_", ".", "--"]}.get(letter, [])
        ways = [letter, letter.upper(), f"%{ord(letter):02x}", *others]
        found.append(draw(st.sampled_from(ways)) if draw(st.integers(0, 5)) == 0 else letter)
    return draw(st.sampled_from(["", " "])) + "".join(found) + draw(st.sampled_from(["", "?a=b", "#c", "/"]))


URLS = st.one_of(st.none(), st.integers(), SPELLINGS, respelt())
COMPONENTS = st.lists(
    st.fixed_dictionaries({"name": st.one_of(SPELLINGS, st.none()), "version": st.just("1.2"), "purl": URLS})
)


def answer(components: list[dict[str, Any]], minimums: list[str]) -> dict[str, Any]:
    """Both answers for an image with a bill of materials of some components."""
    parts = {str(n): {**one, "digests": {}, "licenses": []} for n, one in enumerate(components)}
    facts: JsonObject = {
        "format": "cyclonedx",
        "version": "1.6",
        "root": None,
        "completeness": "complete",
        "components": parts,
        "cards": {},
        "datasets": {},
    }
    value = dict(library.inputs()["deployed"])
    template: Any = next(iter(json.loads(json.dumps(value["attestations"])).values()))
    value |= {
        "artifacts": {
            "server": {
                "kind": "container",
                "path": None,
                "reference": "registry.example/x",
                "mutable_reference": False,
                "base": None,
                "digest": IMAGE,
                "files": {},
            }
        },
        "attestations": {STATEMENT: {**template, "claim": "sbom", "artifacts": ["server"], "facts": facts}},
        "claims": {"sbom": {"all": [STATEMENT], "by_artifact": {"server": [STATEMENT]}}},
        "parameters": {"deploy.safe_loading": {"minimum_versions": dict.fromkeys(minimums, "1.0")}},
    }
    text = RULES.value(RULE, json.dumps(value).encode())
    assert text is not None
    found: dict[str, Any] = json.loads(text)
    return found


@given(COMPONENTS, st.lists(st.sampled_from(MINIMUMS), max_size=4, unique=True))
@settings(max_examples=300, deadline=None)
def test_the_same_packages_are_found(components: list[dict[str, Any]], minimums: list[str]) -> None:
    found = answer(components, minimums)
    assert found["quickly"] == found["slowly"]


def test_a_package_is_found_in_each_spelling_that_means_it() -> None:
    spellings = [
        "pkg:pypi/torch@1",
        "PKG:PyPI/Torch@2",
        "pkg:pypi//torch@3",
        "pkg:pypi/%74orch@4",
        "pkg:/pypi/t%6frch@5",
    ]
    parts: list[dict[str, Any]] = [{"name": "x", "version": None, "purl": text} for text in spellings]
    parts.append({"name": "org/Torch", "version": None, "purl": None})
    found = answer(parts, ["pkg:pypi/torch"])
    versions = [version for _, _, version in found["quickly"]]
    assert sorted(versions) == ["1", "2", "3", "4", "5", "unknown"]
    assert found["quickly"] == found["slowly"]
