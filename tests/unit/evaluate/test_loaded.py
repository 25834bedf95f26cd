"""An engine that loads less answers the same: for every control, and for every document that there is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from gate.errors import PolicyError
from gate.evaluate.accept import accept_report
from gate.evaluate.bundle import PolicyBundle, make_bundle, packaged_bundle, with_own_controls
from gate.evaluate.catalogue import control_id
from gate.evaluate.loaded import asking, loaded
from gate.evaluate.reach import references
from gate.evaluate.regorus import RegorusEngine
from gate.evaluate.syntax import parse
from gate.formats import canonical_json
from gate.model.control import Mode, Profile
from gate.model.digest import sha256_digest
from gate.model.document import InputDocument
from tests.property.rego_library import inputs

LIBRARY = packaged_bundle()
INPUTS: dict[str, Any] = dict(inputs())
OWN = """\
# METADATA
# title: Own
# description: One of our own.
# custom:
#   severity: low
#   claims: []
#   artifacts: [weights]
#   targets: [deployment]
#   waivable: true
#   fix: Do it.
package {package}

{more}
status := "pass"
violations := set()
evidence := set()
reason := "it is ours"
"""


def own(more: str = "", package: str = "custom.team.rule") -> dict[str, bytes]:
    return {f"{package.replace('.', '/')}/rule.rego": OWN.format(package=package, more=more).encode()}


def controls_in(modules: Mapping[str, str]) -> set[str]:
    return {name for name in map(control_id, modules) if name is not None}


def asked_by(value: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(name for name, one in value["profile"]["controls"].items() if one["mode"] != "off")


def document_of(value: Mapping[str, Any]) -> InputDocument:
    canonical = canonical_json.dumps(dict(value))
    return InputDocument(dict(value), canonical, sha256_digest(canonical))


def asking_for(value: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    controls = {name: {"mode": "enforce"} for name in sorted(names)}
    return {**value, "profile": {**value["profile"], "controls": controls}}


@pytest.mark.parametrize("name", sorted(INPUTS))
def test_every_document_has_the_report_that_the_whole_library_gives(name: str) -> None:
    document = document_of(INPUTS[name])
    asked = asked_by(INPUTS[name])
    less = loaded(asking(LIBRARY, asked))
    assert controls_in(less.modules) == asked < LIBRARY.catalogue.keys()
    assert RegorusEngine(less).report(document) == RegorusEngine(LIBRARY).report(document)


def test_each_control_alone_says_what_it_says_among_all() -> None:
    everything = document_of(asking_for(INPUTS["everything"], set(LIBRARY.catalogue)))
    whole = json.loads(RegorusEngine(LIBRARY).report(everything))["controls"]
    assert whole.keys() == LIBRARY.catalogue.keys()
    for name in LIBRARY.catalogue:
        engine = RegorusEngine(loaded(asking(LIBRARY, {name})))
        alone = json.loads(engine.report(document_of(asking_for(INPUTS["everything"], {name}))))
        assert alone["controls"] == {name: whole[name]}


def test_all_that_is_no_control_is_loaded_whatever_is_asked_for() -> None:
    rest = {path: text for path, text in LIBRARY.modules.items() if control_id(path) is None}
    assert loaded(asking(LIBRARY, frozenset())).modules == rest
    assert loaded(LIBRARY) is LIBRARY


def test_the_policy_stays_what_it_is() -> None:
    less = asking(LIBRARY, {"artifact.pinned"})
    assert (less.digest, less.files, less.catalogue) == (LIBRARY.digest, LIBRARY.files, LIBRARY.catalogue)
    assert less.modules == LIBRARY.modules


def test_s25_a_control_that_is_asked_for_and_not_loaded_is_no_decision() -> None:
    engine = RegorusEngine(loaded(asking(LIBRARY, {"artifact.pinned"})))
    value = asking_for(INPUTS["everything"], {"artifact.pinned", "artifact.signed"})
    document = document_of(value)
    profile = Profile("own", dict.fromkeys(("artifact.pinned", "artifact.signed"), Mode.ENFORCE), {})
    with pytest.raises(PolicyError, match=r"no status for artifact\.signed"):
        accept_report(engine.report(document), profile, document)


def test_nothing_asked_for_of_the_library_loads() -> None:
    policy = with_own_controls(LIBRARY, [own()])
    engine = RegorusEngine(loaded(asking(policy, {"custom.team.rule"})))
    report = json.loads(engine.report(document_of(asking_for(INPUTS["everything"], {"custom.team.rule"}))))
    assert report["controls"]["custom.team.rule"]["status"] == "pass"


def test_own_controls_are_loaded_whether_asked_for_or_not() -> None:
    policy = with_own_controls(LIBRARY, [own()])
    assert controls_in(loaded(asking(policy, {"artifact.pinned"})).modules) == {"artifact.pinned", "custom.team.rule"}


def test_what_replaces_a_control_of_the_library_is_loaded() -> None:
    replacing = {"gate/controls/artifact/signed/signed.rego": own(package="gate.controls.artifact.signed").popitem()[1]}
    policy = with_own_controls(LIBRARY, [replacing], ["artifact.signed"])
    assert controls_in(loaded(asking(policy, {"artifact.pinned"})).modules) == {"artifact.pinned", "artifact.signed"}


@pytest.mark.parametrize(
    "more",
    [
        "import data.gate.controls.artifact.pinned\nother := pinned.status",
        "import data.gate.controls as all\nother := all.artifact.pinned.status",
        "import data.gate\nother := gate.controls.artifact.pinned.status",
        "import data as everything\nother := everything.gate.controls.artifact.pinned.status",
        "other := data.gate.controls.artifact.pinned.status",
        'other := data["gate"].controls.artifact.pinned.status',
        'other := data.gate["controls"].artifact.pinned.status',
        "other := data.gate[family].pinned.status if family := input.context.target",
        "other := data.gate.library.x",
        "other := data.customs",
        'other := "words about data"',
        "other := data # .gate.lib",
        "first := `\n# ` other := data.gate.controls.artifact.pinned.status",
        "# words\rother := data.gate.controls.artifact.pinned.status",
    ],
)
def test_a_control_of_ones_own_that_may_read_another_one_has_all_of_them(more: str) -> None:
    policy = asking(with_own_controls(LIBRARY, [own(more)]), {"custom.team.rule"})
    assert loaded(policy) is policy


def test_a_control_of_ones_own_may_use_what_is_shared() -> None:
    more = (
        "# words about data\nimport data.gate.lib.document\nimport data.custom.lib.shared\nother := document.artifacts"
    )
    shared = {"custom/lib/shared/shared.rego": b"package custom.lib.shared\n\nx := data.custom.lib.shared\n"}
    policy = asking(with_own_controls(LIBRARY, [own(more), shared]), {"custom.team.rule"})
    assert controls_in(loaded(policy).modules) == {"custom.team.rule"}


def test_no_module_of_the_library_reads_a_control_but_the_one_that_asks_all() -> None:
    """What the module relies on. Otherwise a control would say something else where another is not loaded."""
    reading = set()
    for path, text in LIBRARY.modules.items():
        module = parse(path, text)
        for reference in (one for rule in module.rules for one in references(module, rule)):
            beyond = reference.path[0] == "data" and reference.path[1:3] != ("gate", "lib")
            if beyond and reference.path[1:] != module.package[: len(reference.path) - 1]:
                reading.add(path)
    assert reading == {"gate/main/main.rego"}


@pytest.mark.parametrize("changed", ["gate/main/main.rego", "gate/controls/artifact/signed/signed.rego"])
def test_a_signed_policy_leaves_out_only_what_is_as_it_was_installed(changed: str) -> None:
    files = {**LIBRARY.files, changed: LIBRARY.files[changed] + b"\n# changed\n"}
    policy: PolicyBundle = asking(make_bundle(files, serial=7), {"artifact.pinned"})
    found = controls_in(loaded(policy).modules)
    if changed.endswith("main.rego"):
        assert found == LIBRARY.catalogue.keys()
    else:
        assert found == {"artifact.pinned", "artifact.signed"}
    same = asking(make_bundle(dict(LIBRARY.files), serial=7), {"artifact.pinned"})
    assert controls_in(loaded(same).modules) == {"artifact.pinned"}
