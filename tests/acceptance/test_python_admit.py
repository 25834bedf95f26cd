"""`gate.admit` and what else Python programs call: the answers of the shell; what was not judged is not admitted."""

from __future__ import annotations

import ast
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import gate
from gate.app.admit import Admission
from gate.formats.rfc3339 import parse_time
from gate.model.decision import Verdict
from gate.model.digest import sha256_digest
from tests.acceptance.world import MODEL, NOW, WEIGHTS, World, inside, safetensors
from tools.scenario_draft import config, profile
from tools.scenario_evidence import key

NOW_S = parse_time(NOW)
assert NOW_S is not None


@pytest.fixture
def here(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(world.root)
    return world


def admit(path: str | Path = MODEL, base: str | None = "main", **more: str | Path) -> Admission:
    return gate.admit(path, base=base, now=NOW_S, **more)  # type: ignore[arg-type]


def reconfigured(world: World, text: bytes, more: Mapping[str, bytes] | None = None) -> World:
    """The configuration on the base, merged into the change."""
    world.on_main({"gate.yaml": text, **(more or {})})
    return world


# -- yes ---------------------------------------------------------------------------------------------------------------


def test_what_was_judged_is_admitted_with_its_digests(here: World) -> None:
    admission = admit()
    assert admission.decision.verdict is Verdict.ALLOW
    assert (admission.artifact, admission.path, admission.is_folder) == ("summarizer", MODEL, True)
    assert admission.files == {name: sha256_digest(data) for name, data in here.model_files().items()}
    assert admission.location == here.root / MODEL
    assert here.judge().code == 0


@pytest.mark.usefixtures("here")
def test_a_file_of_an_artifact_is_admitted_alone() -> None:
    admission = admit(WEIGHTS)
    assert (admission.path, admission.is_folder) == (WEIGHTS, False)
    assert list(admission.files) == ["model.safetensors"]
    assert admission.place("model.safetensors") == WEIGHTS


def test_paths_start_at_the_current_folder(here: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(here.root / "models")
    assert admit("summarizer").path == MODEL
    assert admit("../models/summarizer/").path == MODEL
    assert admit(here.root / MODEL).path == MODEL
    with pytest.raises(gate.ConfigError, match="No such file"):
        admit(MODEL, root=here.root)
    monkeypatch.chdir(tmp_path)
    assert admit(here.root / MODEL, root=here.root).path == MODEL
    assert admit("world/models/summarizer", root="world").path == MODEL


def test_the_root_may_be_reached_over_a_link(here: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(here.root)
    assert admit(tmp_path / "link" / MODEL).path == MODEL
    monkeypatch.chdir(tmp_path / "link")
    assert admit().path == MODEL


def test_a_single_file_and_a_folder_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = plain(
        tmp_path,
        {"m/model.safetensors": safetensors("x"), "m/tokenizer/t.json": b"{}", "one.safetensors": safetensors("y")},
    )
    (root / "m" / "empty").mkdir()
    monkeypatch.chdir(root)
    assert admit("one.safetensors", base=None).files == {"one.safetensors": sha256_digest(safetensors("y"))}
    below = admit("m/tokenizer", base=None)
    assert (below.files, below.place("t.json")) == ({"t.json": sha256_digest(b"{}")}, "m/tokenizer/t.json")
    with pytest.raises(gate.ConfigError, match="holds no file that was judged"):
        admit("m/empty", base=None)


PROFILE = profile({"load.safe_format": "enforce", "load.no_remote_code": "enforce"})


def plain(top: Path, files: Mapping[str, bytes], *, artifacts: str = "", judged: bytes = PROFILE) -> Path:
    """A folder that is no repository, judged by what its files are."""
    root = top / "plain"
    named = artifacts or "m: {kind: weights, path: m}\n  one: {kind: weights, path: one.safetensors}"
    text = f"version: 1\ntarget: deployment\nprofile: own.yaml\nartifacts:\n  {named}\n"
    for path, data in {"gate.yaml": text.encode(), "own.yaml": judged, **files}.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return root


# -- no ----------------------------------------------------------------------------------------------------------------


def test_a_refusal_has_reasons_fixes_and_the_exit_code_of_the_shell(here: World) -> None:
    here.write(WEIGHTS, safetensors("other"))
    here.commit()
    with pytest.raises(gate.Refused) as caught:
        admit()
    refused = caught.value
    shell = here.judge()
    assert refused.exit_code == shell.code == refused.decision.exit_code
    assert {reason.control for reason in refused.reasons if reason.control} == shell.failing
    assert all(reason.fix for reason in refused.reasons if reason.control)
    codes = {reason.code for reason in refused.reasons}
    assert "artifact.integrity.missing" in codes or "artifact.integrity.differs" in codes
    text = str(refused)
    assert text.startswith("DENY")
    assert "fix:" in text
    assert f"exit {refused.exit_code}" in text
    assert "\x1b" not in text
    line = str(refused.reasons[0])
    assert line.startswith(refused.reasons[0].code)
    assert "; fix: " in line
    assert not isinstance(refused, gate.GateError)


def test_a_refusal_survives_a_worker_process(here: World) -> None:
    here.write(WEIGHTS, safetensors("other"))
    with pytest.raises(gate.Refused) as caught:
        admit()
    again = pickle.loads(pickle.dumps(caught.value))  # our own object, a moment old
    assert str(again) == str(caught.value)


def test_rejected_evidence_is_a_reason(here: World) -> None:
    here.attest(signer=key("stranger"))
    with pytest.raises(gate.Refused) as caught:
        admit()
    assert caught.value.exit_code == 11
    forged = [reason for reason in caught.value.reasons if reason.control is None]
    assert [reason.code for reason in forged] == ["signature.untrusted"]
    assert forged[0].file == ".gate/attestations/signature.sigstore.json"


def test_nothing_that_passed_is_no_yes(here: World) -> None:
    reconfigured(
        here, config(profile="own.yaml"), {"own.yaml": profile({"scan.malware": "warn", "scan.nothing": "enforce"})}
    )
    with pytest.raises(gate.ConfigError, match=r"scan\.nothing"):
        admit()


def test_a_profile_under_which_nothing_applies_refuses(here: World) -> None:
    text = config(artifacts=["prompts: {kind: prompt, path: models}"], profile="own.yaml", gates="")
    reconfigured(here, text, {"own.yaml": profile({"load.safe_format": "enforce"})})
    shutil.rmtree(here.root / ".gate")
    with pytest.raises(gate.Refused) as caught:
        admit()
    assert caught.value.exit_code == 10
    assert [reason.code for reason in caught.value.reasons] == ["gate.unjudged"]


NO_STATUS = b"""\
# METADATA
# title: T
# description: D
# custom:
#   severity: low
#   claims: []
#   artifacts: [weights]
#   targets: [deployment]
#   waivable: false
#   fix: F
package gate.controls.odd.one

import future.keywords.not

default status := "error"

violations := set()

evidence := set()

reason := null
"""


# -- nothing is admitted that was not judged ---------------------------------------------------------------------------


OUTSIDE = ["keys", "gate.yaml", ".", "models", "models/../keys", "..", "../world", "/", "/etc/passwd", ".gate"]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("path", OUTSIDE)
def test_what_no_artifact_holds_is_an_error(path: str) -> None:
    with pytest.raises(gate.ConfigError, match=r"belongs to no artifact|does not lie below the root"):
        admit(path)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("path", ["models/none", "a\0b", "models/summarizer/config.json/x", "x" * 5000])
def test_what_is_not_there_is_an_error(path: str) -> None:
    with pytest.raises(gate.ConfigError, match="cannot be admitted"):
        admit(path)


def test_a_name_that_only_begins_like_an_artifact_is_not_it(here: World) -> None:
    here.write("models/summarizer-2/model.safetensors", safetensors("two"))
    with pytest.raises(gate.ConfigError, match="belongs to no artifact"):
        admit("models/summarizer-2")


def test_links_are_no_way_to_an_artifact(here: World) -> None:
    outside = here.root.parent / "elsewhere"
    outside.mkdir()
    (here.root / "models" / "current").symlink_to("summarizer")
    (here.root / "all").symlink_to("models")
    (outside / "in").symlink_to(here.root / MODEL)
    for path in ("models/current", "all/summarizer", "models/current/model.safetensors", str(outside / "in")):
        with pytest.raises(gate.ConfigError, match="leads over the link"):
            admit(path)


def test_a_folder_that_is_a_link_is_not_admitted(here: World) -> None:
    moved = here.root.parent / "moved"
    (here.root / MODEL).rename(moved)
    (here.root / MODEL).symlink_to(moved)
    with pytest.raises(gate.ConfigError, match="does not lie below the root"):
        admit()
    moved.rename(here.root / "moved")
    (here.root / MODEL).unlink()
    (here.root / MODEL).symlink_to("../moved")
    with pytest.raises(gate.ConfigError, match="leads over the link"):
        admit()


def test_a_link_within_is_not_admitted_even_where_the_policy_looks_away(here: World) -> None:
    passing = NO_STATUS.replace(b'"error"', b'"pass"').replace(b"null", b'"looked away"')
    text = config(profile="own.yaml", more="policy: {directories: [policy]}\n", gates="")
    judged = profile({"odd.one": "enforce"})
    reconfigured(here, text, {"own.yaml": judged, "policy/gate/controls/odd/one/one.rego": passing})
    shutil.rmtree(here.root / ".gate")
    assert admit().files
    (here.root / MODEL / "link").symlink_to("/etc/passwd")
    with pytest.raises(gate.ConfigError, match="'link', which is no regular file"):
        admit()


def test_an_artifact_that_no_enforced_control_judged_is_not_admitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = "m: {kind: weights, path: m}\n  p: {kind: prompt, path: p}"
    root = plain(tmp_path, {"m/model.safetensors": safetensors("x"), "p/system.txt": b"x"}, artifacts=named)
    monkeypatch.chdir(root)
    assert admit("m", base=None).artifact == "m"
    with pytest.raises(gate.ConfigError, match="no enforced control judged p"):
        admit("p", base=None)


def test_controls_of_statements_alone_judged_no_artifact(here: World) -> None:
    names = ("evidence.accepted", "evidence.fresh", "chain.valid", "waiver.valid", "change.policy_unchanged")
    judged = profile(dict.fromkeys(names, "enforce"))
    reconfigured(here, config(profile="own.yaml"), {"own.yaml": judged})
    assert here.judge().code == 0
    with pytest.raises(gate.ConfigError, match="no enforced control judged summarizer"):
        admit()


def test_the_innermost_artifact_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = "all: {kind: weights, path: m}\n  inner: {kind: prompt, path: m/prompts}"
    root = plain(tmp_path, {"m/model.safetensors": safetensors("x"), "m/prompts/config.json": b"{}"}, artifacts=named)
    monkeypatch.chdir(root)
    assert admit("m/model.safetensors", base=None).artifact == "all"
    with pytest.raises(gate.ConfigError, match="no enforced control judged inner"):
        admit("m/prompts", base=None)


def test_a_model_does_not_bring_its_own_gate(here: World) -> None:
    """The root is never looked for from the path: a model folder could be a repository with a configuration."""
    inner = here.root / "downloads"
    plain(inner, {"m/model.safetensors": safetensors("x"), "one.safetensors": safetensors("y")})
    here.git("init", "-q", cwd=inner / "plain")
    with pytest.raises(gate.ConfigError, match="belongs to no artifact"):
        admit("downloads/plain/m")


def test_a_dry_run_admits_nothing(here: World) -> None:
    allowed = admit()
    rehearsed = gate.check(base="main", now=NOW_S, dry_run=True)
    assert rehearsed.verdict is Verdict.ALLOW
    here.write(WEIGHTS, safetensors("other"))
    denied = gate.check(base="main", now=NOW_S)
    for decision, files, words in (
        (rehearsed, allowed.files, "only an ALLOW that is no dry run"),
        (denied, allowed.files, "only an ALLOW"),
        (allowed.decision, {}, "the files that were judged"),
    ):
        with pytest.raises(ValueError, match=words):
            Admission(decision, here.root, "summarizer", MODEL, files, is_folder=True)


def test_no_decision_is_an_error_of_the_gate(here: World) -> None:
    assert (here.root / MODEL).is_dir()
    for path, options, error in (
        (MODEL, {"config": "../gate.yaml"}, gate.ConfigError),
        (MODEL, {"config": "none.yaml"}, gate.ConfigError),
        (MODEL, {"base": "nowhere"}, gate.EvidenceError),
        (MODEL, {"root": "nowhere"}, gate.ConfigError),
        (MODEL, {"root": "models"}, gate.ConfigError),
    ):
        with pytest.raises(error) as caught:
            admit(path, **options)
        assert isinstance(caught.value, gate.GateError)
        assert caught.value.exit_code in {2, 3}


def test_a_control_without_status_is_no_decision(here: World) -> None:
    text = config(profile="own.yaml", more="policy: {directories: [policy]}\n")
    judged = profile({"odd.one": "enforce", "artifact.integrity": "enforce"})
    reconfigured(here, text, {"own.yaml": judged, "policy/gate/controls/odd/one/one.rego": NO_STATUS})
    with pytest.raises(gate.PolicyError, match=r"odd\.one could not be judged"):
        admit()
    assert gate.check(base="main", now=NOW_S).verdict is Verdict.ERROR


# -- the others --------------------------------------------------------------------------------------------------------


def test_check_says_what_the_shell_says(here: World) -> None:
    assert gate.check(base="main", now=NOW_S).exit_code == here.judge().code == 0
    here.write(WEIGHTS, safetensors("other"))
    decision = gate.check(base="main", now=NOW_S)
    assert decision.exit_code == here.judge().code
    assert gate.reasons(decision)


@pytest.mark.usefixtures("here")
def test_an_answer_is_never_taken_for_a_yes() -> None:
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(gate.check(base="main", now=NOW_S))
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(gate.verify_evidence(base="main", now=NOW_S))


def test_evidence_is_verified_as_in_the_shell(here: World) -> None:
    good = gate.verify_evidence(base="main", now=NOW_S)
    assert (good.exit_code, len(good.evidence.verified)) == (0, 2)
    here.put("more.json", b"{}")
    assert gate.verify_evidence(base="main", now=NOW_S).exit_code == 14
    assert inside("verify", "--base", "main", "--now", NOW, "--root", str(here.root)).code == 14


@pytest.mark.usefixtures("here")
def test_the_clock_is_read_when_no_time_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.api.time.time", lambda: float(NOW_S or 0))
    assert gate.check(base="main").decided_at == NOW


# -- the package -------------------------------------------------------------------------------------------------------


def run_python(text: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_loads_none_of_it() -> None:
    loaded = run_python(
        "import sys, gate\nprint([m for m in sys.modules if m.startswith('gate.')], 'click' in sys.modules)"
    )
    assert loaded.strip() == "[] False"


def test_everything_that_is_offered_is_there() -> None:
    for name in gate.__all__:
        assert getattr(gate, name) is not None
        assert name in dir(gate)
    for name in ("api", "errors", "loading", "training"):
        assert getattr(gate, name).__name__ == f"gate.{name}"
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        gate.nothing  # noqa: B018 - asking is the test


def test_loading_imports_no_library_that_opens_models() -> None:
    heavy = {"torch", "transformers", "safetensors", "numpy", "click", "sigstore"}
    text = f"import sys, gate\ngate.loading, gate.admit\nprint({heavy!r} & set(sys.modules))"
    assert ast.literal_eval(run_python(text).strip().replace("set()", "()")) == ()
