"""The programs below `tools/` that run before any environment exists."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import build, preflight, rego_tests, rustflags

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", *arguments], env=environment, capture_output=True, text=True, check=False
    )


def fake_tool(folder: Path, name: str, output: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{output}'\n")
    program.chmod(0o755)


def test_preflight_names_every_missing_tool_at_once(tmp_path: Path) -> None:
    done = run(TOOLS / "preflight.py", "test", PATH=str(tmp_path))
    assert done.returncode == 1
    for wanted in ("git >= 2.36", "cargo >= 1.95", "rustc >= 1.95", "go >= 1.26", "clippy", "rustfmt"):
        assert wanted in done.stderr


def test_preflight_compares_versions_as_numbers(tmp_path: Path) -> None:
    fake_tool(tmp_path, "git", "git version 2.9.5")
    fake_tool(tmp_path, "cargo", "cargo 1.100.0")
    fake_tool(tmp_path, "rustc", "rustc of unknown version")
    done = run(TOOLS / "preflight.py", "build", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "git >= 2.36 is needed, this is 2.9.5" in done.stderr
    assert "`rustc --version` names no version" in done.stderr
    assert "cargo" not in done.stderr
    assert "go >=" not in done.stderr


def test_preflight_is_silent_if_nothing_is_missing(tmp_path: Path) -> None:
    for name in ("git", "cargo", "rustc", "go"):
        fake_tool(tmp_path, name, f"{name} 2.99.1")
    done = run(TOOLS / "preflight.py", "test", PATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_preflight_needs_no_new_python() -> None:
    """What says that Python is too old must not be a syntax error in it."""
    compile((TOOLS / "preflight.py").read_text("utf-8"), "preflight.py", "exec", dont_inherit=True, _feature_version=5)
    assert preflight.dotted((3, 11)) == "3.11"


def test_build_knows_its_tools() -> None:
    assert {"opa", "regal"} <= set(build.names())


def test_build_knows_what_a_tool_is_made_of(tmp_path: Path) -> None:
    assert build._packages(TOOLS / "opa") == ["github.com/open-policy-agent/opa"]
    assert build._packages(TOOLS / "composecheck") == ["."]
    assert "github.com/sigstore/cosign/v3/cmd/cosign" in build._packages(TOOLS / "sigparts")
    (tmp_path / "go.mod").write_text("module x\n")
    with pytest.raises(build.BuildError, match="neither a `tool` line"):
        build._packages(tmp_path)


def test_build_says_that_go_is_missing(tmp_path: Path) -> None:
    done = run(TOOLS / "build.py", "opa", PATH=str(tmp_path), XDG_CACHE_HOME=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert "Go 1.26 or newer is needed" in done.stderr


def test_a_program_in_the_cache_is_not_built_again(tmp_path: Path) -> None:
    fake_tool(tmp_path, "go", "go1.99 linux amd64")
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    failed = run(TOOLS / "build.py", "opa", **environment)
    assert failed.returncode == 1  # this `go` builds nothing
    (folder,) = (tmp_path / "cache" / "gate-tools").iterdir()
    assert list(folder.iterdir()) == []
    (folder / "opa").write_text("")
    done = run(TOOLS / "build.py", "opa", **environment)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, str(folder / "opa"), "")


def test_a_tool_may_have_linker_flags_of_its_own(tmp_path: Path) -> None:
    assert build._flags(TOOLS / "opa") == build.FLAGS
    for name in ("go.mod", "go.sum"):
        (tmp_path / name).write_text("module x\n")
    plain = build._key(tmp_path)
    (tmp_path / "ldflags").write_text("-X a.b=v1\n-X a.c=v2\n")
    assert build._flags(tmp_path) == (*build.FLAGS[:-1], "-s -w -X a.b=v1 -X a.c=v2")
    assert build._key(tmp_path) != plain


def test_a_program_that_another_process_builds_is_waited_for(tmp_path: Path) -> None:
    """The other one has it ready when this one's turn comes, and nothing is built twice."""
    fake_tool(tmp_path, "go", "go1.99 linux amd64")
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert run(TOOLS / "build.py", "opa", **environment).returncode == 1  # this `go` builds nothing
    (folder,) = (tmp_path / "cache" / "gate-tools").iterdir()
    command = [sys.executable, "-I", str(TOOLS / "build.py"), "opa"]
    with contextlib.ExitStack() as building:
        building.enter_context(build._alone(folder))
        other = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            other.communicate(timeout=0.5)
        (folder / "opa").write_text("")
    with other:
        assert other.communicate(timeout=30) == (f"{folder / 'opa'}\n", "")


def test_the_versions_of_kubernetes_and_its_parts_agree() -> None:
    """The server tells the version that it is built from, and its parts are those of the same release."""
    text = (TOOLS / "kube" / "go.mod").read_text("utf-8")
    (release,) = re.findall(r"^\tk8s\.io/kubernetes v1\.(\S+)", text, re.MULTILINE)
    assert f"version.gitVersion=v1.{release}" in (TOOLS / "kube" / "ldflags").read_text("utf-8")
    replaced = re.findall(r"^\tk8s\.io/\S+ => k8s\.io/\S+ (\S+)$", text, re.MULTILINE)
    assert len(replaced) == 33
    assert set(replaced) == {f"v0.{release}"}


def test_flags_rename_the_folders_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARGO_HOME", "/with space/cargo")
    flags = rustflags.encoded().split("\x1f")
    assert flags[0] == f"--remap-path-prefix={Path.home()}=/home"
    assert "--remap-path-prefix=/with space/cargo=/cargo" in flags
    assert flags[-1] == f"--remap-path-prefix={TOOLS.parent}=/gate"


@pytest.mark.parametrize(("coverage", "status"), [('{"covered": [], "not_covered": []}', 0), ("{}", 2)])
def test_rego_coverage_counts_files_that_opa_leaves_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, coverage: str, status: int
) -> None:
    module = tmp_path / "rego" / "a.rego"
    module.parent.mkdir()
    module.write_text("# why\npackage a\n\nx := 1\n")
    fake_tool(tmp_path, "opa", f'{{"files": {{"{module}": {coverage}}}, "coverage": 100}}')
    monkeypatch.setattr(sys, "argv", ["rego_tests.py", str(tmp_path / "opa"), str(module.parent)])
    assert rego_tests.main() == status
