"""Lineage: verified statements alone make edges, digests alone make things the same, and what is not known is a gap."""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from gate.errors import LimitError
from gate.formats.predicates.model_signature import root_digest
from gate.model.artifact import Artifact, ArtifactFile, ArtifactKind, tree_digest
from gate.model.digest import Digest, hex_of
from gate.model.evidence import Rejected, SignerIdentity, Statement, Subject, Verified, VerifiedSet
from gate.model.lineage import Basis, Lineage, NodeKind
from gate.normalize import lineage as module
from gate.normalize.lineage import build_lineage
from tests.support.decisions import digest, rejected
from tests.support.evidence import folder, image, single_file

COMMIT: Final = "c" * 40


def said(
    word: str,
    claim: str,
    about: Sequence[str | Digest | Subject] = (),
    artifacts: Sequence[Artifact] = (),
    *,
    needs: Sequence[str] = (),
    folders: Sequence[str] = (),
    **facts: Any,
) -> Verified:
    """A verified statement of a claim, about some digests, or about all files of some artifacts."""
    subjects = [item if isinstance(item, Subject) else Subject(str(item), digest_of(item)) for item in about]
    subjects += [
        Subject(f"{artifact.path}/{path}", file.digest)
        for artifact in artifacts
        for path, file in artifact.files.items()
    ]
    if artifacts and not artifacts[0].files:
        subjects += [Subject(artifact.name, artifact.digest) for artifact in artifacts]
    statement = Statement(
        claim,
        "urn:x",
        tuple(subjects),
        tuple(subjects),
        False,
        tuple(digest(item) for item in needs),
        1_795_000_000,
        facts,
        {},
        folders=tuple(folders),
    )
    signer = SignerIdentity(f"signer of {word}", "key", digest("key"))
    names = tuple(artifact.name for artifact in artifacts)
    return Verified(digest(word), digest(f"evidence {word}"), f"{word}.json", statement, (signer,), names)


def digest_of(item: str | Digest) -> Digest:
    return Digest(item) if item.startswith("sha256:") else digest(item)


def trained(word: str, *about: Any, base: Mapping[str, str] | None = None, **more: Any) -> Verified:
    return said(word, "training.provenance", base=dict(base or {}), **{"about": about, "datasets": {}, **more})


def built(word: str, *about: Any, dependencies: Mapping[str, Any] | None = None, **more: Any) -> Verified:
    return said(word, "build.provenance", dependencies=dict(dependencies or {}), **{"about": about, **more})


def grown(*items: Verified | Rejected, artifacts: Sequence[Artifact] = (), only: str | None = None) -> Lineage:
    found = VerifiedSet(
        tuple(item for item in items if isinstance(item, Verified)),
        tuple(item for item in items if isinstance(item, Rejected)),
    )
    return build_lineage({item.name: item for item in artifacts}, found, only)


def edges(found: Lineage) -> set[tuple[str, str, str]]:
    """The edges with names in place of ids."""
    return {(title(found, edge.derived), edge.relation, title(found, edge.origin)) for edge in found.edges}


def title(found: Lineage, node: str) -> str:
    names, what = found.nodes[node].names, found.nodes[node].what
    return what[0] if found.nodes[node].kind is NodeKind.STATEMENT else names[0] if names else node


def gaps(found: Lineage) -> set[tuple[str, str]]:
    return {(title(found, gap.node), gap.code) for gap in found.gaps}


def root(artifact: Artifact) -> Digest:
    return root_digest([file.digest for _, file in sorted(artifact.files.items()) if file.digest is not None])


BASE = folder("base", {"a.safetensors": "base weights"})
TUNED = folder("tuned", {"b.safetensors": "tuned weights", "config.json": "{}"})
ADAPTER = dataclasses.replace(folder("lora", {"c.safetensors": "adapter"}, ArtifactKind.ADAPTER), base="tuned")
IMAGE = image("server", "registry.test/server", digest("image"))


class TestTheWholeWay:
    def test_base_fine_tune_adapter_composition_image(self) -> None:
        files = {"models/tuned": root(TUNED)}
        found = grown(
            trained("pretrained", artifacts=[BASE], datasets={"web": digest("web")}),
            trained("tuning", artifacts=[TUNED], base={"base": str(BASE.digest)}, datasets={"chat": digest("chat")}),
            trained("lora", artifacts=[ADAPTER], base={"tuned": str(TUNED.digest)}),
            said("whole", "composition", artifacts=[TUNED, ADAPTER], base=files, adapters={"lora": root(ADAPTER)}),
            built("image", artifacts=[IMAGE], dependencies={"composition": {"sha256": hex_of(digest("whole"))}}),
            said("data", "dataset", [digest("chat")], sources={"crawl": None}),
            artifacts=[BASE, TUNED, ADAPTER, IMAGE],
        )
        assert edges(found) == {
            ("server", "dependency", "composition"),
            ("composition", "base", "tuned"),
            ("composition", "adapter", "lora"),
            ("lora", "base", "tuned"),
            ("tuned", "base", "base"),
            ("tuned", "dataset", "chat"),
            ("base", "dataset", "web"),
            ("chat", "source", "crawl"),
        }
        assert gaps(found) == {("web", "origin"), ("crawl", "digest")}
        assert found.conflicts == ()
        assert {source.claim for source in found.statements.values()} == {
            "training.provenance",
            "composition",
            "build.provenance",
            "dataset",
        }
        bases = [edge for edge in found.edges if edge.basis is Basis.CONFIGURATION]
        assert [(edge.derived, edge.origin) for edge in bases] == [(ADAPTER.digest, TUNED.digest)]

    def test_a_composition_is_a_root_and_one_artifact_can_be_asked_for(self) -> None:
        whole = said("whole", "composition", artifacts=[BASE], base={"base": root(BASE)}, adapters={})
        found = grown(whole, artifacts=[BASE, TUNED])
        assert found.roots == (BASE.digest, TUNED.digest, f"statement:{digest('whole')}")
        one = grown(whole, artifacts=[BASE, TUNED], only="tuned")
        assert one.roots == tuple(one.nodes) == (TUNED.digest,)

    def test_what_statements_build_on_is_followed(self) -> None:
        prompt, route = single_file("prompt", "p.txt", "p"), single_file("route", "r.yaml", "r")
        found = grown(
            said("prompt", "prompt", artifacts=[prompt]),
            said("eval", "eval", ["report"], needs=["prompt"]),
            said("route", "route", artifacts=[route], needs=["eval"]),
            artifacts=[prompt, route],
        )
        assert edges(found) == {
            ("route", "builds on", "eval"),
            ("eval", "builds on", "prompt"),
            ("prompt", "about", "prompt"),
        }
        assert found.gaps == ()


class TestGaps:
    def test_names_make_nothing_the_same(self) -> None:
        one, other = single_file("one", "1", "1"), single_file("other", "2", "2")
        named = {"https://data.test/x": {}, "weak": {"md5": "a" * 32, "sha1": "b" * 40}, "bad": {"sha256": "A" * 64}}
        found = grown(
            built("first", artifacts=[one], dependencies=named),
            built("second", artifacts=[other], dependencies=named),
            artifacts=[one, other],
        )
        assert len(found.nodes) == 8
        assert [gap.code for gap in found.gaps] == ["digest"] * 6
        assert {gap.detail.split()[2] for gap in found.gaps} == {"first.json", "second.json"}

    def test_who_names_what_nothing_describes(self) -> None:
        one, other = single_file("one", "1", "1"), single_file("other", "2", "2")
        library = {"lib": {"sha256": "a" * 64}}
        found = grown(
            built("first", artifacts=[one], dependencies=library),
            built("second", artifacts=[other], dependencies=library),
            artifacts=[one, other],
        )
        (gap,) = found.gaps
        assert gap.node == f"sha256:{'a' * 64}"
        assert gap.detail == "named by first.json and 1 more, nothing verified says where it comes from"

    def test_a_signature_says_nothing_of_origins(self) -> None:
        model = single_file("model", "m", "m")
        found = grown(said("signed", "artifact.signature", artifacts=[model]), artifacts=[model])
        assert gaps(found) == {("model", "origin")}
        assert found.edges == ()

    def test_an_artifact_without_a_digest(self) -> None:
        assert gaps(grown(artifacts=[image("tag", "registry.test/x", None)])) == {("tag", "digest")}

    def test_a_base_that_only_the_configuration_names(self) -> None:
        found = grown(trained("base", artifacts=[BASE]), artifacts=[TUNED, BASE, ADAPTER], only="lora")
        assert ("lora", "base") in gaps(found)
        assert edges(found) == {("lora", "base", "tuned")}

    def test_rejected_evidence_is_a_gap_and_no_edge(self) -> None:
        model = single_file("model", "m", "m")
        about = dataclasses.replace(
            rejected(origin="bad.json", claimed="build.provenance", code="signature.untrusted", payload=digest("x")),
            artifacts=("model",),
        )
        others = rejected(origin="other.json", claimed="approval", code="chain.dangling")
        unreadable = dataclasses.replace(rejected(origin="junk.json", claimed=None), artifacts=())
        found = grown(about, others, unreadable, artifacts=[model])
        assert gaps(found) == {("model", "origin"), ("model", "rejected")}
        assert [(item.origin, item.claimed) for item in found.unused] == [
            ("bad.json", "build.provenance"),
            ("junk.json", None),
        ]

    def test_files_that_are_described_one_by_one(self) -> None:
        file = TUNED.files["b.safetensors"].digest
        assert file is not None
        found = grown(built("part", file, dependencies={"lib": {"sha256": "a" * 64}}), artifacts=[TUNED])
        assert gaps(found) == {("tuned", "files"), ("lib", "origin")}
        assert ("tuned", "file", file) in edges(found)
        assert any("1 of 2 files" in gap.detail for gap in found.gaps)
        other = built("rest", digest("{}"))
        complete = grown(
            built("part", file), dataclasses.replace(other, statement=_about(other, TUNED)), artifacts=[TUNED]
        )
        assert gaps(complete) == set()

    def test_a_file_of_an_artifact_leads_to_it(self) -> None:
        file = hex_of(BASE.files["a.safetensors"].digest or Digest(""))
        found = grown(
            trained("base", artifacts=[BASE]),
            built("tuned", artifacts=[TUNED], dependencies={"weights": {"sha256": file}}),
            artifacts=[BASE, TUNED],
        )
        assert edges(found) == {("tuned", "dependency", "weights"), ("weights", "file of", "base")}
        assert gaps(found) == set()

    def test_a_folder_that_a_statement_covers_whole_is_known_by_its_tree(self) -> None:
        files = {"a.csv": digest("a"), "b.csv": digest("b")}
        tree = tree_digest({name: ArtifactFile(value, 0) for name, value in files.items()})
        subjects = [Subject(f"data/{name}", value) for name, value in files.items()]
        found = grown(
            trained("model", artifacts=[BASE], datasets={"reviews": tree, "roots": root_digest(list(files.values()))}),
            said("data", "dataset", subjects, folders=["data", "none"], sources={}),
            artifacts=[BASE],
        )
        assert found.gaps == ()
        assert {name for _, _, name in edges(found)} == {"reviews", "roots"}


def _about(item: Verified, artifact: Artifact) -> Statement:
    found = Subject("config.json", artifact.files["config.json"].digest)
    return dataclasses.replace(item.statement, subjects=(found,))


class TestConflicts:
    def test_two_bases(self) -> None:
        found = grown(
            trained("one", artifacts=[BASE], base={"x": digest("x")}),
            trained("two", artifacts=[BASE], base={"x": digest("y")}),
            trained("scratch", artifacts=[BASE]),
            artifacts=[BASE],
        )
        (conflict,) = found.conflicts
        assert (conflict.node, conflict.code) == (BASE.digest, "base")
        assert set(conflict.statements) == {digest("one"), digest("two"), digest("scratch")}
        assert set(conflict.statements) <= found.statements.keys()

    def test_one_name_for_different_bytes(self) -> None:
        found = grown(
            built("one", artifacts=[BASE], dependencies={"lib": {"sha256": "a" * 64}, "unnamed": {"sha256": "b" * 64}}),
            built("two", artifacts=[BASE], dependencies={"lib": {"sha256": "c" * 64}, "unnamed": {"sha256": "d" * 64}}),
            built("three", artifacts=[BASE], dependencies={"other": {}}),
            artifacts=[BASE],
        )
        assert [(item.code, set(item.statements)) for item in found.conflicts] == [
            ("name", {digest("one"), digest("two")})
        ]

    def test_two_sources(self) -> None:
        sources = [{"uri": "git+https://x", "digests": {"gitCommit": letter * 40}} for letter in "ab"]
        found = grown(
            *(built(str(number), artifacts=[BASE], source=source) for number, source in enumerate(sources)),
            artifacts=[BASE],
        )
        assert [item.code for item in found.conflicts] == ["source"]
        assert gaps(found) == set()

    def test_a_digest_that_two_things_claim(self) -> None:
        sha256 = {"sha256": "a" * 64}
        found = grown(
            built("one", artifacts=[BASE], dependencies={"lib": {**sha256, "sha512": "b" * 128}}),
            built("two", artifacts=[BASE], dependencies={"lib": {**sha256, "sha512": "c" * 128}}),
            artifacts=[BASE],
        )
        assert [(item.node, item.code) for item in found.conflicts] == [(f"sha256:{'a' * 64}", "digest")]

    def test_a_base_that_the_bill_of_materials_does_not_know(self) -> None:
        bill = bom("bill", [BASE], ancestors={"root": [{"name": "b", "digests": {"sha256": "b" * 64}}]})
        tuned = trained("tuned", artifacts=[BASE], base={"a": "sha256:" + "a" * 64})
        agreeing = trained("tuned", artifacts=[BASE], base={"a": "sha256:" + "b" * 64})
        assert [item.code for item in grown(bill, tuned, artifacts=[BASE]).conflicts] == ["base"]
        assert grown(bill, agreeing, artifacts=[BASE]).conflicts == ()

    def test_another_base_than_the_configuration(self) -> None:
        right = trained("lora", artifacts=[ADAPTER], base={"t": str(TUNED.digest)})
        file = TUNED.files["b.safetensors"].digest
        part = trained("lora", artifacts=[ADAPTER], base={"t": str(file)})
        wrong = trained("lora", artifacts=[ADAPTER], base={"t": str(BASE.digest)})
        for item, expected in ((right, []), (part, []), (wrong, ["base"])):
            found = grown(item, artifacts=[BASE, TUNED, ADAPTER])
            assert [conflict.code for conflict in found.conflicts] == expected


def bom(word: str, artifacts: Sequence[Artifact], **facts: Any) -> Verified:
    return said(word, "sbom", artifacts=artifacts, **{"root": "root", "components": {}, **facts})


class TestBills:
    def test_components_datasets_and_ancestors(self) -> None:
        def component(name: str, letter: str, purl: str | None = None) -> dict[str, Any]:
            return {"name": name, "purl": purl, "digests": {"sha256": letter * 64} if letter else {}}

        found = grown(
            bom(
                "bill",
                [BASE],
                components={
                    "root": component("root", ""),
                    "lib": component("lib", "a", "pkg:pypi/lib@1"),
                    "deep": component("deep", "b"),
                    "alone": component("alone", "c"),
                },
                depends={"root": ["lib", "lost"], "lib": ["deep"], "alone": ["deep"], "stranger": ["lib"]},
                cards={"root": {"datasets": ["data", "deep"]}, "deep": {"datasets": ["data"]}},
                ancestors={"root": [{"name": "before"}, "junk"], "deep": [{}], "stranger": [{"name": "x"}]},
            ),
            artifacts=[BASE],
        )
        assert edges(found) == {
            ("base", "component", "pkg:pypi/lib@1"),
            ("base", "component", "lost"),
            ("base", "dataset", "data"),
            ("base", "dataset", "deep"),
            ("base", "ancestor", "before"),
            ("pkg:pypi/lib@1", "component", "deep"),
            ("deep", "dataset", "data"),
            ("deep", "ancestor", "unnamed"),
        }
        assert ("base", "origin") not in gaps(found)
        assert ("deep", "digest") not in gaps(found)
        # One name at two places of one bill is two things.
        assert sum(node.names == ("data",) for node in found.nodes.values()) == 2

    def test_a_bill_that_lists_nothing_describes_nothing(self) -> None:
        found = grown(bom("bill", [BASE], components={"x": {"name": "x", "digests": {}}}, root=None), artifacts=[BASE])
        assert gaps(found) == {("base", "origin")}


class TestClaims:
    def test_materials_commits_and_what_is_dirty(self) -> None:
        code = {"repository": "https://code.test/x", "commit": COMMIT, "dirty": False}
        dirty = {**code, "dirty": True}
        one, two = single_file("one", "1", "1"), single_file("two", "2", "2")
        three, four = single_file("three", "3", "3"), single_file("four", "4", "4")
        found = grown(
            said("link", "link", artifacts=[one], materials={"git+https://x": {"sha1": COMMIT}}),
            trained("clean", artifacts=[two], code=code),
            trained("dirty", artifacts=[three], code=dirty),
            trained("nothing", artifacts=[four], code={"repository": None, "commit": None, "dirty": None}),
            artifacts=[one, two, three, four],
        )
        assert gaps(found) == {("https://code.test/x with changes that are in no commit", "digest")}
        (commit,) = [node for node in found.nodes.values() if node.kind is NodeKind.COMMIT]
        assert commit.id == f"gitCommit:{COMMIT}"
        assert commit.names == ("git+https://x", "https://code.test/x")

    def test_the_source_is_named_once(self) -> None:
        source = {"uri": "git+https://x@refs/heads/main", "ref": None, "digests": {"gitCommit": COMMIT}}
        found = grown(
            built("b", artifacts=[BASE], source=source, dependencies={"git+https://x": {"sha1": COMMIT}}),
            artifacts=[BASE],
        )
        assert {relation for _, relation, _ in edges(found)} == {"source"}
        unnamed = {"uri": None, "digests": {"gitCommit": COMMIT}}
        assert edges(grown(built("b", artifacts=[BASE], source=unnamed), artifacts=[BASE])) == {
            ("base", "source", "source")
        }
        empty = grown(built("b", artifacts=[BASE], source={"uri": None, "digests": {}}), artifacts=[BASE])
        assert empty.edges == ()

    def test_other_digests_find_the_same_statement_unless_they_contradict(self) -> None:
        sha512 = "b" * 128
        dependency = {"sha256": "a" * 64, "sha512": sha512}
        good = Subject("lib", None, {"sha512": sha512})
        liar = Subject("lib", digest("other"), {"sha512": sha512})
        for subject, expected in ((good, set()), (liar, {("lib", "origin")})):
            found = grown(
                built("model", artifacts=[BASE], dependencies={"lib": dependency}),
                built("lib", subject),
                artifacts=[BASE],
            )
            assert gaps(found) == expected


def test_artifacts_of_the_same_bytes_are_one_thing() -> None:
    one, two = single_file("one", "1", "same"), single_file("two", "2", "same")
    found = grown(built("one", artifacts=[one]), artifacts=[one, two])
    assert [node.names for node in found.nodes.values()] == [("one", "two")]
    assert gaps(found) == {("one", "origin")}


def test_a_digest_that_could_be_two_artifacts_is_neither() -> None:
    one = folder("one", {"a": "x"})
    two = folder("two", {"b": "x"})
    user = single_file("user", "u", "u")
    found = grown(
        trained("user", artifacts=[user], base={"x": root(one)}),
        built("one", artifacts=[one]),
        built("two", artifacts=[two]),
        artifacts=[one, two, user],
    )
    assert gaps(found) == {("x", "origin")}


def test_cycles_end() -> None:
    one, two = single_file("one", "1", "1"), single_file("two", "2", "2")
    found = grown(
        built("one", artifacts=[one], dependencies={"two": {"sha256": hex_of(two.digest or Digest(""))}}),
        built("two", artifacts=[two], dependencies={"one": {"sha256": hex_of(one.digest or Digest(""))}, **_self(two)}),
        said("round", "dataset", ["round"], sources={"round": digest("round")}),
        trained("user", "user", datasets={"round": digest("round")}),
        artifacts=[one, two],
    )
    assert edges(found) == {("one", "dependency", "two"), ("two", "dependency", "one"), ("two", "dependency", "two")}
    assert found.gaps == ()


def _self(artifact: Artifact) -> Mapping[str, Any]:
    return {"itself": {"sha256": hex_of(artifact.digest or Digest(""))}}


def test_two_thousand_things_are_quick_and_order_does_not_matter() -> None:
    items = [
        built(str(n), str(n), dependencies={f"{n + 1}": {"sha256": hex_of(digest(str(n + 1)))}, f"x{n}": {}})
        for n in range(1000)
    ]
    model = single_file("model", "m", "m")
    first = built("model", artifacts=[model], dependencies={"0": {"sha256": hex_of(digest("0"))}})
    started = time.monotonic()
    found = grown(first, *items, artifacts=[model])
    assert time.monotonic() - started < 10
    assert len(found.nodes) == 2002
    assert len(found.gaps) == 1001
    mixed = [first, *items]
    random.Random(1).shuffle(mixed)
    assert grown(*mixed, artifacts=[model]) == found


def test_too_many_edges_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_EDGES", 2)
    dependencies: dict[str, dict[str, str]] = {str(number): {} for number in range(3)}
    with pytest.raises(LimitError, match="more than 2 edges"):
        grown(built("b", artifacts=[BASE], dependencies=dependencies), artifacts=[BASE])
