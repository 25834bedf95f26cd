"""Listings of a cluster: what is listed is told object by object, and what is missing in them is told too."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from gate.formats.workloads.listing import Listed, ListingError, Unlisted, read_listing
from gate.model.admission import ObjectKind
from tests.support.reviews import BUILT_IN, pod_spec

POD = BUILT_IN["Pod"](pod_spec())
DEPLOYMENT = BUILT_IN["Deployment"](pod_spec())
BARE = {name: value for name, value in POD.items() if name not in {"kind", "apiVersion"}}


def listing(*items: Any, kind: str = "List", version: str = "v1", **more: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"resourceVersion": ""}, "items": list(items), **more}


def read(value: Any) -> list[Listed | Unlisted]:
    found = list(read_listing(json.dumps(value).encode()))
    assert list(read_listing(yaml.safe_dump(value).encode())) == found
    return found


def problems(value: Any) -> list[str]:
    return [f"{item.place}: {item.problem}" for item in read(value) if isinstance(item, Unlisted)]


def test_a_list_as_kubectl_writes_it() -> None:
    found = read(listing(POD, DEPLOYMENT))
    assert found == [
        Listed("items[0]", ObjectKind("", "v1", "Pod"), "team", "x", POD),
        Listed("items[1]", ObjectKind("apps", "v1", "Deployment"), "team", "x", DEPLOYMENT),
    ]
    assert [str(item) for item in found] == ["Pod/team/x", "Deployment/team/x"]


def test_a_list_as_an_api_server_writes_it() -> None:
    assert read(listing(BARE, kind="PodList")) == [Listed("items[0]", ObjectKind("", "v1", "Pod"), "team", "x", POD)]
    (found,) = read(listing(BARE, kind="DeploymentList", version="apps/v1"))
    assert isinstance(found, Listed)
    assert found.kind == ObjectKind("apps", "v1", "Deployment")
    assert found.object["apiVersion"] == "apps/v1"


def test_one_object_several_documents_and_lists_in_lists() -> None:
    assert [item.place for item in read(POD)] == ["the document"]
    assert [item.place for item in read(listing(listing(POD), POD))] == ["items[0].items[0]", "items[1]"]
    documents = yaml.safe_dump_all([POD, listing(DEPLOYMENT)]).encode()
    assert [item.place for item in read_listing(documents)] == ["document 1", "document 2.items[0]"]


def test_an_object_that_is_still_to_be_named_or_has_no_namespace() -> None:
    (found,) = read({**POD, "metadata": {"generateName": "x-", "namespace": ""}})
    assert isinstance(found, Listed)
    assert (found.namespace, found.name, str(found)) == (None, "x-", "Pod/x-")
    (found,) = read({**POD, "metadata": {}})
    assert str(found) == "Pod"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (listing(), ": it lists no object at all"),
        (listing(kind="PodList", items=None), ": it lists no object at all"),
        (listing(None), "items[0]: it is no object"),
        (listing("x"), "items[0]: it is no object"),
        (listing([POD]), "items[0]: it is no object"),
        (listing({}), "items[0]: it does not say its kind and API version"),
        (listing(BARE), "items[0]: it does not say its kind and API version"),
        (listing({**POD, "kind": ""}), "items[0]: it does not say its kind and API version"),
        (listing({**POD, "kind": ["Pod"]}), "items[0]: it does not say its kind and API version"),
        (listing({**POD, "metadata": None}), "items[0]: a Pod without metadata"),
        (listing({**POD, "metadata": {"name": 1}}), "items[0]: a Pod whose name or namespace is not text"),
        (listing({**POD, "metadata": {"namespace": []}}), "items[0]: a Pod whose name or namespace is not text"),
        (listing(DEPLOYMENT, kind="PodList"), "items[0]: it is not of the kind that its list has, v1 Pod"),
        (listing({**BARE, "kind": None}, kind="PodList"), "items[0]: it is not of the kind that its list has, v1 Pod"),
        (listing(POD, metadata={"continue": "abc"}), "the document: it is one page of a longer list"),
        (listing(POD, metadata={"remainingItemCount": 1}), "the document: it is one page of a longer list"),
        (listing(items={"a": POD}), "the document: the items of a List are not a list"),
        (listing(items="x"), "the document: the items of a List are not a list"),
        ([POD], "the document: it is no object"),
        ("x", "the document: it is no object"),
    ],
    ids=str,
)  # fmt: skip
def test_what_a_listing_does_not_tell_is_told(value: Any, problem: str) -> None:
    assert problems(value) == [problem]


def test_lists_in_lists_are_bounded() -> None:
    value: Any = POD
    for _ in range(8):
        value = listing(value)
    assert isinstance(read(value)[0], Listed)
    assert problems(listing(value)) == [f"{'items[0].' * 8}".rstrip(".") + ": more than 8 lists in lists"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"kind": "List", "kind": "List"}', "duplicate key"),
        (b'{"kind": ', "not JSON that the gate reads"),
        (b"kind: a\nkind: b\n", "1:"),
        (b"kind: [", "not YAML"),
        (b"{" * 100, "levels"),
    ],
)
def test_what_is_no_listing_is_refused_before_anything_is_told(data: bytes, problem: str) -> None:
    with pytest.raises(ListingError, match="duplicate key" if problem == "1:" else problem):
        read_listing(data)


def test_a_listing_is_bounded() -> None:
    with pytest.raises(ListingError, match="more than the 3 allowed"):
        read_listing(b"{} \n", 3)


def test_an_empty_file_lists_nothing() -> None:
    assert list(read_listing(b"")) == [Unlisted("", "it lists no object at all")]
