"""Statements: the one type and version that is read, and what a subject must be."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.formats.intoto import STATEMENT_TYPE, RawStatement, StatementError, parse_digest_list, parse_statement
from gate.model.digest import sha256_digest
from gate.model.evidence import Subject

DATA = b"weights"
SHA256, SHA384, SHA512 = (hashlib.new(name, DATA).hexdigest() for name in ("sha256", "sha384", "sha512"))
SHA1, MD5 = hashlib.sha1(DATA).hexdigest(), hashlib.md5(DATA).hexdigest()
TYPE = "https://example.com/predicate/v1"


def statement(**changes: Any) -> dict[str, Any]:
    """A good statement with some members replaced, or left out where the change is `...`."""
    members = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "model", "digest": {"sha256": SHA256}}],
        "predicateType": TYPE,
        "predicate": {"a": 1},
    } | changes
    return {key: value for key, value in members.items() if value is not ...}


def parse(value: object) -> RawStatement:
    return parse_statement(json.dumps(value).encode(), limit=1 << 20)


def code_of(value: object) -> str:
    with pytest.raises(StatementError) as caught:
        parse(value)
    assert len(str(caught.value)) < 300
    return caught.value.code


BAD_SHA256 = {
    "upper-case": SHA256.upper(),
    "one-upper-case-digit": "A" + "0" * 63,
    "prefix-inside": "sha256:" + SHA256,
    "prefix-cut-to-length": ("sha256:" + SHA256)[:64],
    "hex-prefix": "0x" + SHA256[2:],
    "space-before": " " + SHA256,
    "space-after": SHA256 + " ",
    "space-instead": SHA256[:-1] + " ",
    "newline-after": SHA256 + "\n",
    "newline-instead": SHA256[:-1] + "\n",
    "tab-inside": SHA256[:30] + "\t" + SHA256[31:],
    "nul-after": SHA256 + "\x00",
    "nul-instead": SHA256[:-1] + "\x00",
    "empty": "",
    "blank": " " * 64,
    "one-digit": "0",
    "63-digits": SHA256[:-1],
    "65-digits": SHA256 + "0",
    "128-digits": SHA256 * 2,
    "sha1-length": SHA1,
    "sha512-in-sha256": SHA512,
    "not-hex": "g" * 64,
    "one-not-hex": SHA256[:-1] + "g",
    "letter-o": "o" + SHA256[1:],
    "minus": "-" + SHA256[1:],
    "underscore": SHA256[:8] + "_" + SHA256[9:],
    "dashes": "-".join([SHA256[:8]] * 7) + "0",
    "arabic-digits": "\u0661" * 64,
    "full-width-digits": "\uff11" * 64,
    "one-full-width-digit": "\uff10" + SHA256[1:],
    "superscript": "\u00b2" * 64,
    "cyrillic-a": "\u0430" + "a" * 63,
    "zero-width": "\u200b" + SHA256[1:],
    "combining": SHA256[:-1] + "\u0301",
    "base64": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    "percent": "%" + SHA256[1:],
    "wildcard": "*",
    "wildcards": "*" * 64,
    "none": None,
    "true": True,
    "zero": 0,
    "integer": int("1" * 18),
    "float": 1.5,
    "list": [SHA256],
    "empty-list": [],
    "object": {"hex": SHA256},
}
NO_SECURE_DIGEST = {
    "empty-set": {},
    "sha1": {"sha1": SHA1},
    "md5": {"md5": MD5},
    "sha1-and-md5": {"sha1": SHA1, "md5": MD5},
    "git-commit": {"gitCommit": SHA1},
    "git-blob": {"gitBlob": SHA1},
    "git-tree-256": {"gitTree": SHA256},
    "dir-hash": {"dirHash1": SHA256},
    "sha224": {"sha224": "0" * 56},
    "sha512-256": {"sha512_256": SHA256},
    "sha3-256": {"sha3_256": SHA256},
    "blake2b": {"blake2b": SHA512},
    "blake3": {"blake3": SHA256},
    "key-in-upper-case": {"SHA256": SHA256},
    "key-with-dash": {"sha-256": SHA256},
    "key-with-space": {"sha256 ": SHA256},
    "key-in-full-width": {"sha\uff12\uff15\uff16": SHA256},
    "key-empty": {"": SHA256},
    "key-is-the-digest": {SHA256: "sha256"},
}
NO_DIGEST_SET = {
    "null": None,
    "text": SHA256,
    "prefixed": "sha256:" + SHA256,
    "list": [SHA256],
    "number": 1,
    "true": True,
}
NO_SUBJECT_OBJECT: dict[str, Any] = {
    "null": None,
    "text": "model",
    "digest": SHA256,
    "list": [],
    "number": 0,
    "true": True,
}
NO_SUBJECTS: dict[str, Any] = {
    "empty": [],
    "null": None,
    "object": {"sha256": SHA256},
    "text": SHA256,
    "number": 1,
    "false": False,
    "missing": ...,
}
BAD_NAMES: dict[str, Any] = {"null": None, "number": 1, "true": True, "list": ["model"], "object": {}}


class TestS11Subjects:
    @pytest.mark.parametrize("text", BAD_SHA256.values(), ids=BAD_SHA256)
    def test_s11_a_sha256_in_any_other_spelling_is_refused(self, text: object) -> None:
        assert code_of(statement(subject=[{"digest": {"sha256": text}}])) == "subject_digest"

    @pytest.mark.parametrize("text", BAD_SHA256.values(), ids=BAD_SHA256)
    def test_s11_a_good_digest_does_not_excuse_a_bad_one_beside_it(self, text: object) -> None:
        assert code_of(statement(subject=[{"digest": {"sha256": SHA256, "sha384": text}}])) == "subject_digest"
        assert code_of(statement(subject=[{"digest": {"sha256": text, "sha512": SHA512}}])) == "subject_digest"

    @pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
    def test_s11_each_algorithm_has_its_length(self, algorithm: str) -> None:
        digests = {"sha256": SHA256, "sha384": SHA384, "sha512": SHA512}
        for name, text in digests.items():
            if name != algorithm:
                assert code_of(statement(subject=[{"digest": {algorithm: text}}])) == "subject_digest"
        assert code_of(statement(subject=[{"digest": {algorithm: digests[algorithm].upper()}}])) == "subject_digest"

    @pytest.mark.parametrize("digests", NO_SECURE_DIGEST.values(), ids=NO_SECURE_DIGEST)
    def test_s11_only_sha256_sha384_and_sha512_identify_a_subject(self, digests: dict[str, str]) -> None:
        assert code_of(statement(subject=[{"name": "model", "digest": digests}])) == "subject_digest"

    @pytest.mark.parametrize("digests", NO_DIGEST_SET.values(), ids=NO_DIGEST_SET)
    def test_s11_a_name_without_digests_identifies_nothing(self, digests: object) -> None:
        assert code_of(statement(subject=[{"name": "model", "digest": digests}])) == "subject_digest"
        assert code_of(statement(subject=[{"name": "model", "uri": "file:model"}])) == "subject_digest"

    @pytest.mark.parametrize("item", NO_SUBJECT_OBJECT.values(), ids=NO_SUBJECT_OBJECT)
    def test_s11_a_subject_is_an_object(self, item: object) -> None:
        assert code_of(statement(subject=[item])) == "subject"

    @pytest.mark.parametrize("value", NO_SUBJECTS.values(), ids=NO_SUBJECTS)
    def test_s11_a_statement_about_nothing_is_refused(self, value: object) -> None:
        assert code_of(statement(subject=value)) == "no_subject"

    @pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
    def test_s11_a_name_is_text(self, name: object) -> None:
        assert code_of(statement(subject=[{"name": name, "digest": {"sha256": SHA256}}])) == "subject"

    @pytest.mark.parametrize("place", [0, 1, 50])
    def test_s11_one_bad_subject_among_good_ones_refuses_the_statement(self, place: int) -> None:
        subjects: list[Any] = [{"name": f"f{n}", "digest": {"sha256": SHA256}} for n in range(50)]
        subjects.insert(place, {"name": "bad", "digest": {"sha1": SHA1}})
        assert code_of(statement(subject=subjects)) == "subject_digest"

    def test_s11_every_secure_digest_is_kept_for_comparison(self) -> None:
        wrong = "0" * 128
        read = parse(statement(subject=[{"name": "m", "digest": {"sha256": SHA256, "sha512": wrong, "sha1": SHA1}}]))
        assert read.subjects == (Subject("m", sha256_digest(DATA), {"sha512": wrong}),)

    def test_s11_a_subject_may_have_no_name_and_no_sha256(self) -> None:
        read = parse(statement(subject=[{"digest": {"sha384": SHA384, "sha512": SHA512}}]))
        assert read.subjects == (Subject("", None, {"sha384": SHA384, "sha512": SHA512}),)

    def test_s11_subjects_that_disagree_are_all_kept(self) -> None:
        other = hashlib.sha256(b"other").hexdigest()
        read = parse(statement(subject=[{"name": "m", "digest": {"sha256": text}} for text in (SHA256, other)]))
        assert [subject.digest for subject in read.subjects] == [f"sha256:{SHA256}", f"sha256:{other}"]

    @given(st.text(max_size=70) | st.text(alphabet="0123456789abcdefABCDEF \n", min_size=63, max_size=65))
    def test_s11_a_digest_is_accepted_only_if_it_is_one_that_hashlib_would_write(self, text: str) -> None:
        try:
            found = parse(statement(subject=[{"digest": {"sha256": text}}])).subjects[0].digest
        except StatementError:
            return
        assert found == f"sha256:{text}"
        assert bytes.fromhex(text).hex() == text
        assert len(text) == 64


class TestS10Types:
    @pytest.mark.parametrize(
        "kind",
        [
            "https://in-toto.io/Statement/v0.2",
            "https://in-toto.io/Statement/v0.1.0",
            "https://in-toto.io/Statement/v0",
            "https://in-toto.io/Statement/v0.1 ",
            "https://in-toto.io/Statement/v1.0",
            "https://in-toto.io/Statement/v1.1",
            "https://in-toto.io/Statement/v2",
            "https://in-toto.io/Statement/v1/",
            "https://in-toto.io/Statement/V1",
            "https://in-toto.io/statement/v1",
            "http://in-toto.io/Statement/v1",
            "https://in-toto.io/Statement/v1 ",
            "https://in-toto.io/Statement/v1\n",
            "https://in-toto.io/Statement/v1#",
            "https://in-toto.io/Statement/v",
            "https://in-toto.io.evil.example/Statement/v1",
            "in-toto.io/Statement/v1",
            "link",
            "",
            "x" * 50_000,
            None,
            1,
            True,
            [STATEMENT_TYPE],
            {},
            ...,
        ],
        ids=lambda value: str(value)[:60].encode("unicode_escape").decode(),
    )
    def test_s10_any_other_statement_type_is_refused(self, kind: object) -> None:
        assert code_of(statement(_type=kind)) == "type"

    def test_s10_the_older_frame_is_read_with_the_same_strictness_and_known_as_such(self) -> None:
        old = statement(_type="https://in-toto.io/Statement/v0.1")
        assert parse(old) == replace(parse(statement()), statement_type="https://in-toto.io/Statement/v0.1")
        assert code_of({**old, "subject": []}) == "no_subject"
        assert code_of({**old, "predicateType": ""}) == "predicate_type"
        assert code_of({**old, "subject": [{"name": "x", "digest": {"sha1": "0" * 40}}]}) == "subject_digest"

    @pytest.mark.parametrize("kind", ["", None, 1, True, [TYPE], {}, ...], ids=str)
    def test_s10_the_predicate_type_is_text(self, kind: object) -> None:
        assert code_of(statement(predicateType=kind)) == "predicate_type"

    @pytest.mark.parametrize("predicate", [None, [], [{}], "{}", 1, True], ids=str)
    def test_s10_a_predicate_is_an_object(self, predicate: object) -> None:
        assert code_of(statement(predicate=predicate)) == "predicate"

    def test_s10_a_statement_is_read_as_it_is(self) -> None:
        expected = RawStatement((Subject("model", sha256_digest(DATA)),), TYPE, {"a": 1})
        assert parse(statement()) == expected
        assert parse(statement(unknown={"member": 1})) == expected
        assert parse(statement(predicate=...)).predicate == {}

    @pytest.mark.parametrize("value", [None, [], "x", 1, [statement()]], ids=lambda value: str(value)[:9])
    def test_s17_a_payload_is_an_object(self, value: object) -> None:
        assert code_of(value) == "json"

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (b'"predicate":', b'"predicateType":"https://slsa.dev/provenance/v1","predicate":'),
            (b'"predicateType":', b'"subject":[],"predicateType":'),
            (SHA256.encode(), SHA256.encode() + b'","sha256":"' + b"0" * 64),
            (b'"a": 1', b'"a": NaN'),
            (b'"a": 1', b'"a": 1e999'),
            (b'"a": 1', b'"a": 9223372036854775808'),
            (b'"a": 1', b'"a": 1, "\\u0061": 2'),
            (b'"a": 1', b'"a": "\\ud800"'),
            (b'"a": 1', b'"a": "\xff"'),
            (b'{"_type"', b'\xef\xbb\xbf{"_type"'),
            (b'{"a": 1}}', b'{"a": 1}}{}'),
        ],
    )
    def test_s17_a_payload_that_two_parsers_could_read_differently_is_refused(
        self, before: bytes, after: bytes
    ) -> None:
        good = json.dumps(statement()).encode()
        assert before in good
        with pytest.raises(StatementError) as caught:
            parse_statement(good.replace(before, after, 1), limit=1 << 20)
        assert caught.value.code == "json"

    def test_s17_the_limit_of_bytes_holds(self) -> None:
        data = json.dumps(statement()).encode()
        assert parse_statement(data, limit=len(data)).predicate_type == TYPE
        with pytest.raises(StatementError, match="more than the"):
            parse_statement(data, limit=len(data) - 1)


GOOD = "sha256:" + SHA256


class TestS14DigestLists:
    def test_s14_digests_are_read_in_their_order(self) -> None:
        other = sha256_digest(b"x")
        assert parse_digest_list([GOOD, other], "depends_on") == (GOOD, other)
        assert parse_digest_list([], "depends_on") == ()

    @pytest.mark.parametrize("value", [None, GOOD, {GOOD: 1}, 1, True], ids=str)
    def test_s14_it_is_a_list(self, value: Any) -> None:
        with pytest.raises(StatementError, match="is not a list"):
            parse_digest_list(value, "depends_on")

    @pytest.mark.parametrize(
        "item",
        [
            SHA256,
            "SHA256:" + SHA256,
            GOOD.upper(),
            GOOD + "\n",
            " " + GOOD,
            "sha256:" + GOOD,
            "sha512:" + SHA512,
            "sha256:",
            "sha256:" + SHA256.upper(),
            "sha1:" + SHA1,
            "",
            None,
            1,
            [GOOD],
            {"sha256": SHA256},
        ],
        ids=str,
    )
    def test_s14_an_item_in_any_other_spelling_is_refused(self, item: Any) -> None:
        with pytest.raises(StatementError) as caught:
            parse_digest_list([GOOD, item], "depends_on")
        assert caught.value.code == "predicate"
