"""Whatever is changed after an application was attested and signed is noticed, with the exit code that says what it is.

The cases T, A, B and D are those of `gate demo run`. Where a code differs from the one that a tool of the same purpose
gives or that was asked of it:

- B1, B4: an attestation that is not there is exit 10, before the policy's 13; there the policy alone would refuse (13).
- B6: what was renamed away is no longer what was attested: 12, which comes before 13.
- A2, A3, T12: what an envelope says of itself is no part of any envelope, so its form is refused (14); were it read,
  no trusted key would have signed it (11).
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from gate import resources
from gate.app.demo import CASES
from gate.app.demo.tamper import predicate_of
from gate.app.demo.world import BUNDLES, STATEMENTS, TYPES, Case, World, prepare
from gate.attest.keygen import generate_key
from gate.errors import AttestError
from gate.formats.canonical_json import dumps
from gate.formats.rfc3339 import format_time
from gate.model.demo import Shown
from gate.model.digest import sha256_digest
from tests.acceptance.world import inside

NOW_S: Final = 1_795_176_000
TEMPLATES: Final = "app/templates"


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, bytes]]:
    """The example, attested and signed: the folder of the key, and all files."""
    folder = tmp_path_factory.mktemp("application")
    return folder, prepare(folder / "start", NOW_S)


@pytest.fixture
def world(application: tuple[Path, Mapping[str, bytes]], tmp_path: Path) -> World:
    folder, files = application
    shutil.copy(folder / "release.key", tmp_path)
    return World.lay(tmp_path / "application", files, NOW_S)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_has_its_exit_code(world: World, case: Case) -> None:
    code, why = world.outcome(case.play)
    assert code in case.expected, why
    assert why


def test_the_whole_matrix_is_there() -> None:
    wanted = [f"{letter}{number}" for letter, last in (("A", 23), ("B", 8), ("D", 4)) for number in range(1, last + 1)]
    assert {f"T{number:02}" for number in range(1, 21)} | set(wanted) <= {case.id for case in CASES}
    assert len({case.id for case in CASES}) == len(CASES)


def test_the_application_as_it_was_attested_is_allowed(world: World) -> None:
    assert world.verify() == (0, f"{len(TYPES)} verified")
    assert world.check() == (0, "allow")


# -- files that changed places, names and kinds ------------------------------------------------------------------------


def swap(world: World, one: str, other: str) -> None:
    first, second = world.read(one), world.read(other)
    world.write(one, second)
    world.write(other, first)


def replace_by_link(world: World, path: str) -> None:
    world.write("copy.txt", world.read(path))
    (world.root / path).unlink()
    (world.root / path).symlink_to("../copy.txt")


def replace_by_folder(world: World, path: str) -> None:
    (world.root / path).unlink()
    world.write(f"{path}/x", b"x")


def append_all(world: World, *paths: str) -> None:
    for path in paths:
        world.append(path)


def move(world: World, path: str, target: str) -> None:
    (world.root / path).rename(world.root / target)


FILES: Final[Mapping[str, Callable[[World], object]]] = {
    "two files change places": lambda w: swap(w, f"{TEMPLATES}/answer.prompt.txt", f"{TEMPLATES}/refuse.prompt.txt"),
    "files of two roles change places": lambda w: swap(w, "app/system_prompt.txt", "app/safety-policy.yaml"),
    "files of two statements change places": lambda w: swap(w, "route/route.yaml", "data/chunking.yaml"),
    "a file moves to another attested folder": lambda w: move(w, f"{TEMPLATES}/refuse.prompt.txt", "app/tools/r.txt"),
    "another case in a name": lambda w: move(w, f"{TEMPLATES}/refuse.prompt.txt", f"{TEMPLATES}/Refuse.prompt.txt"),
    "a copy in another case": lambda w: w.write("app/System_Prompt.txt", w.read("app/system_prompt.txt")),
    "a copy of an attested file": lambda w: w.write("app/tools/x.json", w.read("app/tools/lookup_order.schema.json")),
    "an empty file": lambda w: w.write("data/empty", b""),
    "a hidden file": lambda w: w.write("route/.hidden", b"x"),
    "a file in a new folder": lambda w: w.write("app/templates/new/x.txt", b"x"),
    "a name with a newline": lambda w: w.write("app/templates/a\nb.txt", b"x"),
    "a name with a backslash": lambda w: w.write("app/templates/a\\b.txt", b"x"),
    "a name that is no UTF-8": lambda w: w.write("app/templates/" + os.fsdecode(b"\xff.txt"), b"x"),
    "the last file of a folder is removed": lambda w: (w.root / "app/tools/lookup_order.schema.json").unlink(),
    "a folder is removed": lambda w: shutil.rmtree(w.root / "app/tools"),
    "a file is emptied": lambda w: w.write("slo/query.promql", b""),
    "a link is added": lambda w: (w.root / TEMPLATES / "link").symlink_to("answer.prompt.txt"),
    "a file becomes a link to a copy of it": lambda w: replace_by_link(w, "app/system_prompt.txt"),
    "a file becomes a folder": lambda w: replace_by_folder(w, "app/system_prompt.txt"),
    "a document is edited and its manifest too": lambda w: append_all(
        w, "data/documents/returns.txt", "data/document-manifest.json"
    ),
    "a document that no manifest lists": lambda w: w.write("data/documents/more.txt", b"x"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_not_as_attested(world: World, name: str) -> None:
    FILES[name](world)
    code, why = world.verify()
    assert code == 12, why
    assert world.check()[0] == 12


@pytest.mark.parametrize("path", ["app", "route"])
def test_an_artifact_that_is_gone_or_behind_a_link_is_not_verified(world: World, path: str) -> None:
    move(world, path, "away")
    assert world.outcome(World.verify)[0] == 3
    (world.root / path).symlink_to("away")
    assert world.outcome(World.verify)[0] == 3


@pytest.mark.parametrize("path", [f"{TEMPLATES}/pipe", "app/system_prompt.txt", "data/documents/x", "slo/x"])
def test_a_pipe_is_neither_opened_nor_passed_over(world: World, path: str) -> None:
    (world.root / path).unlink(missing_ok=True)
    os.mkfifo(world.root / path)
    # Below a gate it could be anything at all; elsewhere it is no file that anybody attested.
    expected = 12 if path.startswith("slo/") else 3
    code, why = world.outcome(World.verify)
    assert (code, path in why) == (expected, True), why
    assert world.outcome(World.check)[0] == expected


# -- statements --------------------------------------------------------------------------------------------------------


def restate(kind: str, **members: Any) -> Callable[[World], object]:
    return lambda world: world.restate(kind, lambda statement: predicate_of(statement).update(members))


def with_statement(kind: str, change: Callable[[dict[str, Any]], object]) -> Callable[[World], object]:
    return lambda world: world.restate(kind, change)


def rename(statement: dict[str, Any], name: str) -> None:
    """The first subject gets another name, in its role too."""
    old = statement["subject"][0]["name"]
    statement["subject"][0]["name"] = name
    roles = predicate_of(statement)["roles"]
    assert isinstance(roles, dict)
    for paths in roles.values():
        paths[:] = sorted(name if path == old else path for path in paths)


def doubled(statement: dict[str, Any]) -> None:
    found = predicate_of(statement)["depends_on"]
    assert isinstance(found, list)
    found.append(found[0])


def swapped_roles(statement: dict[str, Any]) -> None:
    roles: Any = predicate_of(statement)["roles"]
    roles["system_prompt"], roles["others"] = roles["others"], roles["system_prompt"]


STATED: Final[Mapping[str, tuple[Callable[[World], object], int, str]]] = {
    "a doubled dependency": (with_statement("eval", doubled), 14, ""),
    "a dependency that is no digest": (restate("eval", depends_on=["prompt"]), 14, "statement."),
    "a subject twice": (with_statement("prompt", lambda s: s["subject"].append(s["subject"][0])), 14, "statement."),
    "a subject without a role": (
        with_statement("prompt", lambda s: predicate_of(s)["roles"].update(safety_policy=[])),  # type: ignore[union-attr]
        14,
        "statement.",
    ),
    "a role without a subject": (with_statement("prompt", lambda s: s["subject"].pop()), 14, "statement.roles"),
    "a member too many": (restate("prompt", size_bytes=5), 14, "statement.predicate"),
    "a privacy mode that is none": (restate("prompt", privacy={"mode": "none", "payloads": {}}), 14, "statement."),
    "another Merkle root": (
        restate("corpus", documents={"count": 3, "root": "sha256:" + "0" * 64}),
        14,
        "statement.documents",
    ),
    "another count of documents": (
        with_statement("corpus", lambda s: predicate_of(s)["documents"].update(count=4)),  # type: ignore[union-attr]
        14,
        "statement.documents",
    ),
    "a negative tolerance": (restate("eval", tolerances={"groundedness": "-0.1"}), 14, "statement."),
    "a value that is no number": (
        with_statement("eval", lambda s: predicate_of(s)["metrics"]["accuracy"].update(candidate="NaN")),  # type: ignore[index,call-overload,union-attr]
        14,
        "statement.",
    ),
    "a value beyond what rules can compare": (
        with_statement("eval", lambda s: predicate_of(s)["metrics"]["accuracy"].update(candidate="9" * 16)),  # type: ignore[index,call-overload,union-attr]
        14,
        "statement.number",
    ),
    "a bound with seven decimals": (
        restate("eval", thresholds={"accuracy": {"min": "0.1234567", "max": None}}),
        14,
        "statement.number",
    ),
    "a window that ends before it starts": (
        restate("slo", window={"start": "2026-11-20T00:00:00Z", "end": "2026-11-01T00:00:00Z"}),
        14,
        "statement.window",
    ),
    "an objective with seven decimals": (
        with_statement("slo", lambda s: predicate_of(s)["objectives"].update(error_rate_cap="0.0000001")),  # type: ignore[union-attr]
        14,
        "statement.number",
    ),
    "a folder outside": (
        with_statement("prompt", lambda s: predicate_of(s)["folders"].update({"../x": "others"})),  # type: ignore[union-attr]
        12,
        "subject.path",
    ),
    "made in 301 seconds": (restate("slo", created_at=format_time(NOW_S + 301)), 14, "statement.future"),
    "made in 300 seconds": (restate("slo", created_at=format_time(NOW_S + 300)), 0, ""),
    "no corpus among what an evaluation builds on": (
        restate("prompt", depends_on=["sha256:" + "1" * 64]),
        14,
        "chain.",
    ),
    "depends on a rejected statement": (restate("route", created_at="never"), 14, ""),
    "a plain statement has no roles to check": (
        lambda w: w.restate("slo", lambda s: s.update(predicate={"created_at": format_time(NOW_S + 10**9)})),
        0,
        "",
    ),
    **{
        f"a subject {name!r}": (with_statement("slo", lambda s, name=name: rename(s, name)), 12, "subject.path")  # type: ignore[misc]
        for name in (
            "../outside",
            "/etc/passwd",
            "./slo/query.promql",
            "slo//query.promql",
            "slo\\query.promql",
            "a\x00b",
        )
    },
}


@pytest.mark.parametrize("name", STATED)
def test_statements_that_are_not_as_they_have_to_be(world: World, name: str) -> None:
    change, expected, reason = STATED[name]
    change(world)
    code, why = world.verify()
    assert (code, why.startswith(reason)) == (expected, True), why


def test_roles_decide_even_though_the_files_are_the_same(world: World) -> None:
    """A statement with two roles exchanged is another statement: what was built on the first one does not hold."""
    world.restate("prompt", swapped_roles)
    assert world.verify()[0] == 14


def test_a_statement_that_names_files_from_another_root_covers_nothing(world: World) -> None:
    """Every name is right, seen from the folder above, and every digest too."""
    for path in (world.root / STATEMENTS).iterdir():
        statement = json.loads(path.read_bytes())
        for item in statement["subject"]:
            item["name"] = f"application/{item['name']}"
        roles = statement["predicate"]["roles"]
        statement["predicate"]["roles"] = {role: [f"application/{p}" for p in found] for role, found in roles.items()}
        folders = statement["predicate"]["folders"]
        statement["predicate"]["folders"] = {f"application/{folder}": role for folder, role in folders.items()}
        (world.root / BUNDLES / f"{path.stem}.sigstore.json").unlink()
        if path.stem == "prompt":
            world.write_bundle("prompt", dumps(statement))
    assert world.verify()[0] == 0
    code, why = world.check()
    assert code == 10
    assert "prompt.attested" in why


def test_two_artifacts_of_a_kind_need_a_statement_each(world: World) -> None:
    text = world.read("gate.yaml").replace(
        b"  corpus:     {", b"  more:       {kind: prompt,     path: more}\n  corpus:     {", 1
    )
    world.write("gate.yaml", text)
    for path in sorted((world.root / "app").rglob("*")):
        if path.is_file():
            world.write(f"more/{path.relative_to(world.root / 'app')}", path.read_bytes())
    # The same bytes at another place are not what the first statement is about.
    assert world.check()[0] == 10
    world.write("attest/more.prompt.yaml", world.read("attest/prompt.yaml").replace(b"../app", b"../more"))
    from gate.app.attest_create import TypedRequest, create_typed
    from gate.app.produce import Place

    made = create_typed(TypedRequest(Place(world.root, world.root), "prompt", Path("attest/more.prompt.yaml")))
    world.write_bundle("more", made.path.read_bytes())
    assert world.verify()[0] == 0
    world.append("more/system_prompt.txt")
    assert world.verify()[0] == 12
    assert world.check()[0] == 12


def test_an_older_set_of_statements_does_not_bind_to_a_newer_prompt(world: World) -> None:
    world.append("app/system_prompt.txt")
    world.create("prompt")
    world.write_bundle("prompt", world.read(f"{STATEMENTS}/prompt.json"))
    code, why = world.verify()
    assert (code, why.startswith("chain.dangling")) == (14, True), why


def test_envelopes_that_two_parsers_read_differently(world: World) -> None:
    path = f"{BUNDLES}/prompt.sigstore.json"
    good = world.read(path)
    for old, new in (
        (b'"dsseEnvelope"', b'"DSSEEnvelope"'),
        (b'"payload"', b'"PayLoad"'),
        (b'"signatures"', b'"signatures":[],"signatures"'),
        (b'{"dsseEnvelope"', b'{"dsseEnvelope":{},"dsseEnvelope"'),
    ):
        assert old in good
        world.write(path, good.replace(old, new, 1))
        assert world.verify()[0] == 14, (old, new)


def test_what_is_not_committed_is_judged_too(world: World) -> None:
    world.repository()
    world.append("app/system_prompt.txt")
    assert world.check("main")[0] in {12, 13}
    world.write("app/system_prompt.txt", world.read("app/system_prompt.txt").removesuffix(b"# tamper\n"))
    world.write("app/templates/untracked.txt", b"x")
    assert world.check("main")[0] in {12, 13}


def test_the_order_and_the_names_of_bundles_do_not_matter(world: World) -> None:
    folder = world.root / BUNDLES
    for number, path in enumerate(sorted(folder.iterdir(), reverse=True)):
        path.rename(folder / f"{number}.sigstore.json")
    assert world.verify()[0] == 0
    assert world.check() == (0, "allow")


@pytest.mark.no_cover
def test_ten_thousand_documents(world: World) -> None:
    paths = [f"documents/{number:05}.txt" for number in range(10_000)]
    for path in paths:
        world.write(f"data/{path}", path.encode())
    listed = [{"path": path, "sha256": sha256_digest(path.encode())} for path in paths]
    world.write("data/document-manifest.json", json.dumps({"documents": listed}).encode())
    world.append("gate.yaml", b"limits: {evidence_bytes: 3MiB}\n")
    world.create("corpus", "eval", "route", "slo")
    world.sign()
    statement = world.statement("corpus")
    documents = predicate_of(statement)["documents"]
    assert isinstance(documents, dict)
    assert documents["count"] == 10_000
    assert world.verify() == (0, "5 verified")
    world.append("data/documents/07777.txt")
    code, why = world.verify()
    assert code == 12
    assert "07777" in why


# -- the demonstration -------------------------------------------------------------------------------------------------


def test_the_demonstration_shows_every_case(tmp_path: Path) -> None:
    done = inside("demo", "run", "--keep", str(tmp_path / "kept" / "here"))
    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert [line.split()[0] for line in lines[1:-1]] == [case.id for case in CASES]
    assert "WRONG" not in done.out
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.out)
    assert {path.name for path in (tmp_path / "kept" / "here").iterdir() if path.is_dir()} >= {"T01", "D4"}
    again = inside("demo", "run", "--keep", str(tmp_path / "kept" / "here"))
    assert (again.code, "exists already" in again.err) == (2, True)


def test_a_case_that_is_not_noticed_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [Shown("T01", "a", (12,), 0, "5 verified"), Shown("T02", "b", (12,), 12, "x\x1b")]
    monkeypatch.setattr("gate.cli.demo.run.run_demo", lambda *_: iter(shown))
    done = inside("demo", "run")
    assert done.code == 1
    assert "WRONG 5 verified" in done.out
    assert "1 of" in done.out
    assert "\x1b" not in done.out


def test_git_that_fails_in_the_demonstration_is_said(world: World) -> None:
    with pytest.raises(AttestError, match="git checkout"):
        world.git("checkout", "none")


def test_the_key_of_the_demonstration_has_no_passphrase(tmp_path: Path) -> None:
    folder = tmp_path / "application"
    generate_key("p256", tmp_path / "release.key", tmp_path / "release.pub", "secret")
    with pytest.raises(AttestError, match="no passphrase"):
        World(folder, tmp_path, NOW_S).signer()


def test_the_example_is_what_the_package_holds() -> None:
    found = resources.example_files()
    assert "gate.yaml" in found
    assert not any(path.startswith((".gate", "keys")) for path in found)
    assert list(found) == sorted(found)


# -- files outside of all artifacts, and statements about an older state -----------------------------------------------


def shared_policy(world: World) -> None:
    """The safety policy lies outside of the artifact, as it does where several applications share it."""
    world.write("shared/safety-policy.yaml", world.read("app/safety-policy.yaml"))
    (world.root / "app/safety-policy.yaml").unlink()
    config = world.read("attest/prompt.yaml").replace(b"../app/safety-policy", b"../shared/safety-policy")
    world.write("attest/prompt.yaml", config)
    world.create()
    world.sign()


@pytest.mark.parametrize("change", ["edited", "deleted", "link", "none"])
def test_an_attested_file_that_lies_in_no_artifact_is_compared_too(world: World, change: str) -> None:
    shared_policy(world)
    path = world.root / "shared/safety-policy.yaml"
    if change == "edited":
        world.append("shared/safety-policy.yaml")
    elif change != "none":
        path.unlink()
        if change == "link":
            path.symlink_to("../app/system_prompt.txt")
    expected = 0 if change == "none" else 12
    assert (world.verify()[0], world.check()[0]) == (expected, expected)


def test_statements_about_an_older_state_are_left_out_with_all_that_builds_on_them(world: World) -> None:
    old = {kind: world.read(f"{BUNDLES}/{kind}.sigstore.json") for kind in TYPES}
    world.append("app/system_prompt.txt")
    world.create()
    world.sign()
    for kind in ("prompt", "eval", "route", "slo"):
        world.write(f"{BUNDLES}/old-{kind}.sigstore.json", old[kind])
    assert world.verify() == (0, "5 verified")
    assert world.check() == (0, "allow")
    # Without the new ones nothing covers the prompt, and without the new evaluation nothing binds it.
    (world.root / BUNDLES / "eval.sigstore.json").unlink()
    assert world.check()[0] in {10, 14}


def test_two_states_do_not_add_up_to_one(world: World) -> None:
    """The policy of one attested state and the prompt of another were never attested together."""
    before = world.read(f"{BUNDLES}/prompt.sigstore.json")
    policy = world.read("app/safety-policy.yaml")
    world.append("app/system_prompt.txt")
    world.append("app/safety-policy.yaml")
    world.create()
    world.sign()
    world.write(f"{BUNDLES}/before.sigstore.json", before)
    assert world.check() == (0, "allow")
    world.write("app/safety-policy.yaml", policy)
    assert (world.verify()[0], world.check()[0]) == (12, 12)


def test_a_submodule_in_an_artifact_is_not_covered(world: World) -> None:
    world.repository()
    other = world.keys / "other"
    World.lay(other, {"a": b"1"}, NOW_S).repository()
    world.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "slo/extra")
    world.commit()
    shutil.rmtree(world.root / "slo/extra")
    (world.root / "slo/extra").mkdir()
    code, why = world.check("main")
    assert code >= 10
    assert "slo.attested" in why or "subject" in why or "evidence.accepted" in why
