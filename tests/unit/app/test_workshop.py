"""What the commands for authors read: directories, tests, what gate.yaml says, and OPA and Regal on top of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gate.app.policy_lint import lint_policy
from gate.app.policy_new import NewControl, new_control
from gate.app.rego_tools import Tools, check_policy, format_policy
from gate.app.workshop import load_sources, policy_directories
from gate.errors import ConfigError, EvidenceError, PolicyError
from tests.acceptance.world import inside
from tests.support.cases import packaged
from tests.support.opa_server import opa_program

RULES = "policy/gate/controls/team/tested/tested.rego"
PINNED = "gate/controls/artifact/pinned/pinned.rego"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    new_control(tmp_path, NewControl("team.tested"))
    return tmp_path


def write(place: Path, path: str, data: bytes | str) -> None:
    (place / path).parent.mkdir(parents=True, exist_ok=True)
    (place / path).write_bytes(data if isinstance(data, bytes) else data.encode())


def swap(place: Path, old: str, new: str, path: str = RULES) -> None:
    text = (place / path).read_text()
    assert old in text
    write(place, path, text.replace(old, new))


class TestSources:
    def test_the_folder_policy_counts_without_a_configuration(self, place: Path) -> None:
        sources = load_sources(place)
        assert sources.bundle.own == ("team.tested",)
        assert list(sources.own) == [RULES.removeprefix("policy/")]
        assert list(sources.tests) == [RULES.removeprefix("policy/").replace(".rego", "_test.rego")]
        assert sources.place(RULES.removeprefix("policy/")) == RULES
        assert sources.place(PINNED) == PINNED
        assert set(sources.modules) == {*packaged().modules, *sources.own, *sources.tests}

    def test_what_gate_yaml_names_counts(self, place: Path) -> None:
        (place / "policy").rename(place / "rules")
        write(place, "gate.yaml", "nonsense: true\npolicy: {directories: [rules/]}\n")
        assert policy_directories(place) == (("rules",), frozenset())
        assert load_sources(place).bundle.own == ("team.tested",)
        assert load_sources(place, ["rules/"]).bundle.own == ("team.tested",)

    @pytest.mark.parametrize("text", ["version: 1\n", "policy: {bundle: p.tar.gz, serial: 1}\n"])
    def test_a_configuration_that_names_none_leaves_the_folder(self, place: Path, text: str) -> None:
        write(place, "gate.yaml", text)
        assert load_sources(place).bundle.own == ("team.tested",)

    def test_a_configuration_that_cannot_be_read_is_an_error_with_its_place(self, place: Path) -> None:
        write(place, "gate.yaml", "version: 1\npolicy: []\n")
        with pytest.raises(ConfigError, match=r"gate\.yaml:2:9: expected a mapping"):
            load_sources(place)

    def test_there_has_to_be_something(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="no policy directory") as caught:
            load_sources(tmp_path)
        assert "gate policy new" in caught.value.hint
        with pytest.raises(ConfigError, match="no directory 'nowhere'"):
            load_sources(tmp_path, ["nowhere"])

    def test_what_gate_yaml_replaces_is_replaced_where_it_is(self, place: Path) -> None:
        write(place, f"policy/{PINNED}", packaged().files[PINNED])
        new_control(place, NewControl("team.more", directory="more"))
        with pytest.raises(PolicyError, match="is there already"):
            load_sources(place)
        write(place, "gate.yaml", "policy: {directories: [policy], replaces: [artifact.pinned]}\n")
        assert load_sources(place).bundle.replaced == ("artifact.pinned",)
        assert load_sources(place, ["policy"]).bundle.replaced == ("artifact.pinned",)
        assert load_sources(place, ["more"]).bundle.replaced == ()
        assert load_sources(place, ["policy"], replaces=["artifact.pinned"]).bundle.replaced == ("artifact.pinned",)

    def test_a_folder_of_the_whole_library_stands_for_it(self, tmp_path: Path) -> None:
        for path, data in packaged().files.items():
            write(tmp_path, f"rules/{path}", data)
        write(tmp_path, "tests/gate/helper/helper.rego", "package gate.helper\n")
        write(tmp_path, "tests/gate/helper/data.json", "{}")
        sources = load_sources(tmp_path, ["rules"], ["tests/"])
        assert sources.bundle == packaged()
        assert dict(sources.own) == dict(packaged().modules)
        assert list(sources.tests) == ["gate/helper/helper.rego"]
        assert sources.place("gate/helper/helper.rego") == "tests/gate/helper/helper.rego"

    def test_data_that_no_bundle_would_hold_is_refused(self, place: Path) -> None:
        write(place, "policy/data.json", "{}")
        with pytest.raises(PolicyError, match="no part of a policy"):
            load_sources(place)

    def test_a_test_that_is_not_utf8_is_an_error(self, place: Path) -> None:
        write(place, RULES.replace(".rego", "_test.rego"), b"\xff")
        with pytest.raises(ConfigError, match=r"tested_test\.rego is not UTF-8"):
            load_sources(place)

    def test_links_are_refused(self, place: Path) -> None:
        (place / "policy/linked").symlink_to(place)
        with pytest.raises(EvidenceError, match="is a link"):
            load_sources(place)


class TestLint:
    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (lambda place: (place / "policy/docs/team/tested.md").unlink(), "has no page policy/docs/team/tested.md"),
            (
                lambda place: (place / "policy/scenarios/team.tested/passes/input.json").unlink(),
                "has no scenario policy/scenarios/team.tested/passes/input.json",
            ),
            (lambda place: write(place, "policy/scenarios/team.tested/passes/input.json", "{}"), "required"),
            (lambda place: write(place, "policy/scenarios/team.tested/passes/input.json", "{"), "not JSON"),
            (
                lambda place: write(place, "policy/scenarios/team.tested/refuses/expected.json", "[]"),
                'expected {"status"',
            ),
            (lambda place: swap(place, "artifact.kind", "artifact.knd"), "did you mean 'kind'?"),
            (lambda place: swap(place, "package gate", "package gates"), "has the package gates"),
            (lambda place: write(place, "policy/x.rego", "package x\n"), "no part of a policy"),
            (lambda place: swap(place, "some name in subjects", "some name in"), ""),
        ],
    )
    def test_each_thing_is_found(self, place: Path, damage: Callable[[Path], None], message: str) -> None:
        damage(place)
        found = lint_policy(place).findings[0]
        assert message in found.message
        assert found.path.startswith("policy")

    def test_a_requirement_that_no_framework_has_is_found(self, place: Path) -> None:
        frameworks = "{relation: supports, ids: [%s]}"
        named = "".join(
            f"#     {name}: {frameworks % ids}\n"
            for name, ids in (
                ("NIST-800-218A", "PS.2.1, PS.2.7"),
                ("EU-AI-Act", "Article 99"),
                ("ACME-7", "A-1"),
            )
        )
        swap(place, "package gate", f"#   frameworks:\n{named}package gate")
        (found,) = (one for one in lint_policy(place).findings if one.rule == "framework")
        assert (found.path, found.line) == (RULES, 1)
        assert found.message == "NIST-800-218A has no requirement 'PS.2.7'; did you mean 'PS.2.1'?"

    def test_the_document_says_the_same(self, place: Path) -> None:
        (place / "policy/docs/team/tested.md").unlink()
        document = lint_policy(place).document
        assert document["controls"] == 1
        (found,) = json.loads(json.dumps(document))["findings"]
        assert (found["file"], found["line"], found["column"], found["rule"]) == (RULES, 1, 1, "page")


def program(place: Path, name: str, script: str) -> str:
    path = place / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


class TestTools:
    """OPA itself says that a misspelt field is an error, with the schema that the METADATA names."""

    def test_a_new_control_is_formatted_and_checked(self, place: Path) -> None:
        tools = Tools(opa_program())
        assert format_policy(place, [], [], tools, check=True) == ()
        checked = check_policy(place, [], [], tools)
        assert (checked.findings, checked.ran) == ((), ("opa",))
        assert checked.absent[0].startswith("regal is not on the PATH: install")

    def test_a_misspelt_field_fails_the_check(self, place: Path) -> None:
        swap(place, "\tartifact.kind", "\tinput.context.targt\n\tartifact.kind")
        (found,) = check_policy(place, [], [], Tools(opa_program())).findings
        assert (found.path, found.line, found.rule) == (RULES, 31, "opa")
        assert found.message == "undefined ref: input.context.targt"

    def test_a_builtin_that_only_opa_has_fails_the_check(self, place: Path) -> None:
        swap(place, "\tartifact.kind", "\tglob.match(name, [], name)\n\tartifact.kind")
        assert any("glob.match" in one.message for one in check_policy(place, [], [], Tools(opa_program())).findings)

    def test_what_does_not_parse_is_a_finding(self, place: Path) -> None:
        swap(place, "some name in subjects", "some name in")
        found = check_policy(place, [], [], Tools(opa_program())).findings
        assert found
        assert all(one.path == RULES for one in found)
        with pytest.raises(ConfigError, match="rego_parse_error"):
            format_policy(place, [], [], Tools(opa_program()), check=True)

    def test_what_cannot_be_loaded_is_a_finding(self, place: Path) -> None:
        write(place, "policy/x.rego", "package x\n")
        (found,) = check_policy(place, [], [], Tools(opa_program())).findings
        assert "no part of a policy" in found.message

    def test_files_are_formatted(self, place: Path) -> None:
        before = (place / RULES).read_bytes()
        swap(place, "\tartifact.kind", "     artifact.kind")
        tools = Tools(opa_program())
        assert format_policy(place, ["policy"], [], tools, check=True) == (RULES,)
        assert (place / RULES).read_bytes() != before
        assert format_policy(place, ["policy"], [], tools, check=False) == (RULES,)
        assert (place / RULES).read_bytes() == before

    def test_what_regal_finds_is_shown_where_it_is(self, place: Path) -> None:
        own = RULES.removeprefix("policy/")
        entries = [
            {"title": "a", "description": "Own", "location": {"file": f"policy/{own}", "row": 3, "col": 2}},
            {
                "title": "b",
                "description": "The library's",
                "location": {"file": f"policy/{PINNED}", "row": 3, "col": 2},
            },
            {"title": "c", "description": "None", "location": {}},
            "no entry",
        ]
        regal = program(place, "regal", f"echo '{json.dumps({'violations': entries}).replace(chr(39), '')}'; exit 3")
        checked = check_policy(place, [], [], Tools(None, regal))
        found = [(one.path, one.line, one.column, one.message) for one in checked.findings]
        assert found == [("", 1, 1, "None (c)"), (RULES, 3, 2, "Own (a)")]
        assert checked.ran == ("regal",)

    def test_without_the_programs_it_says_what_to_install(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(place))
        with pytest.raises(ConfigError, match="neither opa nor regal") as caught:
            check_policy(place, [], [], Tools())
        assert "openpolicyagent.org" in caught.value.hint
        with pytest.raises(ConfigError, match="no opa on the PATH"):
            format_policy(place, [], [], Tools(), check=True)
        with pytest.raises(ConfigError, match="--opa: 'nothing' is no program"):
            check_policy(place, [], [], Tools("nothing"))

    @pytest.mark.parametrize(
        ("script", "words"),
        [("exit 7", "exit code 7"), ("echo broken >&2; exit 1", "broken"), ("echo '[]'; exit 1", "[]")],
    )
    def test_a_program_that_fails_is_a_clear_error(self, place: Path, script: str, words: str) -> None:
        opa = program(place, "opa", script)
        for act in (
            lambda: check_policy(place, [], [], Tools(opa)),
            lambda: format_policy(place, [], [], Tools(opa), check=True),
        ):
            with pytest.raises(ConfigError) as caught:
                act()
            assert words in str(caught.value)

    def test_a_program_that_cannot_write_is_a_clear_error(self, place: Path) -> None:
        opa = program(place, "opa", 'test "$2" = --list && echo x.rego || { echo full >&2; exit 1; }')
        with pytest.raises(ConfigError, match="opa fmt: full"):
            format_policy(place, [], [], Tools(opa), check=False)

    def test_a_program_that_is_none_or_hangs_is_a_clear_error(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken = program(place, "opa", "")
        Path(broken).write_bytes(b"\x7fELF nothing")
        with pytest.raises(ConfigError, match="cannot be run"):
            check_policy(place, [], [], Tools(broken))
        monkeypatch.setattr("gate.app.rego_tools._TIMEOUT_S", 0.2)
        with pytest.raises(ConfigError, match="took longer"):
            check_policy(place, [], [], Tools(program(place, "opa", "exec sleep 60")))

    def test_fmt_needs_directories_that_are_there(self, place: Path) -> None:
        with pytest.raises(ConfigError, match="no directory 'nowhere'"):
            format_policy(place, ["nowhere"], [], Tools(opa_program()), check=True)


def test_the_commands_say_what_they_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    opa = opa_program()
    first = inside("policy", "new", "team.tested", "--directory", "rules/")
    assert first.code == 0
    assert "policy: {directories: [rules]}" in first.out
    assert "profile: team" in first.out
    assert "gate policy test rules" in first.out
    assert '"team.more": {"mode": "enforce"}' in inside("policy", "new", "team.more", "--directory", "rules").out
    assert inside("policy", "lint", "rules").out == "2 controls, nothing to say\n"
    assert inside("policy", "fmt", "rules", "--opa", opa).out == "everything is formatted\n"
    assert inside("policy", "check", "rules", "--opa", opa).out.endswith("opa: nothing found\n")
    rules = tmp_path / "rules/gate/controls/team/more/more.rego"
    rules.write_text(rules.read_text().replace("\tartifact.kind", "  input.context.nows\n\tartifact.kind"))
    linted, listed, checked, formatted = (
        inside("policy", "lint", "rules"),
        inside("policy", "lint", "rules", "--format", "json"),
        inside("policy", "check", "rules", "--opa", opa),
        inside("policy", "fmt", "rules", "--check", "--opa", opa),
    )
    assert [done.code for done in (linted, listed, checked, formatted)] == [13, 13, 13, 13]
    assert linted.out.endswith("1 finding\n")
    assert json.loads(listed.out)["findings"][0]["rule"] == "input-path"
    assert checked.out.endswith("1 finding of opa\n")
    assert formatted.out == "not formatted: rules/gate/controls/team/more/more.rego\n"
    (tmp_path / "rules/docs/team/more.md").unlink()
    assert inside("policy", "lint", "rules").out.endswith("2 findings\n")
    assert inside("policy", "lint", "nowhere").code == 2
