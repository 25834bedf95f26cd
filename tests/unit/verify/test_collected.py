"""Collected statements in the pipeline: paths below the root, what else is wrong, the future, and doubled evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from gate.formats.rfc3339 import format_time
from gate.model.artifact import Artifact, ArtifactKind
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Evidence, Rejected, Stage, VerifiedSet
from gate.verify.pipeline import admit_evidence
from tests.support.evidence import (
    LIMIT,
    NOW_S,
    bundle,
    digest_of,
    digests,
    encode,
    folder,
    image,
    make_key,
    only_rejected,
    only_verified,
    refusal,
    signer,
    single_file,
    statement,
    trust,
    verify,
)

FILES: Final = {"system.txt": "be brief", "templates/a.txt": "a", "tools/t.json": "{}", "safety.yaml": "x"}
APP: Final = folder("prompts", FILES, ArtifactKind.PROMPT, "app")
NAMED: Final = {f"app/{path}": digest for path, digest in digests(APP).items()}
ROLES: Final = ("system_prompt", "templates", "tool_schemas", "safety_policy", "render_config", "test_suite")


def prompt(named: Mapping[str, Digest] = NAMED, folders: tuple[str, ...] = ("app",), **more: Any) -> bytes:
    """A collected statement about files, all of which have a role."""
    roles: dict[str, list[str]] = {role: [] for role in ROLES} | {"others": sorted(named)}
    predicate = {
        "depends_on": [],
        "roles": roles,
        "folders": dict.fromkeys(folders, "others"),
        "privacy": {"mode": "hash_only"},
        "sensitivity_labels": [],
        **more,
    }
    return statement("prompt", named, predicate=predicate)


def judged(*items: bytes | Evidence, artifacts: tuple[Artifact, ...] = (APP,), **more: Any) -> VerifiedSet:
    return verify(*items, artifacts=artifacts, **more)


def codes(item: Rejected) -> list[str]:
    return [item.code, *(failure.code for failure in item.also)]


def test_a_statement_about_the_files_that_are_there_covers_their_artifact() -> None:
    found = only_verified(judged(bundle(prompt())))
    assert found.artifacts == ("prompts",)
    assert found.statement.facts["collected"] is True


def test_names_without_the_folder_are_other_files() -> None:
    found = only_verified(judged(bundle(prompt(digests(APP), ()))))
    assert found.artifacts == ()


def test_the_artifact_of_one_file_and_the_top_as_its_folder() -> None:
    lone = single_file("lone", "app/system.txt", "be brief", ArtifactKind.PROMPT)
    said = {"app/system.txt": digest_of("be brief")}
    assert only_verified(judged(bundle(prompt(said, ())), artifacts=(lone,))).artifacts == ("lone",)
    below = {"app/system.txt/x": digest_of("be brief")}
    assert only_verified(judged(bundle(prompt(below, ())), artifacts=(lone,))).artifacts == ()
    top = single_file("top", "system.txt", "be brief", ArtifactKind.PROMPT)
    assert only_verified(judged(bundle(prompt({"system.txt": said["app/system.txt"]}, ())), artifacts=(top,))).artifacts


def test_an_image_is_at_no_path() -> None:
    server = image("server", "app/system.txt", digest_of("x"))
    assert only_verified(judged(bundle(prompt()), artifacts=(server,))).artifacts == ()


@pytest.mark.parametrize(
    ("named", "number"),
    [
        ({**NAMED, "app/system.txt": digest_of("old")}, 1),
        ({**NAMED, "app/gone.txt": digest_of("x")}, 1),
        ({path: digest for path, digest in NAMED.items() if path != "app/safety.yaml"}, 1),
        ({**NAMED, "app/system.txt": digest_of("old"), "app/gone.txt": digest_of("x")}, 2),
    ],
)
def test_everything_that_differs_is_named(named: dict[str, Digest], number: int) -> None:
    item = only_rejected(judged(bundle(prompt(named))))
    assert codes(item) == ["subject.mismatch"] * number
    assert len({item.detail, *(failure.detail for failure in item.also)}) == number


def test_files_and_edges_fail_together() -> None:
    named = {**NAMED, "app/system.txt": digest_of("old")}
    approval = statement("approval", {"elsewhere": digest_of("y")})
    found = judged(bundle(approval), bundle(prompt(named, depends_on=[sha256_digest(approval)])))
    assert [codes(item) for item in found.rejected] == [["subject.mismatch", "chain.edge"]]


def test_an_outdated_statement_beside_a_new_one_counts_for_nothing() -> None:
    old = prompt({**NAMED, "app/system.txt": digest_of("old")})
    above = statement("eval", {"elsewhere": digest_of("y")}, depends_on=[sha256_digest(old)])
    found = judged(Evidence("new", bundle(prompt())), Evidence("old", bundle(old)), Evidence("above", bundle(above)))
    assert found.rejected == ()
    assert [(item.payload, item.artifacts) for item in found.verified] == [(sha256_digest(prompt()), ("prompts",))]
    assert found.skipped.keys() == {"old", "above"}
    # Alone it is refused: nothing newer is about these files.
    assert [item.code for item in judged(bundle(old)).rejected] == ["subject.mismatch"]


def test_a_statement_that_fits_one_artifact_and_not_another_counts_for_neither() -> None:
    other = folder("more", {"a.txt": "1"}, ArtifactKind.PROMPT, "more")
    named = {**NAMED, "more/a.txt": digest_of("2")}
    item = only_rejected(judged(bundle(prompt(named)), artifacts=(APP, other)))
    assert (item.code, item.artifacts) == ("subject.mismatch", ("more", "prompts"))


def test_two_statements_that_are_each_right_about_one_artifact_make_up_for_nothing() -> None:
    other = folder("more", {"a.txt": "1"}, ArtifactKind.PROMPT, "more")
    here = {"more/a.txt": digest_of("1")}
    one = prompt({**NAMED, "more/a.txt": digest_of("old")})
    two = prompt({**NAMED, "app/system.txt": digest_of("old"), **here})
    found = judged(bundle(one), bundle(two), artifacts=(APP, other))
    assert found.verified == ()
    assert [item.code for item in found.rejected] == ["subject.mismatch"] * 2


def test_a_statement_that_builds_on_what_it_may_not_is_not_verified_too() -> None:
    approval = statement("approval", {"elsewhere": digest_of("y")})
    found = judged(bundle(approval), bundle(prompt(depends_on=[sha256_digest(approval)])))
    assert [item.payload for item in found.verified] == [sha256_digest(approval)]
    assert [codes(item) for item in found.rejected] == [["chain.edge"]]


def test_a_changed_file_that_was_edited_refuses_though_the_artifact_fits() -> None:
    changed = {"lib/x.txt": digest_of("new")}
    named = {**NAMED, "lib/x.txt": digest_of("old")}
    assert refusal(judged(bundle(prompt(named)), changed=changed)) == (Stage.SUBJECT, "subject.mismatch")


@pytest.mark.parametrize("name", ["../x", "/x", "a//b", "a\x00b"])
def test_a_path_that_leaves_the_root_is_refused_before_anything_is_compared(name: str) -> None:
    named = {**NAMED, name: digest_of("x")}
    assert refusal(judged(bundle(prompt(named)))) == (Stage.SUBJECT, "subject.path")
    assert refusal(judged(bundle(prompt(folders=("app", name))))) == (Stage.SUBJECT, "subject.path")


@pytest.mark.parametrize(("ahead", "verified"), [(-(10**8), True), (0, True), (300, True), (301, False)])
def test_the_future(ahead: int, verified: bool) -> None:
    found = judged(bundle(prompt(created_at=format_time(NOW_S + ahead))))
    if verified:
        only_verified(found)
    else:
        assert refusal(found) == (Stage.STATEMENT, "statement.future")
    plain = statement("prompt", NAMED, predicate={"created_at": format_time(NOW_S + 10**8)})
    only_verified(judged(bundle(plain)))


def test_evidence_that_lies_there_twice_names_both_places() -> None:
    data = bundle(prompt())
    item = only_rejected(judged(Evidence("b.json", data), Evidence("a.json", data)))
    assert (item.stage, item.code) == (Stage.CHAIN, "chain.duplicate")
    assert "a.json, b.json" in item.detail


def test_two_signers_of_a_payload_are_no_duplicates() -> None:
    store = trust(signer(), signer("other"))
    found = only_verified(judged(bundle(prompt()), bundle(prompt(), make_key("other")), store=store))
    assert len(found.signers) == 2


def test_a_rejected_statement_tells_what_it_would_have_built_on() -> None:
    needed = digest_of("nobody")
    item = only_rejected(judged(bundle(prompt(depends_on=[needed]))))
    assert (item.code, item.depends_on) == ("chain.dangling", (needed,))
    assert item.payload == sha256_digest(prompt(depends_on=[needed]))


def test_statements_are_at_hand_before_they_are_settled() -> None:
    stranger = bundle(statement("prompt", {"x": digest_of("x")}), make_key("stranger"))
    admission = admit_evidence([Evidence("a", bundle(prompt())), Evidence("b", stranger)], trust(), limit=LIMIT)
    assert [found.claim for found in admission.statements()] == ["prompt"]


@pytest.mark.parametrize("member", ["roles", "folders", "privacy", "sensitivity_labels", "depends_on"])
def test_a_member_left_out_makes_no_weaker_statement(member: str) -> None:
    value = json.loads(prompt())
    del value["predicate"][member]
    assert refusal(judged(bundle(encode(value)))) == (Stage.STATEMENT, "statement.predicate")
