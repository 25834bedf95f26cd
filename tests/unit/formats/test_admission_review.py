"""Reviews are read strictly, and whatever is refused is refused by its uid."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.formats.admission_review import ReviewError, read_review, uid_of, write_review
from gate.model.admission import Answer, Cause, ObjectKind, Operation, refusal
from tests.support.reviews import BUILT_IN, LIMIT, UID, asked, body, pod_spec, request, thing

POD = thing("v1", "Pod", spec=pod_spec())
GOOD = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request(POD)}
GONE = object()


def changed(path: str, value: Any) -> bytes:
    """The good review with another value at a path, or without what is there."""
    review = json.loads(json.dumps(GOOD))
    *way, last = path.split(".")
    place = review
    for step in way:
        place = place[step]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return json.dumps(review).encode()


def text(old: str, new: str) -> bytes:
    """The good review with its text changed, as no writer of JSON would write it."""
    before = json.dumps(GOOD)
    assert before.count(old) >= 1
    return before.replace(old, new, 1).encode()


KIND = {"group": "", "version": "v1", "kind": "Pod"}
PODS = {"group": "", "version": "v1", "resource": "pods"}
MALFORMED: dict[str, bytes] = {
    # The body is no JSON that has one meaning.
    "cut": json.dumps(GOOD).encode()[:-1],
    "cut in the object": json.dumps(GOOD).encode()[:-200],
    "behind its end": json.dumps(GOOD).encode() + b"{}",
    "twice": json.dumps(GOOD).encode() * 2,
    "a second uid": text('"uid": ', '"uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "uid": '),
    "a second object": text('"object": ', '"object": {}, "object": '),
    "a second image": text('"image": ', '"image": "good@x", "image": '),
    "a second kind of the object": text('"kind": "Pod", "metadata"', '"kind": "Pod", "kind": "Pod", "metadata"'),
    "a second request": text(
        '"request": {', '"request": {"uid": "705ab4f5-6393-11e8-b7cc-42010a800002"}, "request": {'
    ),
    "a second key by an escape": text('"operation": ', '"oper\\u0061tion": "DELETE", "operation": '),
    "not a number": text('"dryRun": false', '"dryRun": NaN'),
    "infinity": text('"dryRun": false', '"dryRun": -Infinity'),
    "an integer beyond int64": text('"dryRun": false', '"more": 9223372036854775808'),
    "a float beyond doubles": text('"dryRun": false', '"more": 1e999'),
    "a lone surrogate": text('"someone"', '"\\ud800"'),
    "not UTF-8": text('"someone"', '"someone"').replace(b"someone", b"some\xff\xfe"),
    "a control character in a string": text('"someone"', '"some\x01one"'),
    "single quotes": text('"someone"', "'someone'"),
    "a remark": text('"dryRun"', '/* */ "dryRun"'),
    "a trailing comma": text('"dryRun": false', '"dryRun": false,'),
    "too deep": text('"oldObject": null', '"oldObject": ' + "[" * 70 + "]" * 70),
    # The review.
    "no API version": changed("apiVersion", GONE),
    "v1beta1": changed("apiVersion", "admission.k8s.io/v1beta1"),
    "v2": changed("apiVersion", "admission.k8s.io/v2"),
    "another group": changed("apiVersion", "admission.k8s.io.evil.example/v1"),
    "an API version with a blank": changed("apiVersion", "admission.k8s.io/v1 "),
    "an API version in upper case": changed("apiVersion", "ADMISSION.K8S.IO/V1"),
    "an API version that is a number": changed("apiVersion", 1),
    "no kind": changed("kind", GONE),
    "another kind": changed("kind", "ImageReview"),
    "a kind in lower case": changed("kind", "admissionreview"),
    "a kind that is a list": changed("kind", ["AdmissionReview"]),
    "a response": changed("response", {"uid": UID, "allowed": True}),
    "an empty response": changed("response", {}),
    "a response that is true": changed("response", True),
    # The request.
    "no kind of the request": changed("request.kind", GONE),
    "a null kind of the request": changed("request.kind", None),
    "a kind of the request that is text": changed("request.kind", "Pod"),
    "a kind without group": changed("request.kind", {"version": "v1", "kind": "Pod"}),
    "a kind with a null group": changed("request.kind", KIND | {"group": None}),
    "a kind with a group that is a number": changed("request.kind", KIND | {"group": 0}),
    "a kind without version": changed("request.kind", {"group": "", "kind": "Pod"}),
    "a kind with an empty version": changed("request.kind", KIND | {"version": ""}),
    "a kind without kind": changed("request.kind", {"group": "", "version": "v1"}),
    "a kind with a control character": changed("request.kind", KIND | {"kind": "Pod\n"}),
    "a kind with a zero-width character": changed("request.kind", KIND | {"kind": "Po\u200bd"}),
    "a kind that is very long": changed("request.kind", KIND | {"kind": "P" * 254}),
    "no resource": changed("request.resource", GONE),
    "a resource that is text": changed("request.resource", "pods"),
    "a resource without name": changed("request.resource", KIND),
    "a resource of another group": changed("request.resource", PODS | {"group": "apps"}),
    "a resource of another version": changed("request.resource", PODS | {"version": "v2"}),
    "a requested kind that is text": changed("request.requestKind", "Pod"),
    "a requested kind without kind": changed("request.requestKind", {"group": "", "version": "v1"}),
    "a requested resource that is a list": changed("request.requestResource", [PODS]),
    "a requested subresource that is a number": changed("request.requestSubResource", 1),
    "a subresource that is an object": changed("request.subResource", {}),
    "a subresource that is false": changed("request.subResource", False),
    "no operation": changed("request.operation", GONE),
    "a null operation": changed("request.operation", None),
    "an empty operation": changed("request.operation", ""),
    "DELETE": changed("request.operation", "DELETE"),
    "CONNECT": changed("request.operation", "CONNECT"),
    "an operation in lower case": changed("request.operation", "create"),
    "an operation with a blank": changed("request.operation", "CREATE "),
    "an unknown operation": changed("request.operation", "PATCH"),
    "every operation": changed("request.operation", "*"),
    "a list of operations": changed("request.operation", ["CREATE"]),
    "an operation that is an object": changed("request.operation", {"CREATE": True}),
    "a namespace that is a number": changed("request.namespace", 7),
    "a namespace with a line": changed("request.namespace", "a\nb"),
    "a name that is an object": changed("request.name", {}),
    "a name that is very long": changed("request.name", "x" * 254),
    "no user": changed("request.userInfo", GONE),
    "a user that is text": changed("request.userInfo", "someone"),
    "a user's name that is a list": changed("request.userInfo.username", ["someone"]),
    "groups that are text": changed("request.userInfo.groups", "system:masters"),
    "groups that are no text": changed("request.userInfo.groups", ["a", 1]),
    "too many groups": changed("request.userInfo.groups", ["a"] * 10_001),
    "a dry run that is text": changed("request.dryRun", "false"),
    "a dry run that is a number": changed("request.dryRun", 0),
    # The object.
    "no object": changed("request.object", GONE),
    "a null object": changed("request.object", None),
    "an object that is a list": changed("request.object", [POD]),
    "an object that is text": changed("request.object", json.dumps(POD)),
    "an empty object": changed("request.object", {}),
    "an old object that is a list": changed("request.oldObject", []),
    "an object without kind": changed("request.object.kind", GONE),
    "an object of another kind": changed("request.object.kind", "ConfigMap"),
    "an object whose kind is in lower case": changed("request.object.kind", "pod"),
    "an object whose kind is a list": changed("request.object.kind", ["Pod"]),
    "an object without API version": changed("request.object.apiVersion", GONE),
    "an object of another version": changed("request.object.apiVersion", "v1beta1"),
    "an object of another group": changed("request.object.apiVersion", "apps/v1"),
    "an object of a group of nothing": changed("request.object.apiVersion", "/v1"),
    "an object without metadata": changed("request.object.metadata", GONE),
    "metadata that is a list": changed("request.object.metadata", []),
    "an object of another namespace": changed("request.object.metadata.namespace", "kube-system"),
    "an object with another name": changed("request.object.metadata.name", "y"),
    "an object whose name is a number": changed("request.object.metadata.name", 1),
    "an object whose namespace is true": changed("request.object.metadata.namespace", True),
}
"""All with a uid that can be read."""
WITHOUT_UID: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b"  \n",
    "null": b"null",
    "a list": b"[" + json.dumps(GOOD).encode() + b"]",
    "text": b'"AdmissionReview"',
    "a number": b"1",
    "an empty object": b"{}",
    "a byte order mark and nothing": b"\xef\xbb\xbf{}",
    "no request": changed("request", GONE),
    "a null request": changed("request", None),
    "a request that is a list": changed("request", [request(POD)]),
    "a request that is text": changed("request", UID),
    "no uid": changed("request.uid", GONE),
    "a null uid": changed("request.uid", None),
    "an empty uid": changed("request.uid", ""),
    "a uid that is a number": changed("request.uid", 1),
    "a uid that is a list": changed("request.uid", [UID]),
    "a uid with a line": changed("request.uid", "a\r\nb"),
    "a uid with a blank": changed("request.uid", "a b"),
    "a uid beyond ASCII": changed("request.uid", "\u202ea"),
    "a huge uid": changed("request.uid", "x" * 257),
    "a form": b"request=%7B%7D",
    "XML": b"<request/>",
    "YAML": b"request:\n  uid: a\n",
    "many brackets": b"[" * 100_000,
}


def test_there_are_as_many_as_are_asked_for() -> None:
    assert len(MALFORMED) + len(WITHOUT_UID) >= 80
    assert len(set(MALFORMED.values())) == len(MALFORMED)


@pytest.mark.parametrize("name", MALFORMED)
def test_s39_a_malformed_review_is_refused_by_its_uid(name: str) -> None:
    with pytest.raises(ReviewError) as caught:
        read_review(MALFORMED[name], LIMIT)
    assert caught.value.uid == UID
    assert caught.value.code == 400
    written = json.loads(write_review(refusal(UID, Cause.REVIEW, str(caught.value), caught.value.code)))
    assert written["response"]["uid"] == UID
    assert written["response"]["allowed"] is False
    assert written["response"]["status"]["message"]


@pytest.mark.parametrize("name", WITHOUT_UID)
def test_what_has_no_uid_is_refused_all_the_same(name: str) -> None:
    with pytest.raises(ReviewError) as caught:
        read_review(WITHOUT_UID[name], LIMIT)
    assert caught.value.uid is None
    assert caught.value.code == 400


class TestReading:
    def test_a_request_as_an_api_server_writes_it(self) -> None:
        review = asked(POD)
        assert review.uid == UID
        assert review.kind == ObjectKind("", "v1", "Pod")
        assert (review.resource, review.sub_resource) == ("pods", "")
        assert review.operation is Operation.CREATE
        assert (review.namespace, review.name) == ("team", "x")
        assert (review.user, review.groups) == ("someone", ("system:authenticated",))
        assert review.dry_run is False
        assert review.object == POD
        assert review.old is None

    def test_an_update_has_the_object_as_it_was(self) -> None:
        old = thing("v1", "Pod", spec={})
        review = asked(POD, operation="UPDATE", oldObject=old, dryRun=True, subResource="ephemeralcontainers")
        assert review.operation is Operation.UPDATE
        assert review.old == old
        assert review.dry_run is True
        assert review.sub_resource == "ephemeralcontainers"

    @pytest.mark.parametrize(
        "change",
        [
            {"name": ""},
            {"name": None},
            {"namespace": ""},
            {"dryRun": None},
            {"requestKind": None, "requestResource": None},
            {"userInfo": {}},
            {"oldObject": None},
            {"options": None},
            {"userInfo": {"username": "", "groups": None}},
            {"ofANewerServer": {"x": 1}},
        ],
        ids=json.dumps,
    )
    def test_what_need_not_be_there(self, change: dict[str, Any]) -> None:
        assert asked(POD, **change).object == POD

    def test_a_request_for_another_version_is_of_the_kind_that_was_converted_to(self) -> None:
        deployment = BUILT_IN["Deployment"](pod_spec())
        kind = {"group": "extensions", "version": "v1beta1", "kind": "Deployment"}
        assert asked(deployment, requestKind=kind).kind == ObjectKind("apps", "v1", "Deployment")

    def test_an_object_that_is_still_to_be_named(self) -> None:
        item = {**POD, "metadata": {"generateName": "x-"}}
        review = asked(item, namespace="team", name="")
        assert (review.namespace, review.name) == ("team", None)

    def test_a_subresource_may_have_a_kind_of_another_group(self) -> None:
        scale = thing("autoscaling/v1", "Scale", spec={"replicas": 3})
        resource = {"group": "apps", "version": "v1", "resource": "deployments"}
        assert asked(scale, resource=resource, subResource="scale").sub_resource == "scale"

    @pytest.mark.parametrize("spare", [-1, 0])
    def test_s42_a_body_is_bounded(self, spare: int) -> None:
        data = body(POD)
        if spare == 0:
            assert read_review(data, len(data)).uid == UID
            return
        with pytest.raises(ReviewError, match="more than the") as caught:
            read_review(data, len(data) + spare)
        assert (caught.value.uid, caught.value.code) == (UID, 413)

    def test_the_uid_of_what_is_not_read(self) -> None:
        assert uid_of(body(POD)) == UID
        assert uid_of(body(POD)[:200]) == UID
        assert uid_of(b'{"request":{"kind":1,"uid":"a"}}') is None
        assert uid_of(b" " * 5000 + body(POD)) is None
        assert uid_of(b'{"request":{"uid":"a\\"b"}}') is None


class TestWriting:
    @staticmethod
    def written(answer: Answer) -> dict[str, Any]:
        data = write_review(answer)
        assert data.isascii()
        assert data.decode().isprintable()
        review = json.loads(data)
        assert (review["apiVersion"], review["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
        assert set(review) == {"apiVersion", "kind", "response"}
        response: dict[str, Any] = review["response"]
        return response

    def test_a_refusal(self) -> None:
        assert self.written(refusal("u", Cause.REFUSED, "refused by gate: artifact.signed")) == {
            "uid": "u",
            "allowed": False,
            "status": {
                "status": "Failure",
                "message": "refused by gate: artifact.signed",
                "reason": "Forbidden",
                "code": 403,
            },
        }

    def test_a_yes(self) -> None:
        assert self.written(Answer("u", True, Cause.ALLOWED, "", 200)) == {"uid": "u", "allowed": True}
        told = self.written(Answer("u", True, Cause.DRY_RUN, "would be refused", 403, ("take care",)))
        assert told["status"] == {"status": "Success", "message": "would be refused", "code": 200}
        assert told["warnings"] == ["take care"]

    @pytest.mark.parametrize("allowed", ["false", 1, "", None, []])
    def test_only_true_lets_in(self, allowed: Any) -> None:
        assert self.written(Answer("u", allowed, Cause.ALLOWED, "m"))["allowed"] is False

    def test_a_refusal_always_has_a_status_that_refuses_and_a_message(self) -> None:
        for code in (0, 200, 302, 399, 600, -1):
            assert self.written(refusal("u", Cause.BUG, "", code))["status"] == {
                "status": "Failure",
                "message": "refused by gate",
                "reason": "Forbidden",
                "code": 403,
            }
        assert self.written(refusal("u", Cause.BUG, "x", 503))["status"]["reason"] == "ServiceUnavailable"
        assert self.written(refusal("u", Cause.BUG, "x", 418))["status"]["reason"] == "Forbidden"

    @pytest.mark.parametrize(
        "hostile",
        ["\x1b[31mred", "a\r\nb", "\u202ereversed", "é" * 5000, "\x00", "\ud800", "::error::x", "x" * 1_000_000],
        ids=["escape", "lines", "bidi", "long and wide", "nul", "surrogate", "command", "long"],
    )
    def test_s34_all_text_is_printable_ascii_and_bounded(self, hostile: str) -> None:
        answer = Answer(hostile[:9], False, Cause.BUG, hostile, 403, (hostile,) * 100, {hostile: hostile, "b": hostile})
        told = self.written(answer)
        assert 0 < len(told["status"]["message"]) <= 1024
        assert all(0 < len(warning) <= 240 for warning in told["warnings"])
        assert sum(map(len, told["warnings"])) <= 4096
        for key, value in told["auditAnnotations"].items():
            assert 0 < len(key) <= 63
            assert key.replace("-", "").replace("_", "").replace(".", "").isalnum()
            assert key[0].isalnum()
            assert key[-1].isalnum()
            assert len(value) <= 2048

    def test_warnings_that_are_left_out_are_counted(self) -> None:
        told = self.written(Answer("u", True, Cause.ALLOWED, "", 200, ("w" * 240,) * 20 + ("",)))
        assert len(told["warnings"]) == 17
        assert told["warnings"][-1] == "4 more warnings"

    def test_a_secret_in_a_message_is_not_told(self) -> None:
        token = "ghp_" + "a1B2" * 9
        assert token not in str(self.written(refusal("u", Cause.EVIDENCE, f"the header had {token}")))

    def test_no_more_annotations_than_bounded(self) -> None:
        many = {f"k{number:03}": "v" for number in range(100)}
        assert len(self.written(Answer("u", False, Cause.BUG, "m", annotations=many))["auditAnnotations"]) == 32
