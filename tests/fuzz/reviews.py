"""Targets: reviews of admission, and listings of a cluster. An image that stands in them is asked for, or refused."""

from __future__ import annotations

import json
from typing import Any, Final

from hypothesis import strategies as st

from gate.formats.admission_review import ReviewError, read_review, write_review
from gate.formats.canonical_json import dumps
from gate.formats.workloads.listing import Listed, ListingError, Unlisted, read_listing
from gate.formats.workloads.reviewed import read_reviewed
from gate.model.admission import Cause, ObjectKind, Reviewed, refusal
from gate.model.admission_settings import PlacesSettings
from tests.fuzz.mutation import HOSTILE_TEXTS, JSONS, edited, mutated, scaled
from tests.fuzz.target import Sample, Target
from tests.support.reviews import BUILT_IN, DIGEST, IMAGE, LIMIT, OTHERS, body, container, pod_spec, template, thing

HIDDEN: Final = f"registry.example/hidden@sha256:{'b' * 64}"
_PLACES: Final = (
    PlacesSettings(
        ObjectKind("x.example", "v1", "Thing"),
        "things",
        pods=("spec.groups.*.template",),
        images=("spec.image?",),
        models=("spec.models.*",),
    ),
)
_MAKERS: Final = (*BUILT_IN.values(), *OTHERS.values())
_NAMES: Final = st.sampled_from(("x", "server", *HOSTILE_TEXTS))
_SUBS: Final = st.sampled_from(("", "", "ephemeralcontainers", "resize", "status", "x"))


def look_at(sample: Sample) -> Reviewed | bytes:
    """What is asked for, or the answer to what cannot be read."""
    try:
        return read_reviewed(read_review(sample.data, LIMIT), _PLACES)
    except ReviewError as error:
        return write_review(refusal(error.uid or "", Cause.REVIEW, str(error), error.code))


def _judge(sample: Sample, answer: object) -> None:
    if isinstance(answer, bytes):
        response = json.loads(answer)["response"]
        assert response["allowed"] is False
        assert response["status"]["code"] in {400, 413}
        assert 0 < len(response["status"]["message"]) <= 1024
        assert answer.decode("ascii").isprintable()
        return
    assert isinstance(answer, Reviewed)
    assert answer.asked or answer.problems, "nothing is asked for, and nothing is wrong"
    assert len({item.place for item in answer.asked}) == len(answer.asked)
    for workload in answer.workloads.values():
        dumps({"pod": workload.pod, "containers": dict(workload.containers), "labels": dict(workload.labels)})
    if sample.dangerous:
        asked = {item.reference for item in answer.asked}
        assert HIDDEN in asked or answer.problems, "an image is not asked for"


@st.composite
def _specs(draw: st.DrawFn) -> dict[str, Any]:
    """The spec of a pod with an image that must not be missed."""
    name = draw(st.sampled_from(("containers", "initContainers", "ephemeralContainers", "volumes")))
    spec = pod_spec(container(IMAGE))
    items = spec.setdefault(name, [])
    more = draw(st.dictionaries(st.sampled_from(("restartPolicy", "command", "env", "x")), JSONS, max_size=2))
    bad = {"name": "v", "image": {"reference": HIDDEN}} if name == "volumes" else container(HIDDEN, "hidden", **more)
    items.insert(draw(st.integers(0, len(items))), bad)
    if draw(st.booleans()):
        spec[draw(st.sampled_from(("securityContext", "nodeSelector", "os", "x")))] = draw(JSONS)
    return spec


@st.composite
def _objects(draw: st.DrawFn) -> dict[str, Any]:
    spec = draw(_specs())
    if draw(st.integers(0, 9)) == 0:
        groups = [{"template": template(pod_spec())}, {"template": template(spec)}]
        return thing("x.example/v1", "Thing", spec={"groups": groups, "models": {"a": f"oci://{IMAGE}"}})
    item: dict[str, Any] = draw(st.sampled_from(_MAKERS))(spec)
    if draw(st.booleans()):
        item["metadata"][draw(st.sampled_from(("annotations", "labels", "deletionTimestamp", "name")))] = draw(JSONS)
    return item


@st.composite
def _reviews(draw: st.DrawFn) -> Sample:
    item = draw(_objects())
    operation = draw(st.sampled_from(("CREATE", "UPDATE")))
    old = draw(st.sampled_from((None, item, {})))
    return Sample(
        "review.json", body(item, operation=operation, oldObject=old, subResource=draw(_SUBS)), dangerous=True
    )


@st.composite
def _edits(draw: st.DrawFn) -> Sample:
    """A review with one change anywhere; what holds the image may be gone then."""
    review = json.loads(body(draw(_objects())))
    changed, _ = draw(edited(review))
    data = json.dumps(changed).encode()
    return Sample("review.json", data, dangerous=HIDDEN.encode() in json.dumps(_object(changed)).encode())


def _object(review: Any) -> Any:
    """The part of a review that says what will run; an image elsewhere in it brings nothing in."""
    request = review.get("request") if isinstance(review, dict) else None
    found = request.get("object") if isinstance(request, dict) else None
    return {"spec": found.get("spec")} if isinstance(found, dict) else None


_SEEDS: Final = (
    *(Sample("review.json", body(make(pod_spec()))) for make in _MAKERS),
    Sample("review.json", body(thing("v1", "ConfigMap"))),
    Sample("review.json", b'{"request": {"uid": "a"}}'),
)


def list_at(sample: Sample) -> list[Listed | Unlisted] | None:
    try:
        return list(read_listing(sample.data))
    except ListingError:
        return None


def _judge_list(sample: Sample, answer: object) -> None:
    if answer is None:  # what is drawn may be no JSON that the gate reads
        return
    assert isinstance(answer, list)
    assert answer, "a listing of nothing that does not say so"
    assert all(item.problem for item in answer if isinstance(item, Unlisted))
    assert len(answer) >= sample.least, "less is told than is listed"


@st.composite
def _listings(draw: st.DrawFn) -> Sample:
    items = draw(st.lists(_objects() | JSONS, min_size=1, max_size=4))
    value: dict[str, Any] = {"apiVersion": "v1", "kind": "List", "items": items}
    for _ in range(draw(st.integers(0, 2))):
        value = {"apiVersion": "v1", "kind": "List", "metadata": draw(JSONS), "items": [value]}
    return Sample("list.json", json.dumps(value).encode(), least=1)


_LISTS: Final = (
    Sample("list.json", json.dumps({"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {}}]}).encode()),
    Sample("list.yaml", f"kind: List\napiVersion: v1\nitems:\n- &a {{kind: Pod, x: {DIGEST}}}\n- *a\n".encode()),
)
REVIEWS: Final = {
    "reviews": Target(
        "reviews",
        frozenset({"format:workloads"}),
        _SEEDS,
        st.one_of(
            _reviews(),
            _edits(),
            _objects().flatmap(scaled).map(lambda item: Sample("review.json", body(item))),
            mutated(st.sampled_from(_SEEDS) | _reviews(), _SEEDS),
        ),
        look_at,
        _judge,
    ),
    "listings": Target(
        "listings",
        frozenset({"format:workloads"}),
        _LISTS,
        st.one_of(_listings(), mutated(st.sampled_from(_LISTS) | _listings(), _LISTS)),
        list_at,
        _judge_list,
    ),
}
