"""Every kind of object that carries images, every place in it and every way to change it is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.kube import APPLY, JSON_PATCH, MERGE, STRATEGIC, Answer, Kubernetes, until
from tests.support.kube_objects import CARRIERS, a_pod, container, custom_kind, of, template
from tests.support.kube_release import GROUP, Site, Team, changed, refused

pytestmark = pytest.mark.xdist_group("kube")


# --- where images stand -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CARRIERS)
def test_s39_every_kind_that_carries_pods_is_judged(team: Team, good: str, bad: str, kind: str) -> None:
    team.refused(CARRIERS[kind](bad), bad.partition("@")[2])
    team.admitted(CARRIERS[kind](good))


PLACES: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "init container": lambda good, other: a_pod(good, initContainers=[container(other, "first")]),
    "sidecar": lambda good, other: a_pod(good, initContainers=[container(other, "side", restartPolicy="Always")]),
    "image volume": lambda good, other: a_pod(good, volumes=[{"name": "model", "image": {"reference": other}}]),
}


@pytest.mark.parametrize("place", PLACES)
def test_s39_every_place_of_an_image_is_judged(team: Team, site: Site, good: str, bad: str, place: str) -> None:
    team.refused(PLACES[place](good, bad), bad.partition("@")[2])
    team.admitted(PLACES[place](good, good))
    team.admitted(PLACES[place](good, site.with_api.good()))


@pytest.mark.parametrize("signed", [True, False])
def test_s39_an_ephemeral_container_that_is_added_later_is_judged(
    team: Team, good: str, bad: str, *, signed: bool
) -> None:
    pod = a_pod(good)
    team.admitted(pod)
    added = {"spec": {"ephemeralContainers": [{"name": "debug", "image": good if signed else bad}]}}
    answer = team.patch(pod, added, STRATEGIC, "/ephemeralcontainers")
    stored = team.stored(pod)
    assert stored is not None
    if signed:
        assert answer.status == 200, answer.message
        assert stored["spec"]["ephemeralContainers"][0]["image"] == good
    else:
        refused(answer, bad.partition("@")[2])
        assert "ephemeralContainers" not in stored["spec"]


def test_a_pod_that_gets_more_to_use_is_judged(team: Team, site: Site, good: str) -> None:
    pod = a_pod(good)
    team.admitted(pod)
    more = {"requests": {"cpu": "200m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}}
    change = {"spec": {"containers": [{"name": "c0", "resources": more}]}}
    answer = team.patch(pod, change, STRATEGIC, "/resize")
    assert answer.status == 200, answer.message
    assert site.audited(pod, team.namespace, "patch")["cause"] == "allowed"


# --- changes ----------------------------------------------------------------------------------------------------------


def by_patch(team: Team, pod: dict[str, Any], image: str) -> Answer:
    change = [{"op": "replace", "path": "/spec/containers/0/image", "value": image}]
    return team.patch(pod, change, JSON_PATCH)


def by_merge(team: Team, pod: dict[str, Any], image: str) -> Answer:
    change = {"spec": {"containers": [{"name": "c0", "image": image}]}}
    return team.patch(pod, change, STRATEGIC)


def by_apply(team: Team, pod: dict[str, Any], image: str) -> Answer:
    applied = changed(pod, lambda value: value["spec"]["containers"][0].update(image=image))
    return team.patch(pod, applied, APPLY, "?fieldManager=tests&force=true")


def by_put(team: Team, pod: dict[str, Any], image: str) -> Answer:
    stored = team.stored(pod)
    assert stored is not None
    stored["spec"]["containers"][0]["image"] = image
    return team.plane.call("PUT", team.path(pod), stored)


WAYS: tuple[Callable[[Team, dict[str, Any], str], Answer], ...] = (by_patch, by_merge, by_apply, by_put)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_s39_a_changed_image_is_judged(
    team: Team, site: Site, good: str, bad: str, way: Callable[[Team, dict[str, Any], str], Answer]
) -> None:
    pod = a_pod(good)
    team.admitted(pod)
    refused(way(team, pod, bad), bad.partition("@")[2])
    stored = team.stored(pod)
    assert stored is not None
    assert stored["spec"]["containers"][0]["image"] == good
    other = site.with_api.good()
    answer = way(team, pod, other)
    assert answer.status == 200, answer.message
    assert answer.document["spec"]["containers"][0]["image"] == other


def test_s39_what_is_applied_anew_is_judged(team: Team, good: str, bad: str) -> None:
    for image in (bad, good):
        pod = a_pod(image)
        answer = team.patch(pod, pod, APPLY, "?fieldManager=tests")
        if image == good:
            assert answer.status == 201, answer.message
        else:
            refused(answer, bad.partition("@")[2])


def test_s39_a_template_that_changes_is_judged(team: Team, good: str, bad: str) -> None:
    deployment = CARRIERS["Deployment"](good)
    team.admitted(deployment)
    change = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": bad}]
    refused(team.patch(deployment, change, JSON_PATCH), bad.partition("@")[2])
    assert team.patch(deployment, {"spec": {"replicas": 3}}, MERGE, "/scale").status == 200


def test_labels_of_what_runs_are_not_asked_about(team: Team, site: Site, good: str) -> None:
    """Nor could what is refused by now be removed, if it had finalizers."""
    pod = a_pod(good)
    team.admitted(pod)
    assert team.patch(pod, {"metadata": {"labels": {"a": "b"}}}, MERGE).status == 200
    assert site.audited(pod, team.namespace, "patch") == {}
    assert team.plane.call("DELETE", team.path(pod)).status == 200
    assert site.audited(pod, team.namespace, "delete") == {}


def test_a_trial_is_judged_like_the_real_thing(team: Team, good: str, bad: str) -> None:
    team.refused(a_pod(bad), bad.partition("@")[2], query="?dryRun=All")
    pod = a_pod(good)
    team.admitted(pod, "?dryRun=All")
    assert team.stored(pod) is None


# --- kinds of others --------------------------------------------------------------------------------------------------


KINDS = {f"{GROUP}/v1": ("Agent", "Stranger"), "serving.kserve.io/v1beta1": ("InferenceService",)}


@pytest.fixture(scope="module")
def kinds(plane: Kubernetes) -> Iterator[None]:
    """What an Agent carries is configured, what an InferenceService does is known, and of a Stranger nobody knows."""
    made = []
    for version, names in KINDS.items():
        group, _, number = version.partition("/")
        made += [plane.made(custom_kind(group, name, number)) for name in names]

    def are_served() -> bool:
        answers = (plane.call("GET", f"/apis/{version}").document.get("resources", []) for version in KINDS)
        found = {item["kind"] for resources in answers for item in resources}
        return {name for names in KINDS.values() for name in names} <= found

    until(are_served, "the kinds are served")
    yield
    for document in made:
        plane.call("DELETE", plane.path(document, name=document["metadata"]["name"]))


def custom(kind: str, **spec: Any) -> dict[str, Any]:
    return of(kind, f"{GROUP}/v1", spec)


@pytest.mark.usefixtures("kinds")
def test_s39_a_kind_that_nobody_described_is_refused(team: Team, good: str) -> None:
    team.refused(custom("Stranger", template=template(good)), "Stranger")


@pytest.mark.usefixtures("kinds")
def test_s39_a_kind_is_judged_where_its_places_are_configured(team: Team, good: str, bad: str) -> None:
    team.admitted(custom("Agent", template=template(good)))
    team.refused(custom("Agent", template=template(bad)), bad.partition("@")[2])
    team.admitted(custom("Agent", template=template(good), tools={"search": {"image": good}}))
    team.refused(custom("Agent", template=template(good), tools={"search": {"image": bad}}), bad.partition("@")[2])
    team.refused(custom("Agent", words=["no image at all"]))


def served(**model: Any) -> dict[str, Any]:
    predictor = {"model": {"modelFormat": {"name": "sklearn"}, **model}}
    return of("InferenceService", "serving.kserve.io/v1beta1", {"predictor": predictor})


@pytest.mark.usefixtures("kinds")
def test_s39_a_model_that_is_served_is_judged_where_it_comes_from(team: Team, site: Site, good: str, bad: str) -> None:
    other = site.with_api.good()
    team.admitted(served(storageUri=f"oci://{good}", image=good))
    team.admitted(served(storageUri=f"oci://{other}", image=good))
    team.refused(served(storageUri=f"oci://{bad}", image=good), bad.partition("@")[2])
    team.refused(served(storageUri=f"oci://{other}", image=bad), bad.partition("@")[2])
    team.refused(served(storageUri=f"oci://{site.with_api.registry.repository}:v1", image=good), "tag")
    for uri in ("s3://models/summarizer", "hf://acme/summarizer", "pvc://claim/model", "https://models.example/a"):
        team.refused(served(storageUri=uri, image=good))
    team.refused(served())
