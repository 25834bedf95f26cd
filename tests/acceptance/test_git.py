"""Git in trouble, and git that somebody wants to use against the gate. Never "no changes", never anything executed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.world import GIT, MODEL, NOW, SETTINGS, WEIGHTS, World, gate, inside, safetensors
from tools.scenario_draft import config
from tools.scenario_evidence import sha256


def pointer(data: bytes) -> bytes:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256(data)}\nsize {len(data)}\n".encode()


# -- trouble -----------------------------------------------------------------------------------------------------------

REFERENCES = [
    "no-such-branch",
    "--output=pwned",
    "-O",
    "--",
    "",
    " ",
    "main..change",
    "main...change",
    "main\n",
    "main\nchange",
    "^main",
    "main:gate.yaml",
    ":/base",
    "main^{tree}",
    "@{-1}",
    "main~99",
    "refs/heads/*",
    "$(touch pwned)",
    "`touch pwned`",
    "main;touch pwned",
    "0" * 40,
    "f" * 40,
    "x" * 5000,
    "\udcff",
    "mäin",
]


@pytest.mark.parametrize("reference", REFERENCES)
def test_references_that_are_none(world: World, reference: str) -> None:
    done = inside("check", f"--base={reference}", "--now", NOW, "--root", str(world.root))
    assert done.code in {2, 3}, done.text
    assert done.out == ""
    assert not list(world.root.rglob("pwned*"))


@pytest.mark.parametrize("reference", ["main", "refs/heads/main", "HEAD~1", "v1", "v2"])
def test_references_that_name_a_commit(world: World, reference: str) -> None:
    world.git("tag", "v1", "main")
    world.git("tag", "-a", "-m", "x", "v2", "main")
    assert world.judge(base=reference).code == 0
    assert world.judge(base=world.git("rev-parse", "main")).code == 0


def test_shallow_history(world: World, tmp_path: Path) -> None:
    shallow = World(tmp_path / "shallow")
    world.git("clone", "-q", "--depth", "1", f"file://{world.root}", str(shallow.root), cwd=tmp_path)
    shutil.copytree(world.root / ".gate", shallow.root / ".gate")
    assert shallow.judge(base="origin/main").code == 3
    assert shallow.judge(base="HEAD").code == 3
    full = World(tmp_path / "full")
    world.git("clone", "-q", f"file://{world.root}", str(full.root), cwd=tmp_path)
    shutil.copytree(world.root / ".gate", full.root / ".gate")
    assert full.judge(base="origin/main").code == 0


def test_unrelated_history(world: World) -> None:
    world.git("checkout", "-q", "--orphan", "other")
    world.commit("other")
    assert world.judge(base="main").code == 3


def test_several_merge_bases(world: World) -> None:
    world.git("checkout", "-q", "main")
    world.write("a", b"1")
    world.commit("a")
    world.git("checkout", "-q", "-b", "side", "HEAD~1")
    world.write("b", b"1")
    world.commit("b")
    one, two = world.git("rev-parse", "main"), world.git("rev-parse", "side")
    world.git("merge", "-q", "-m", "x", one)
    world.git("checkout", "-q", "main")
    world.git("merge", "-q", "-m", "x", two)
    world.git("checkout", "-q", "side")
    assert world.judge(base="main").code == 3


def test_grafts_and_replaced_objects_change_nothing(world: World) -> None:
    head, base = world.git("rev-parse", "HEAD"), world.git("rev-parse", "main")
    world.git("replace", head, base)
    done = world.judge()
    assert done.code in {0, 3}
    assert done.code == 3 or done.decision["subject"]["change"]["head"] == head
    world.git("replace", "-d", head)
    (world.root / ".git/info").mkdir(exist_ok=True)
    (world.root / ".git/info/grafts").write_text(f"{head}\n")
    assert world.judge().code in {0, 3}


def test_a_missing_object(world: World) -> None:
    name = world.git("rev-parse", f"main:{WEIGHTS}")
    (world.root / ".git/objects" / name[:2] / name[2:]).unlink()
    assert world.judge().code == 3


@pytest.mark.parametrize("path", ["HEAD", "index", "refs/heads/main", "config"])
def test_a_broken_repository(world: World, path: str) -> None:
    (world.root / ".git" / path).write_bytes(b"\0broken")
    assert world.judge().code in {2, 3}


def test_no_repository_and_no_commit(tmp_path: Path) -> None:
    (tmp_path / "gate.yaml").write_bytes(config())
    assert inside("check", "--base", "main", "--root", str(tmp_path)).code == 2
    empty = World(tmp_path / "empty")
    empty.root.mkdir()
    empty.git("init", "-q", "-b", "main")
    assert empty.judge(base="HEAD").code in {2, 3}
    bare = World(tmp_path / "bare")
    bare.root.mkdir()
    bare.git("init", "-q", "--bare", "-b", "main")
    assert bare.judge().code in {2, 3}


def test_there_is_no_git(world: World, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    done = world.check(PATH=str(tmp_path / "bin"))
    assert done.code in {2, 3}
    assert "git" in done.err


def test_an_empty_change_is_no_pass_unless_the_configuration_says_so(world: World) -> None:
    assert world.judge(base="HEAD").code == 13
    world.on_main({"gate.yaml": config(more="on_empty_diff: allow\n")})
    assert world.judge(base="HEAD").code == 0


def test_a_branch_without_a_commit(world: World) -> None:
    world.git("checkout", "-q", "--orphan", "other")
    done = world.judge()
    assert done.code == 2
    assert "no commit yet" in done.err


@pytest.mark.parametrize("path", ["gate.yaml", "keys/release.pub"])
@pytest.mark.parametrize("gone", [False, True])
def test_a_policy_that_changed_since_the_branch_left(world: World, path: str, gone: bool) -> None:
    """A key that was revoked on the base would be trusted again on a branch from before."""
    world.git("checkout", "-q", "main")
    old = (world.root / path).read_bytes()
    if gone:
        (world.root / path).unlink()
    else:
        world.write(path, old + b"\n")
    world.write("other", b"x")
    world.commit()
    world.git("checkout", "-q", "change")
    done = world.judge()
    assert done.code == 3
    assert f"{path} changed on the base" in done.err
    world.git("merge", "-q", "-m", "merge", "main")
    assert world.judge().code == (2 if gone else 0)


def test_a_base_that_moved_on_without_its_policy(world: World) -> None:
    world.git("checkout", "-q", "main")
    world.write("other", b"x")
    world.commit()
    world.git("checkout", "-q", "change")
    change = world.judge().decision["subject"]["change"]
    assert change["base"] != change["merge_base"]


# -- what git says is not what lies there ------------------------------------------------------------------------------


def test_changes_that_are_not_committed(world: World) -> None:
    world.write(SETTINGS, b'{"model_type": "gpt"}\n')
    done = world.judge()
    assert done.code == 12
    world.attest()
    done = world.judge()
    assert done.code == 13
    assert done.failing == {"change.attested"}
    assert done.decision["subject"]["change"]["dirty"] is True


@pytest.mark.parametrize("how", ["plain", "ignored", "excluded", "assumed", "skipped"])
def test_files_that_git_is_told_not_to_see(world: World, how: str) -> None:
    if how in {"assumed", "skipped"}:
        word = "--assume-unchanged" if how == "assumed" else "--skip-worktree"
        world.git("update-index", word, SETTINGS)
        world.write(SETTINGS, b'{"model_type": "gpt"}\n')
    else:
        world.write(f"{MODEL}/extra.json", b"{}\n")
        if how == "ignored":
            world.write(".gitignore", b"extra.json\n")
        if how == "excluded":
            (world.root / ".git/info").mkdir(exist_ok=True)
            (world.root / ".git/info/exclude").write_text("extra.json\n")
    assert world.judge().code == 12


def test_a_pointer_of_lfs_in_the_commit_and_the_file_on_disk(world: World) -> None:
    data = safetensors("large")
    world.write(WEIGHTS, pointer(data))
    world.commit("pointer")
    assert world.judge().code == 12
    world.write(WEIGHTS, data)
    world.attest()
    assert world.judge().code == 0
    world.write(WEIGHTS, safetensors("other"))
    assert world.judge().code == 12


def test_a_pointer_alone_is_not_the_model(world: World) -> None:
    world.write(WEIGHTS, pointer(safetensors("large")))
    world.commit("pointer")
    world.attest()
    assert "load.safe_format" in world.judge().failing


def test_files_that_move_away(world: World) -> None:
    world.git("mv", SETTINGS, "elsewhere.json")
    world.commit("rename away")
    assert world.judge().code == 12
    import json

    done = inside("input", "--base", "main", "--now", NOW, "--root", str(world.root))
    files = json.loads(done.out)["change"]["files"]
    assert files[SETTINGS]["status"] == "deleted"
    assert files["elsewhere.json"]["status"] == "added"


def test_names_that_hide(world: World) -> None:
    names = [b"mod\xc3\xa8le\n.txt", b"\xff.txt", b"a\tb", b'"quoted"', b" space ", b"\\", b"-n", b"tab\x1b[31m"]
    for name in names:
        (world.root / "models" / os.fsdecode(name)).write_bytes(b"x")
    world.commit("names")
    done = world.judge()
    assert done.code == 10
    violations = done.decision["controls"]["change.attested"]["violations"]
    assert len({entry["file"] for entry in violations}) >= len(names)


@pytest.mark.parametrize("kind", ["link", "submodule", "executable"])
def test_what_is_no_plain_file_below_a_gate(world: World, kind: str) -> None:
    if kind == "link":
        (world.root / "models/link").symlink_to("/etc/passwd")
    elif kind == "submodule":
        world.git("update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},models/sub")
        world.git("commit", "-q", "-m", "sub")
    else:
        (world.root / SETTINGS).chmod(0o755)
    if kind != "submodule":
        world.commit("x")
    done = world.judge()
    assert done.code in {10, 12, 13}
    assert "change.plain_files" in done.failing


# -- nothing is executed, nothing from around gets in ------------------------------------------------------------------


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "executed"


CONFIGURATION = [
    "core.fsmonitor",
    "core.pager",
    "core.editor",
    "core.sshCommand",
    "core.gitProxy",
    "core.askPass",
    "diff.external",
    "diff.x.textconv",
    "diff.x.command",
    "filter.x.clean",
    "filter.x.smudge",
    "filter.x.process",
    "merge.x.driver",
    "uploadpack.packObjectsHook",
    "gpg.program",
    "credential.helper",
    "alias.diff-tree",
    "pager.diff-tree",
    "trace2.normalTarget",
]


@pytest.mark.parametrize("name", CONFIGURATION)
def test_the_configuration_of_the_repository_runs_nothing(world: World, marker: Path, name: str) -> None:
    script = world.root.parent / "script"
    script.write_text(f"#!/bin/sh\ntouch {marker}\ncat\n")
    script.chmod(0o755)
    world.write(".gitattributes", b"* diff=x filter=x merge=x\n")
    world.commit("attributes")
    value = {"alias.diff-tree": f"!{script}", "trace2.normalTarget": str(marker)}.get(name, str(script))
    world.git("config", name, value)
    assert world.check().code in {0, 2, 3, 12, 13}
    assert not marker.exists()


def test_hooks_and_includes_run_nothing(world: World, marker: Path) -> None:
    hooks = world.root / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    names = ("post-index-change", "pre-commit", "post-checkout", "reference-transaction", "fsmonitor-watchman")
    for name in names:
        (hooks / name).write_text(f"#!/bin/sh\ntouch {marker}\n")
        (hooks / name).chmod(0o755)
    extra = world.root.parent / "extra"
    extra.write_text(f"[core]\n\tfsmonitor = touch {marker}\n")
    world.git("config", "include.path", str(extra))
    assert world.check().code == 0
    assert not marker.exists()


VARIABLES = {
    "GIT_DIR": "/nonexistent",
    "GIT_WORK_TREE": "/nonexistent",
    "GIT_INDEX_FILE": "/nonexistent",
    "GIT_OBJECT_DIRECTORY": "/nonexistent",
    "GIT_CEILING_DIRECTORIES": "/",
    "GIT_NAMESPACE": "x",
    "GIT_EXTERNAL_DIFF": "false",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.fsmonitor",
    "GIT_CONFIG_VALUE_0": "false",
    "GIT_CONFIG_PARAMETERS": "'core.fsmonitor=false'",
    "GIT_TRACE": "1",
    "GIT_PAGER": "false",
    "GIT_REPLACE_REF_BASE": "refs/x",
    "GIT_GRAFT_FILE": "/nonexistent",
    "GIT_SHALLOW_FILE": "/nonexistent",
    "GIT_EXEC_PATH": "/nonexistent",
    "GIT_LITERAL_PATHSPECS": "1",
    "GATE_POLICY": "/nonexistent",
    "GATE_CONFIG": "/nonexistent",
    "GATE_BASE": "HEAD",
    "GATE_CHECK_BASE": "HEAD",
    "GATE_DRY_RUN": "1",
    "GATE_CHECK_DRY_RUN": "1",
    "PYTHONPATH": "/nonexistent",
    "PYTHONOPTIMIZE": "2",
    "SSL_CERT_FILE": "/nonexistent",
    "XDG_CONFIG_HOME": "/nonexistent",
}


def test_the_environment_does_not_steer(world: World) -> None:
    arguments = ("check", "--base", "main", "--format", "json", "--now", NOW)
    assert gate(*arguments, cwd=world.root, environment=VARIABLES).code == 0
    (world.root / ".gate/attestations/signature.sigstore.json").unlink()
    done = gate(*arguments, cwd=world.root, environment=VARIABLES)
    assert done.code == 10
    assert done.decision["subject"]["change"]["base"] == world.git("rev-parse", "main")


def test_the_settings_of_a_person_do_not_steer(world: World, tmp_path: Path, marker: Path) -> None:
    (tmp_path / ".gitconfig").write_text(
        f"[core]\n\tfsmonitor = touch {marker}\n\tautocrlf = true\n"
        f"[diff]\n\tnoprefix = true\n\texternal = touch {marker}\n"
    )
    assert world.check(HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path)).code == 0
    assert not marker.exists()


def test_nothing_is_written(world: World) -> None:
    def state() -> dict[str, tuple[int, int]]:
        found = {}
        for path in sorted(world.root.rglob("*")):
            status = path.lstat()
            found[str(path)] = (status.st_mtime_ns, status.st_size)
        return found

    before = state()
    for command in (("check", "--base", "main"), ("verify",), ("input", "--base", "main"), ("doctor",)):
        inside(*command, "--root", str(world.root))
    assert state() == before


def test_a_folder_of_git_inside_of_a_model_is_part_of_it(world: World) -> None:
    subprocess.run(["git", "init", "-q", str(world.root / MODEL)], env=GIT, check=True)
    assert world.judge().code in {3, 12, 13}
