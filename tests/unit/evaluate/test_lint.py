"""Lint: what is found, where, and that nothing is found where nothing can be known."""

from __future__ import annotations

import pytest

from gate.app.policy_new import NewControl, control_files
from gate.errors import PolicyError
from gate.evaluate import input_schema
from gate.evaluate.input_schema import ANY, Kind, input_shape
from gate.evaluate.lint import Finding, lint, problem
from gate.evaluate.references import References
from gate.evaluate.syntax import parse
from tests.support.cases import packaged

FILES = control_files(NewControl("team.tested"))
PATH = "gate/controls/team/tested/tested.rego"
TEST = "gate/controls/team/tested/tested_test.rego"
RULES = FILES[PATH].decode()
TESTS = FILES[TEST].decode()
TOP = """package gate.controls.a.b

import data.gate.lib.document
import data.gate.lib.result
import data.gate.lib.statements
import future.keywords.not

"""


def lost(body: str, *, with_input: bool = True) -> list[str]:
    """The messages about some rules, each with its line below the top and its column."""
    module = parse("gate/controls/a/b/b.rego", TOP + body)
    library = [parse(path, text) for path, text in packaged().modules.items()]
    found = References([*library, module]).lost(module, with_input=with_input)
    return [f"{one.line - TOP.count(chr(10))}:{one.column} {one.message}" for one in found]


UNKNOWN = {
    "a section": ("x := input.artifcats", "1:12 the input document has no artifcats here; did you mean 'artifacts'?"),
    "by brackets": ('x := input["artifcats"]', "1:12 the input document has no artifcats here"),
    "through a local": ("x if {\n\tc := input.context\n\tc.nows > 1\n}", "3:4 the input document has no nows here"),
    "through some": (
        "x if {\n\tsome a in input.artifacts\n\ta.knd == 1\n}",
        "3:4 the input document has no knd here; did you mean 'kind'?",
    ),
    "through a key": ("x if {\n\tsome n, _ in input.artifacts\n\tinput.artifacts[n].knd == 1\n}", "no knd here"),
    "through every": (
        "x if {\n\tevery a in input.artifacts {\n\t\ta.knd == 1\n\t}\n}",
        "3:5 the input document has no",
    ),
    "through a section of the library": ("x if document.change.filez", "1:22 the input document has no filez here"),
    "through the library in full": ("x if data.gate.lib.document.change.filez", "no filez here"),
    "through a rule": ("y := input.change\n\nx := y.filez", "no filez here"),
    "through a set rule": (
        "y contains a if some a in input.artifacts\n\nx if {\n\tsome a in y\n\ta.knd\n}",
        "no knd here",
    ),
    "through an object rule": ("y[n] := a if some n, a in input.artifacts\n\nx := y.z.knd", "no knd here"),
    "through a comprehension": (
        "x if {\n\tsome a in [b | some b in input.artifacts]\n\ta.knd\n}",
        "no knd here",
    ),
    "through an object comprehension": (
        "x if {\n\ty := {n: a | some n, a in input.artifacts}\n\ty.z.knd\n}",
        "no knd here",
    ),
    "in a comprehension": ("x := {a.knd | some a in input.artifacts}", "no knd here"),
    "in an argument": ("x := count(input.artifcats)", "no artifcats here"),
    "in a function": ("f(a) := input.context[a.b].c if input.artifcats", "no artifcats here"),
    "in an array": ("x := [1, {2: input.artifcats}]", "no artifcats here"),
    "in not": ("x if not input.artifcats", "no artifcats here"),
    "in else": ("x := 1 if {\n\tinput.context\n} else := 2 if {\n\tinput.artifcats\n}", "no artifcats here"),
    "in the value of an else": ("x := 1 if {\n\tinput.context\n} else := input.artifcats", "no artifcats here"),
    "in a key of the head": ("x[input.artifcats] := 1", "no artifcats here"),
    "in an equation": ("x if input.artifcats = 1", "no artifcats here"),
    "object.get": ('x := object.get(input, "artifcats", {})', "no artifcats here"),
    "below object.get": ('x := object.get(input, "change", {}).filez', "no filez here"),
    "a field of a list": ("x := input.gates.a.files.b", "the input document has a list here, so it has no b"),
    "an element of a list": ("x := input.attestations.a.signers[0].nam", "did you mean 'name'?"),
    "a field of a text": ("x := input.context.environment.b", "has a single value here, so it has no b"),
    "an index of an object": ("x := input.context[0]", "has no such key here"),
    "a rule of the library": (
        "x := document.artifcats",
        "1:15 there is no rule artifcats in gate.lib.document; did you",
    ),
    "a function of the library": ("x := result.violaton(1, 2, 3)", "1:13 there is no rule violaton in gate.lib.result"),
    "a rule in full": ("x := data.gate.lib.result.statuss", "there is no rule statuss in gate.lib.result"),
}


@pytest.mark.parametrize(("body", "message"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_leads_nowhere_is_found_once(body: str, message: str) -> None:
    (found,) = lost(body)
    assert message in found


KNOWN = {
    "open objects": "x if {\n\tsome a in input.attestations\n\ta.facts.anything.at.all\n\ta.predicate.x\n}",
    "parameters": 'x := input.parameters["a.b"].limit',
    "one of two shapes": "x if {\n\tsome f in input.change.files\n\tf.old.mode\n}",
    "computed keys": "x if {\n\tsome k in {1}\n\tinput.context[k].anything\n}",
    "what functions give": "f(a) := a.b.c\n\nx := f(input).d",
    "results of builtins": 'x := split("a", "b")[0].c',
    "locals that shadow": "x if {\n\tdocument := {}\n\tdocument.anything\n}",
    "a local named object": 'x if {\n\tobject := {"get": 1}\n\tobject.get\n}',
    "object.get that lacks a key": "x := object.get(input)",
    "object.get with a computed key": "x if {\n\tsome k in {1}\n\tobject.get(input, k, 1)\n}",
    "patterns": 'x if {\n\tsome [a, _] in input.gates.a.files\n\ta.b\n\t[c, d] := split("a", "b")\n\tc.e == d\n}',
    "declared names": "x if {\n\tsome a\n\tinput.artifacts[a].kind\n}",
    "rules with several shapes": "y := input.change if input.gates\n\ny := input.gates\n\nx := y.anything",
    "rules that refer to themselves": "y := y.z\n\nx := y.z",
    "defaults": "default y := null\n\ny := input.change\n\nx := y.files",
    "functions with defaults": "default f(_) := false\n\nf(a) if a.b\n\nx := f(1)",
    "other data": "x := data.settings.a",
    "a tree of packages": "x if {\n\tsome f, n in {1: 2}\n\tdata.gate.controls[f][n].status\n}",
    "an else with a value": "x := 1 if input.gates else := input.change if input.gates",
    "a package as a value": "x := data.gate.lib.result",
    "sets": "x if {\n\ty := {a | some a in input.artifacts}\n\ty.z.kind\n}",
    "a literal": 'x := {"a": 1}.b',
    "every with a key": "x if {\n\tevery k, a in input.artifacts {\n\t\ta.kind\n\t\tk.b\n\t}\n}",
    "something replaced": "x if document.change with input.artifcats as input.change",
}


@pytest.mark.parametrize("body", KNOWN.values(), ids=KNOWN)
def test_what_cannot_be_known_is_not_reported(body: str) -> None:
    assert lost(body) == []


def test_the_input_of_tests_is_their_own() -> None:
    assert lost("x := input.anything.at.all", with_input=False) == []
    assert lost("x := document.change.anything", with_input=False) == []
    assert len(lost("x := document.anything", with_input=False)) == 1


def test_an_import_that_leads_nowhere() -> None:
    body = "package gate.controls.a.b\n\nimport data.gate.lib.documnt\nimport data.gate.lib.result.status\n"
    module = parse("a.rego", body)
    library = [parse(path, text) for path, text in packaged().modules.items()]
    (found,) = References([*library, module]).lost(module)
    assert (found.line, found.message) == (
        3,
        "there is no data.gate.lib.documnt; did you mean 'data.gate.lib.document'?",
    )


def test_columns_count_characters() -> None:
    (found,) = lost('x := ["ä", input.artifcats]')
    assert found.startswith("1:18 ")


class TestShape:
    def test_the_schema_says_what_there_is(self) -> None:
        root = input_shape()
        assert root.kind is Kind.OBJECT
        assert "artifacts" in root.names
        artifacts = root.at("artifacts")
        assert artifacts is not None
        assert artifacts.kind is Kind.MAP
        assert artifacts.each.names[:2] == ("base", "bytes")
        assert ANY.each is ANY
        assert ANY.names == ()

    @pytest.mark.parametrize(
        "node",
        [
            True,
            {"oneOf": {}},
            {"oneOf": [{"type": "string"}, {"type": "integer"}]},
            {"properties": {"a": {}}},
            {"type": "object"},
            {"$ref": "#/nowhere/at/all"},
        ],
    )
    def test_what_the_reader_does_not_know_can_be_anything(self, node: dict[str, object]) -> None:
        assert input_schema._shape(node, {}) == ANY  # type: ignore[arg-type]


def findings(rules: str = RULES, tests: str = TESTS, **more: str) -> list[Finding]:
    own = {PATH: rules, **more}
    return lint(own, {**packaged().modules, **own}, {TEST: tests} if tests else {})


def only(found: list[Finding]) -> tuple[str, int, int, str]:
    (one,) = found
    return one.rule, one.line, one.column, one.message


def test_a_new_control_is_clean() -> None:
    assert findings() == []


def test_the_library_is_clean() -> None:
    modules = packaged().modules
    other = [found for found in lint(modules, modules, {}) if found.rule != "test"]
    assert other == []


@pytest.mark.parametrize(
    ("old", "new", "rule", "message"),
    [
        ("severity: high", "severity: hi", "metadata", "did you mean 'high'?"),
        ("# title: ", "# titel: ", "metadata", "did you mean 'title'?"),
        ("artifacts: [weights]", "artifacts: [weight]", "metadata", "artifacts: there is no weight; did you mean"),
        ("deployment]", "deploymnt]", "metadata", "targets: there is no deploymnt; did you mean 'deployment'?"),
        ("# METADATA\n", "", "metadata", "the control has no METADATA"),
        (
            "title: Team tested",
            "title: Artifact is signed",
            "metadata",
            "same",
        ),
        ("artifact.kind ==", "artifact.knd ==", "input-path", "did you mean 'kind'?"),
        ('"team.tested.missing"', '"team.testd.missing"', "code", "has the code team.tested.<reason>"),
        ('"team.tested.missing"', '"team.tested.gone"', "test", "no test expects the violation team.tested.gone"),
        ("pair := [name, digest]", "pair := [name, http.send({})]", "load", "http.send"),
        ("pair := [name, digest]", "pair := [name, ]]", "load", ""),
        ("status := result.status(", "status := status(", "load", ""),
    ],
)
def test_what_is_wrong_with_a_control(old: str, new: str, rule: str, message: str) -> None:
    assert old in RULES
    more = {}
    if "Artifact is signed" in new:
        path = "gate/controls/artifact/signed/signed.rego"
        more = {path: packaged().modules[path]}
    found = [one for one in findings(RULES.replace(old, new), **more) if one.rule == rule and message in one.message]
    assert found


def test_a_code_that_a_rule_makes_is_found() -> None:
    rules = RULES.replace('violation("team.tested.missing", message', "violation(code, message")
    rules = rules.replace("\tmessage :=", "\tsome code in codes\n\tmessage :=")
    rules += '\ncodes := {"team.tested.missing"} if input.gates == 1 else := {"team.tested.Other"}\n'
    found = findings(rules)
    assert [one.rule for one in found] == ["code", "test"]
    assert "'team.tested.Other'" in found[0].message


def test_the_library_may_be_called_in_full_and_codes_may_be_missing() -> None:
    rules = RULES.replace("result.violation(", "data.gate.lib.result.violation(").replace(
        '"team.tested.missing"', '"x"'
    )
    assert only([one for one in findings(rules) if one.rule == "code"])[0] == "code"


def test_a_control_without_tests() -> None:
    assert only(findings(tests="")) == ("test", 1, 1, "no test imports data.gate.controls.team.tested")


@pytest.mark.parametrize("prefix", ["test_passes_", "test_fails_"])
def test_a_control_without_a_test_that_passes_or_fails(prefix: str) -> None:
    found = findings(tests=TESTS.replace(prefix, "test_x_"))
    assert [one.message for one in found] == [f"team.tested has no test named {prefix}*"]


def test_a_module_that_is_no_control_owes_no_metadata() -> None:
    assert findings(**{"custom/lib/a/a.rego": "package custom.lib.a\n\nimport future.keywords.not\n\nx := 1\n"}) == []


def test_errors_of_loading_have_their_places() -> None:
    text = "the policy does not load: --> a/b.rego:3:20\n  |\n3 | x\n  | ^\nerror: unknown\n--> c.rego:1:2\nerror: more"
    assert problem(PolicyError(text)) == [
        Finding("a/b.rego", 3, 20, "load", "unknown"),
        Finding("c.rego", 1, 2, "load", "more"),
    ]
    assert problem(PolicyError("a.rego:3: not portable")) == [Finding("a.rego", 3, 1, "load", "not portable")]
    assert problem(PolicyError("recursion: a -> a")) == [Finding("", 1, 1, "load", "recursion: a -> a")]
