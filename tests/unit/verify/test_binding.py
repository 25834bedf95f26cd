"""What a statement covers, what it is against, and what neither an old nor a foreign one can do (SECURITY 11, 12)."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.model.artifact import Artifact, ArtifactFile, tree_digest
from gate.model.digest import Digest
from gate.model.evidence import Stage, Statement, Subject, VerifiedSet
from gate.verify.binding import Binder, build_targets
from tests.support.evidence import (
    bundle,
    digest_of,
    digests,
    folder,
    image,
    model_signature,
    no_other_digest,
    only_verified,
    other_digests,
    provenance,
    refusal,
    signer,
    single_file,
    statement,
    subject,
    trust,
    verify,
)

FILES = {"model.safetensors": "weights", "config.json": "{}", "sub/tokenizer.json": "[]"}
MODEL = folder("summarizer", FILES)
NAMED = digests(MODEL)
OLD = {**NAMED, "config.json": digest_of("old")}
STORE = trust(signer(), signer("builder"))


def judged(*payloads: bytes, artifact: Artifact = MODEL, **more: Any) -> VerifiedSet:
    return verify(*(bundle(payload) for payload in payloads), artifacts=[artifact], store=STORE, **more)


def covered(*payloads: bytes, artifact: Artifact = MODEL, **more: Any) -> bool:
    return any(item.artifacts for item in judged(*payloads, artifact=artifact, **more).verified)


# -- a model signature is exact ----------------------------------------------------------------------------------------


def test_a_signature_of_exactly_these_files_covers_the_artifact() -> None:
    assert only_verified(judged(model_signature(NAMED))).artifacts == ("summarizer",)


def without(path: str) -> dict[str, Digest]:
    return {name: digest for name, digest in NAMED.items() if name != path}


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (without("config.json"), "'config.json' is there, but it is not signed"),
        ({**NAMED, "extra.bin": digest_of("e")}, "'extra.bin' is signed, but it is not there"),
        ({**without("config.json"), "config2.json": NAMED["config.json"]}, "'config.json' is there"),
        (OLD, "'config.json' is sha256:"),
        ({**NAMED, "config.json": NAMED["model.safetensors"]}, "'config.json' is sha256:"),
        (
            {**NAMED, "config.json": NAMED["model.safetensors"], "model.safetensors": NAMED["config.json"]},
            "'config.json' is sha256:",
        ),
        ({f"models/summarizer/{name}": digest for name, digest in NAMED.items()}, "is there, but it is not"),
        ({**without("sub/tokenizer.json"), "tokenizer.json": NAMED["sub/tokenizer.json"]}, "is there, but it is not"),
        ({**NAMED, "Config.json": NAMED["config.json"]}, "'Config.json' is signed"),
    ],
    ids=["missing", "extra", "renamed", "changed", "copied", "swapped", "with root", "moved", "case"],
)
def test_s12_a_signature_of_other_files_is_about_other_bytes(files: dict[str, Digest], reason: str) -> None:
    found = judged(model_signature(files))
    assert refusal(found) == (Stage.SUBJECT, "subject.mismatch")
    assert reason in found.rejected[0].detail


def with_link(path: str, link_format: str = "symlink") -> Artifact:
    files = {**MODEL.files, path: ArtifactFile(None, 0, link_format)}
    return dataclasses.replace(MODEL, files=files, digest=tree_digest(files))


@pytest.mark.parametrize("path", ["config.json", "extra"])
@pytest.mark.parametrize("kind", ["symlink", "special"])
def test_s12_a_link_or_device_is_never_covered(path: str, kind: str) -> None:
    assert not covered(model_signature(NAMED), artifact=with_link(path, kind))
    assert not covered(provenance(NAMED), artifact=with_link(path, kind))
    assert not covered(model_signature({**NAMED, path: digest_of("target")}), artifact=with_link(path, kind))


def test_s12_a_signature_over_a_link_says_so() -> None:
    found = judged(model_signature(NAMED), artifact=with_link("config.json"))
    assert "is a link or a device" in found.rejected[0].detail


def test_s12_a_digest_that_nobody_knows_does_not_stand_for_a_link() -> None:
    unknown = {"name": "link", "digest": {"sha512": "0" * 128}}
    items = [subject(name, digest) for name, digest in NAMED.items()]
    assert not covered(statement("prompt", [*items, unknown]), artifact=with_link("link"))
    assert not covered(statement("prompt", [unknown]), artifact=with_link("link"))


def test_a_statement_about_a_link_or_by_an_unknown_digest_says_so() -> None:
    named = statement("prompt", {"config.json": digest_of("old")})
    assert "'config.json' is no regular file" in judged(named, artifact=with_link("config.json")).rejected[0].detail
    unknown = statement("prompt", [{"name": "config.json", "digest": {"sha512": "0" * 128}}])
    assert judged(unknown).rejected[0].detail.endswith("the statement is about another digest")
    assert judged(named).rejected[0].detail == (
        f"'config.json' is {NAMED['config.json']}, the statement is about {digest_of('old')}"
    )


def test_an_empty_folder_is_covered_by_nothing() -> None:
    empty = folder("summarizer", {})
    assert only_verified(judged(model_signature(NAMED, "summarizer"), artifact=empty)).artifacts == ()
    assert not covered(provenance({"models/summarizer": digest_of("x")}), artifact=empty)
    assert not covered(provenance(NAMED), artifact=empty)


def test_a_model_of_one_file_is_signed_as_a_point() -> None:
    one = single_file("adapter", "models/adapter.safetensors", "weights")
    assert only_verified(judged(model_signature({".": digest_of("weights")}), artifact=one)).artifacts == ("adapter",)
    assert covered(model_signature({"adapter.safetensors": digest_of("weights")}), artifact=one)


@pytest.mark.parametrize(
    "files",
    [
        {".": digest_of("other")},
        {".": digest_of("weights"), "extra": digest_of("e")},
        {"other.safetensors": digest_of("weights")},
    ],
)
def test_a_model_of_one_file_is_signed_exactly(files: Mapping[str, Digest]) -> None:
    one = single_file("adapter", "models/adapter.safetensors", "weights")
    assert not covered(model_signature(files, "adapter.safetensors"), artifact=one)


def test_a_point_does_not_stand_for_a_folder_of_one_file() -> None:
    assert not covered(model_signature({".": digest_of("w")}), artifact=folder("summarizer", {"w.bin": "w"}))


# -- other statements --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subjects",
    [
        NAMED,
        {f"models/summarizer/{name}": digest for name, digest in NAMED.items()},
        {**NAMED, "more.txt": digest_of("more")},
        {f"n{number}": digest for number, digest in enumerate(NAMED.values())},
        {"models/summarizer": MODEL.digest or ""},
        {"anything": MODEL.digest or ""},
        {"summarizer": digest_of("the hash of another tool"), **NAMED},
    ],
    ids=["relative", "with root", "more", "other names", "whole", "whole by digest", "a foreign digest of the folder"],
)
def test_a_statement_about_the_whole_or_about_each_file_covers(subjects: Mapping[str, Digest]) -> None:
    assert only_verified(judged(provenance(subjects))).artifacts == ("summarizer",)


@pytest.mark.parametrize(
    "subjects",
    [
        without("config.json"),
        {"config.json": NAMED["config.json"]},
        {"elsewhere": digest_of("elsewhere")},
        {f"{name}.txt": digest_of(name) for name in NAMED},
    ],
    ids=["all but one", "one", "another", "others"],
)
def test_a_statement_about_less_covers_nothing_and_is_kept(subjects: Mapping[str, Digest]) -> None:
    assert only_verified(judged(provenance(subjects))).artifacts == ()


@pytest.mark.parametrize(
    "subjects",
    [
        OLD,
        {"config.json": digest_of("old")},
        {"models/summarizer/config.json": digest_of("old")},
        {"models/summarizer": digest_of("old tree")},
        {"summarizer": digest_of("old tree")},
    ],
)
def test_a_statement_about_other_bytes_of_it_is_refused(subjects: Mapping[str, Digest]) -> None:
    assert refusal(judged(provenance(subjects))) == (Stage.SUBJECT, "subject.mismatch")


def test_files_that_changed_places_are_not_what_was_attested() -> None:
    swapped = folder("summarizer", {**FILES, "config.json": "weights", "model.safetensors": "{}"})
    assert refusal(judged(provenance(NAMED), artifact=swapped)) == (Stage.SUBJECT, "subject.mismatch")


def test_a_file_with_its_name_twice_is_covered_by_either() -> None:
    """Two folders may hold a file of one relative name."""
    twice = [subject(name, digest) for name, digest in NAMED.items()] + [subject("config.json", digest_of("other"))]
    assert covered(statement("prompt", twice))


def test_the_same_name_elsewhere_does_not_stand_against_a_file() -> None:
    named = {f"models/summarizer/{name}": digest for name, digest in NAMED.items()}
    assert covered(provenance({**named, "config.json": digest_of("the one at the root")}))


# -- single files and images -------------------------------------------------------------------------------------------

ONE = single_file("adapter", "models/adapter.bin", "weights")


@pytest.mark.parametrize("name", ["models/adapter.bin", "adapter.bin", "anything"])
def test_a_single_file_is_covered_by_its_digest(name: str) -> None:
    assert covered(provenance({name: digest_of("weights")}), artifact=ONE)


@pytest.mark.parametrize("name", ["models/adapter.bin", "adapter.bin"])
def test_a_single_file_of_other_bytes_is_refused(name: str) -> None:
    assert refusal(judged(provenance({name: digest_of("old")}), artifact=ONE))[1] == "subject.mismatch"
    both = {name: digest_of("old"), "copy": digest_of("weights")}
    assert refusal(judged(provenance(both), artifact=ONE))[1] == "subject.mismatch"


def test_an_absolute_name_does_not_stand_for_a_file_at_the_root() -> None:
    found = judged(provenance({"/x.bin": digest_of("old")}), artifact=single_file("x", "x.bin", "w"))
    assert only_verified(found).artifacts == ()


def test_a_single_file_at_the_root_is_covered() -> None:
    assert covered(provenance({"x.bin": digest_of("w")}), artifact=single_file("x", "x.bin", "w"))


IMAGE = image("server", "registry.test/llm/server", digest_of("manifest"))


def test_an_image_is_covered_by_its_digest() -> None:
    assert covered(provenance({"registry.test/llm/server": digest_of("manifest")}), artifact=IMAGE)
    assert covered(provenance({"anything": digest_of("manifest")}), artifact=IMAGE)


def test_an_image_of_another_digest_is_refused() -> None:
    found = refusal(judged(provenance({"registry.test/llm/server": digest_of("old")}), artifact=IMAGE))
    assert found == (Stage.SUBJECT, "subject.mismatch")


def test_an_image_by_tag_is_never_covered() -> None:
    tagged = image("server", "registry.test/llm/server", None)
    for digest in (digest_of("manifest"), digest_of("")):
        assert not covered(provenance({"registry.test/llm/server:latest": digest}), artifact=tagged)
    unknown = {"name": "registry.test/llm/server:latest", "digest": {"sha512": "0" * 128}}
    assert not covered(statement("prompt", [unknown]), artifact=tagged)


def test_a_model_signature_does_not_cover_an_image() -> None:
    assert not covered(model_signature({"m": digest_of("manifest")}), artifact=IMAGE)


# -- other digests -----------------------------------------------------------------------------------------------------


def sha512(text: str) -> str:
    return hashlib.sha512(text.encode()).hexdigest()


def sha384(text: str) -> str:
    return hashlib.sha384(text.encode()).hexdigest()


KNOWN = other_digests("weights", "other")


def test_s11_a_subject_by_sha512_or_sha384_alone_is_found() -> None:
    for digest in ({"sha512": sha512("weights")}, {"sha384": sha384("weights")}):
        assert covered(statement("prompt", [{"name": "a", "digest": digest}]), artifact=ONE, other_digest=KNOWN)


def test_s11_all_digests_that_agree_cover() -> None:
    item = subject("adapter.bin", digest_of("weights"), sha512=sha512("weights"), sha384=sha384("weights"))
    assert covered(statement("prompt", [item]), artifact=ONE, other_digest=KNOWN)


@pytest.mark.parametrize(
    ("digest", "code"),
    [
        ({"sha256": digest_of("weights")[7:], "sha512": sha512("other")}, "subject.digest_conflict"),
        ({"sha256": digest_of("weights")[7:], "sha384": "0" * 96}, "subject.digest_conflict"),
        ({"sha512": sha512("other")}, "subject.mismatch"),
        ({"sha512": sha512("weights"), "sha384": sha384("other")}, "subject.mismatch"),
        ({"sha256": digest_of("other")[7:], "sha512": sha512("weights")}, "subject.mismatch"),
    ],
)
def test_s11_digests_that_disagree_refuse(digest: dict[str, str], code: str) -> None:
    payload = statement("prompt", [{"name": "adapter.bin", "digest": digest}])
    assert refusal(judged(payload, artifact=ONE, other_digest=KNOWN))[1] == code


def test_s11_a_digest_that_cannot_be_computed_does_not_agree() -> None:
    payload = statement("prompt", [subject("adapter.bin", digest_of("weights"), sha512=sha512("weights"))])
    assert refusal(judged(payload, artifact=ONE, other_digest=no_other_digest))[1] == "subject.digest_conflict"


def test_s11_one_conflicting_subject_spoils_the_statement() -> None:
    items = [subject("a", digest_of("weights")), subject("b", digest_of("weights"), sha512="0" * 128)]
    assert refusal(judged(statement("prompt", items), artifact=ONE, other_digest=KNOWN))[1] == "subject.digest_conflict"


def test_s11_other_digests_of_what_is_not_here_are_not_compared() -> None:
    items = [subject("elsewhere", digest_of("elsewhere"), sha512="0" * 128)]
    assert only_verified(judged(statement("prompt", items), artifact=ONE)).artifacts == ()


def test_s11_a_subject_without_any_digest_is_about_nothing() -> None:
    binder = Binder(build_targets({"adapter": ONE}, {}), KNOWN)
    nothing = (Subject("a", None),)
    assert binder.relate(Statement("prompt", "t", nothing, nothing, False, (), None, {}, {})).covers == ()


def test_weak_digests_beside_a_secure_one_are_ignored() -> None:
    payload = statement("prompt", [subject("a", digest_of("weights"), sha1="0", md5="1")])
    assert covered(payload, artifact=ONE)


# -- any combination -------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c", "sub/a"])
CONTENTS = st.sampled_from(["1", "2", "3"])


@settings(deadline=None, max_examples=300)
@given(
    st.dictionaries(NAMES, CONTENTS, min_size=1),
    st.lists(st.tuples(NAMES | st.just("other"), CONTENTS), min_size=1, max_size=6),
)
def test_a_statement_covers_only_what_it_names_in_full(there: dict[str, str], said: list[tuple[str, str]]) -> None:
    artifact = folder("model", there)
    payload = statement("prompt", [subject(name, digest_of(content)) for name, content in said])
    contents = {content for _, content in said}
    if covered(payload, artifact=artifact):
        assert set(there.values()) <= contents
        for name, content in there.items():
            about = {other for named, other in said if named == name}
            assert not about or content in about


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(NAMES, CONTENTS, min_size=1), st.dictionaries(NAMES, CONTENTS, min_size=1))
def test_a_model_signature_covers_only_an_equal_folder(there: dict[str, str], signed: dict[str, str]) -> None:
    payload = model_signature({name: digest_of(content) for name, content in signed.items()})
    assert covered(payload, artifact=folder("model", there)) == (there == signed)


# -- names written from another root -----------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "./", "././", "/./", "repository/", "a/b/c/", "x/" * 100])
def test_s11_swapped_files_are_not_covered_whatever_root_their_names_have(prefix: str) -> None:
    one, other = digest_of("one"), digest_of("other")
    changed = {"prompts/a.txt": one, "prompts/b.txt": other}
    named = {f"{prefix}prompts/a.txt": other, f"{prefix}prompts/b.txt": one}
    binder = Binder(build_targets({}, changed), no_other_digest)
    assert binder.relate(only_verified(judged(provenance(named))).statement).covers == ()


@pytest.mark.parametrize("between", ["//", "///", "/./", "/.//./"])
def test_s11_swapped_files_are_not_covered_however_their_names_are_written(between: str) -> None:
    one, other = digest_of("one"), digest_of("other")
    changed = {"prompts/a.txt": one, "prompts/b.txt": other}
    named = {f"app{between}prompts{between}a.txt": other, f"app{between}prompts{between}b.txt": one}
    binder = Binder(build_targets({}, changed), no_other_digest)
    assert binder.relate(only_verified(judged(provenance(named))).statement).covers == ()


def test_names_that_end_in_the_path_do_not_make_a_file_covered() -> None:
    binder = Binder(build_targets({}, {"prompts/a.txt": digest_of("one")}), no_other_digest)
    stale = {"repository/prompts/a.txt": digest_of("two")}
    assert binder.relate(only_verified(judged(provenance(stale))).statement).covers == ()


def test_many_changed_files_cost_one_look_each() -> None:
    changed = {f"app/{number}.txt": digest_of(str(number)) for number in range(3000)}
    binder = Binder(build_targets({}, changed), no_other_digest)
    found = only_verified(judged(provenance(changed)))
    began = time.process_time()
    assert len(binder.relate(found.statement).covers) == 3000
    assert time.process_time() - began < 2


def test_the_same_name_in_another_folder_is_no_word_against_a_file() -> None:
    renamed = {f"shard-{number}": digest for number, digest in enumerate(NAMED.values())}
    assert covered(provenance({**renamed, "elsewhere/config.json": digest_of("other")}))


@pytest.mark.parametrize(("name", "expected"), [("elsewhere/file.bin", True), ("repository/models/file.bin", False)])
def test_a_single_file_is_named_by_its_path_from_any_root(name: str, expected: bool) -> None:
    artifact = single_file("file", "models/file.bin", "weights")
    named = {"other-name": digest_of("weights"), name: digest_of("other")}
    assert covered(provenance(named), artifact=artifact) is expected
