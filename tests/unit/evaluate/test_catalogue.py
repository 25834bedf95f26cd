"""Controls and profiles as data: what is malformed or asks for nothing is refused with a place (CONTROLS 1, 4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.errors import ConfigError, PolicyError
from gate.evaluate.catalogue import load_profile, read_control, without_metadata
from gate.model.control import ControlInfo, Mode, Parameter, Profile
from tests.support.cases import packaged

PATH = "gate/controls/artifact/signed/signed.rego"
METADATA = """# METADATA
# title: Title
# description: Description.
# custom:
#   severity: high
#   claims: [prompt]
#   artifacts: [weights]
#   targets: [deployment]
#   waivable: false
#   fix: Do it.
#   parameters:
#     - {name: limit, type: string, default: low, meaning: the limit}
#     - {name: <claim>, type: seconds, default: none, meaning: an age}
#   frameworks:
#     OWASP: {relation: supports, ids: [LLM03]}
package gate.controls.artifact.signed
"""


def control(text: str = METADATA, path: str = PATH) -> ControlInfo:
    return read_control(path, text)


def test_a_control_is_read_from_its_metadata() -> None:
    found = control()
    assert (found.id, found.title, found.severity, found.waivable) == ("artifact.signed", "Title", "high", False)
    assert (found.claims, found.artifacts, found.targets) == (("prompt",), ("weights",), ("deployment",))
    assert found.frameworks["OWASP"].ids == ("LLM03",)
    assert found.parameters[0] == Parameter("limit", "string", "the limit", "low")
    assert found.family == "artifact"


def test_a_control_may_be_about_a_claim_of_a_third_party() -> None:
    assert control(METADATA.replace("[prompt]", "[prompt, x.acme.energy]")).claims == ("prompt", "x.acme.energy")
    for bad in ("x.acme", "y.acme.energy", "x.acme.*"):
        with pytest.raises(PolicyError, match="is not one of"):
            control(METADATA.replace("[prompt]", f"[{bad}]"))


@pytest.mark.parametrize(
    ("default", "value"),
    [("low", "low"), ("none", "none"), ("300", 300), ("false", False), ("null", None), ("[a, b]", ["a", "b"])],
)
def test_a_default_keeps_its_type(default: str, value: Any) -> None:
    found = control(METADATA.replace("default: low", f"default: {default}")).parameters[0].default
    assert found == value
    assert type(found) is type(value)


def test_a_default_may_be_absent() -> None:
    assert control(METADATA.replace("default: low, ", "")).parameters[0].default is None


def test_the_family_is_all_but_the_last_part_of_the_id() -> None:
    path = "custom/scan/virus/virus.rego"
    assert (control(path=path).id, control(path=path).family) == ("custom.scan.virus", "custom.scan")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("# METADATA\n# title: x\npackage a\n# b\n", "package a\n# b\n"),
        ("# c\n\n# METADATA\n# title: x\n\npackage a", "# c\n\n\npackage a"),
        ("# METADATA\r\n# title: x\r\npackage a\r\n", "package a\r\n"),
        ("# METADATA\n# title: x", ""),
        ("package a\n# METADATA\n# title: x\ny := 1", "package a\n# METADATA\n# title: x\ny := 1"),
        ("x := `\n# METADATA\n# title: x\n`", "x := `\n# METADATA\n# title: x\n`"),
        ("# only comments", "# only comments"),
        ("", ""),
    ],
)
def test_only_a_block_before_everything_else_is_left_out(text: str, left: str) -> None:
    assert without_metadata(text) == left


def test_frameworks_and_parameters_may_be_absent() -> None:
    found = control(METADATA[: METADATA.index("#   parameters")] + "package x\n")
    assert (found.frameworks, found.parameters) == ({}, ())


def test_comments_before_and_after_the_block_do_not_matter() -> None:
    assert control("# A comment.\n\n" + METADATA + "\n# METADATA\n# title: Other\nx := 1\n").title == "Title"


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("# METADATA\n", "", "has no METADATA"),
        ("# METADATA", "# METADATA:", "has no METADATA"),
        ("# title: Title\n", "", "title is missing"),
        ("# description: Description.\n", "", "description is missing"),
        ("# custom:", "# custom_:", "unknown key 'custom_'"),
        ("#   severity: high\n", "", "severity is missing"),
        ("#   claims: [prompt]\n", "", "claims is missing"),
        ("#   artifacts: [weights]\n", "", "artifacts is missing"),
        ("#   targets: [deployment]\n", "", "targets is missing"),
        ("#   waivable: false\n", "", "waivable is missing"),
        ("#   fix: Do it.\n", "", "fix is missing"),
        ("severity: high", "severity: fatal", "'fatal' is not one of"),
        ("claims: [prompt]", "claims: [promt]", "did you mean 'prompt'"),
        ("waivable: false", "waivable: 'no'", "waivable is true or false"),
        ("waivable: false", "waivable: no", "waivable is true or false"),
        ("relation: supports", "relation: proves", "'proves' is not one of"),
        ("relation: supports, ", "", "relation is missing"),
        (", ids: [LLM03]", "", "ids is missing"),
        ("name: limit, ", "", "name is missing"),
        ("type: string, ", "", "type is missing"),
        (", meaning: the limit", "", "meaning is missing"),
        ("# title: Title", "# title: [", "not YAML"),
        ("# title: Title", "# title: ''", "expected text"),
        ("# title: Title\n", "# title: Title\n# title: Title\n", "duplicate key"),
        ("#   fix: Do it.", "#   fix: Do it.\n#   waived: true", "unknown key 'waived'"),
        ("# custom:\n", "# custom: yes\n# scope:\n", "expected"),
    ],
)
def test_malformed_metadata_is_refused_with_its_place(old: str, new: str, match: str) -> None:
    assert old in METADATA
    with pytest.raises(PolicyError, match=match) as caught:
        control(METADATA.replace(old, new, 1))
    assert str(caught.value).startswith(PATH)
    assert caught.value.exit_code == 4


def test_metadata_may_end_with_the_file() -> None:
    text = METADATA[: METADATA.index("package")]
    assert control(text).id == "artifact.signed"
    assert control(text.removesuffix("\n")) == control(text)


def test_metadata_without_custom_is_refused() -> None:
    with pytest.raises(PolicyError, match="custom is missing"):
        control("# METADATA\n# title: T\n# description: D\npackage x\n")


@pytest.mark.parametrize(
    "path",
    [
        "gate/controls/signed.rego",
        "gate/controls/artifact/signed.rego",
        "gate/controls/artifact/signed/helper.rego",
        "gate/controls/artifact/more/signed/signed.rego",
        "gate/controls/artifact/../x/x.rego",
        "gate/controls/Artifact/signed/signed.rego",
    ],
)
def test_a_control_in_another_place_is_refused(path: str) -> None:
    with pytest.raises(PolicyError, match="a control lies in"):
        control(path=path)


@pytest.mark.parametrize("path", ["gate/lib/evidence.rego", "custom/lib/names.rego"])
def test_a_module_where_no_control_lies_is_no_control(path: str) -> None:
    with pytest.raises(PolicyError, match=f"{path} is no control"):
        control(path=path)


def test_every_packaged_control_is_in_the_catalogue() -> None:
    folders = {path.rpartition("/")[0] for path in packaged().modules if path.startswith("gate/controls/")}
    assert len(packaged().catalogue) == len(folders) >= 13
    for name, info in packaged().catalogue.items():
        assert info.id == name
        assert info.title
        assert info.fix


# -- profiles ----------------------------------------------------------------------------------------------------------


def profile(value: Any, *, overrides: Any = None, **more: Any) -> Profile:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return load_profile("mine", text, packaged().catalogue, overrides or {}, **more)


def asking(controls: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"controls": {name: {"mode": mode} for name, mode in controls.items()}} | more


ENFORCED = asking({"artifact.signed": "enforce"})


def refused(value: Any, match: str, **more: Any) -> None:
    with pytest.raises(ConfigError, match=match) as caught:
        profile(value, **more)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", sorted(packaged().profiles))
def test_every_packaged_profile_loads(name: str) -> None:
    found = load_profile(name, packaged().profiles[name], packaged().catalogue, {}, others=packaged().profiles)
    assert found.name == name == json.loads(packaged().profiles[name])["name"]
    assert found.asked <= set(packaged().catalogue)
    assert Mode.ENFORCE in found.controls.values()


def test_every_control_but_some_is_asked_for_by_a_packaged_profile() -> None:
    """Whom to ask, what to build from and what to withstand only an organisation knows: its profile asks."""
    theirs = {"approval.human", "approval.separated", "build.parameters", "eval.safety", "project.health"}
    theirs |= {"source.reviewed"}
    asked = [
        load_profile(name, text, packaged().catalogue, {}, others=packaged().profiles).asked
        for name, text in packaged().profiles.items()
    ]
    assert set().union(*asked) == set(packaged().catalogue) - theirs


def test_a_profile_asks_for_all_but_what_is_off() -> None:
    found = profile(asking({"artifact.signed": "enforce", "artifact.pinned": "warn", "scan.malware": "off"}))
    assert found.asked == {"artifact.signed", "artifact.pinned"}


@pytest.mark.parametrize(
    "controls",
    [{}, {"artifact.signed": "warn"}, {"artifact.signed": "off"}, {"artifact.signed": "off", "scan.malware": "warn"}],
)
def test_s25_a_profile_that_enforces_nothing_is_refused(controls: dict[str, str]) -> None:
    refused(asking(controls), "profile mine enforces no control, so it would let everything through")


@pytest.mark.parametrize("value", [{}, {"name": "x"}, {"controls": {}}])
def test_s25_a_profile_without_controls_is_refused(value: Any) -> None:
    refused(value, r"enforces no control|controls")


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (asking({"artifact.signd": "enforce"}), "no control 'artifact.signd'; did you mean 'artifact.signed'"),
        (asking({"x": "enforce"}), "no control 'x'"),
        (
            asking({"artifact.signed": "enforced"}),
            "'enforced' is not one of enforce, warn, off; did you mean 'enforce'",
        ),
        (asking({"artifact.signed": ""}), "expected text"),
        ({"controls": {"artifact.signed": {}}}, "mode is missing"),
        ({"controls": {"artifact.signed": "enforce"}}, "expected a mapping"),
        ({"controls": {"artifact.signed": {"mode": "enforce", "waive": True}}}, "unknown key 'waive'"),
        ({"controls": []}, "expected a mapping"),
        (ENFORCED | {"control": {}}, "unknown key 'control'; did you mean 'controls'"),
        (ENFORCED | {"parameters": []}, "expected a mapping"),
        (ENFORCED | {"parameters": {"scan.malware": 1}}, "expected a mapping"),
        (b"", "empty"),
        (b"\xff", "not UTF-8"),
        (b"controls: &a {}", "anchors"),
        (b"{controls: {}, controls: {}}", "duplicate key"),
    ],
)
def test_a_malformed_profile_is_refused_with_its_place(value: Any, match: str) -> None:
    refused(value, match)


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"scan.malwar": {}}, "no control 'scan.malwar'; did you mean 'scan.malware'"),
        ({"scan.malware": {"limt": 1}}, "scan.malware has no parameter 'limt'; did you mean 'limit'"),
        ({"artifact.signed": {"anything": 1}}, "artifact.signed has no parameter 'anything'"),
        ({"evidence.fresh": {"promt": 1}}, "evidence.fresh has no parameter 'promt'"),
        ({"scan.malware": {"prompt": 1}}, "scan.malware has no parameter 'prompt'"),
    ],
)
def test_an_unknown_parameter_is_refused_wherever_it_comes_from(parameters: Any, match: str) -> None:
    refused(ENFORCED | {"parameters": parameters}, match)
    refused(ENFORCED, match, overrides=parameters)


def test_the_configuration_goes_over_the_profile_parameter_by_parameter() -> None:
    own = {"scan.malware": {"limit": "low", "observed": True}, "evidence.fresh": {"eval": 60}}
    found = profile(ENFORCED | {"parameters": own}, overrides={"scan.malware": {"limit": "high"}, "scan.coverage": {}})
    assert found.parameters == {
        "scan.malware": {"limit": "high", "observed": True}, "evidence.fresh": {"eval": 60}, "scan.coverage": {},
    }  # fmt: skip


def test_an_empty_diff_is_allowed_only_where_the_configuration_says_so() -> None:
    own = ENFORCED | {"parameters": {"change.attested": {"on_empty_diff": "refuse"}}}
    assert profile(own).parameters["change.attested"] == {"on_empty_diff": "refuse"}
    assert profile(own, allow_empty_diff=True).parameters["change.attested"] == {"on_empty_diff": "allow"}
    assert profile(ENFORCED, allow_empty_diff=True).parameters == {"change.attested": {"on_empty_diff": "allow"}}
