"""The gate decides what a real API server lets run: registered by its chart, with real registries and real signatures.

What is refused is told to the person who asked; what is let in can be found in the audit log of the API server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.world import inside
from tests.support.chart import IMAGE
from tests.support.kube import APPLY, JSON_PATCH, MERGE, PERSON, STRATEGIC, Answer, Kubernetes, until
from tests.support.kube_objects import CARRIERS, a_pod, container, custom_kind, of, pod_spec, template
from tests.support.kube_release import GROUP, Images, Site, changed, refused
from tests.support.kube_webhooks import fresh

pytestmark = pytest.mark.xdist_group("kube")
OTHER = "sha256:" + "2" * 64


@dataclass(frozen=True)
class Team:
    """A namespace of somebody who deploys."""

    plane: Kubernetes
    namespace: str

    def create(self, document: Mapping[str, Any], query: str = "") -> Answer:
        return self.plane.create(document, self.namespace, query)

    def path(self, document: Mapping[str, Any], below: str = "") -> str:
        return self.plane.path(document, self.namespace, document["metadata"]["name"]) + below

    def patch(self, document: Mapping[str, Any], body: object, kind: str, below: str = "") -> Answer:
        return self.plane.call("PATCH", self.path(document, below), body, kind=kind)

    def stored(self, document: Mapping[str, Any]) -> dict[str, Any] | None:
        answer = self.plane.call("GET", self.path(document))
        return answer.document if answer.status == 200 else None

    def admitted(self, document: Mapping[str, Any], query: str = "") -> Answer:
        answer = self.create(document, query)
        assert answer.status == 201, answer.message
        return answer

    def refused(self, document: Mapping[str, Any], *words: str, query: str = "") -> Answer:
        answer = refused(self.create(document, query), *words)
        assert self.stored(document) is None
        return answer


@pytest.fixture(scope="module")
def team(plane: Kubernetes, site: Site) -> Team:
    assert site.plane is plane
    return Team(plane, plane.namespace(fresh("team")))


@pytest.fixture(scope="module")
def good(site: Site) -> str:
    return site.with_api.good()


@pytest.fixture(scope="module")
def bad(site: Site) -> str:
    return site.with_api.named(site.with_api.image())


@pytest.fixture(params=["with_api", "without_api"])
def images(request: pytest.FixtureRequest, site: Site) -> Images:
    found: Images = getattr(site, request.param)
    return found


# --- what lets an image in, and what does not -------------------------------------------------------------------------


def test_a_good_pod_is_let_in_and_the_audit_log_names_the_decision(team: Team, site: Site, images: Images) -> None:
    pod = a_pod(images.good())
    assert team.admitted(pod).warnings == ()
    found = site.audited(pod, team.namespace)
    assert (found["verdict"], found["cause"]) == ("allow", "allowed")
    assert found["decision"]


def unsigned(images: Images) -> str:
    image = images.image()
    images.vouch(image)
    return images.named(image)


def without_provenance(images: Images) -> str:
    image = images.image()
    images.sign(image)
    return images.named(image)


def wrong_key(images: Images) -> str:
    image = images.image()
    images.vouch(image)
    images.sign(image, "stranger")
    return images.named(image)


def wrong_speaker(images: Images) -> str:
    """The key of whoever builds is no key that signs releases."""
    image = images.image()
    images.vouch(image)
    images.sign(image, "builder")
    return images.named(image)


def signed_for_another(images: Images) -> str:
    image = images.image()
    images.vouch(image)
    images.sign(image, signed=OTHER)
    return images.named(image)


def built_as_another(images: Images) -> str:
    image = images.image()
    images.sign(image)
    images.vouch(image, subject=OTHER)
    return images.named(image)


def not_there(images: Images) -> str:
    return images.named(OTHER)


def nothing_attached(images: Images) -> str:
    return images.named(images.image())


BAD: dict[Callable[[Images], str], tuple[str, ...]] = {
    unsigned: ("signed",),
    without_provenance: ("provenance",),
    wrong_key: ("signed",),
    wrong_speaker: ("signed",),
    signed_for_another: (),
    built_as_another: (),
    not_there: (),
    nothing_attached: ("signed",),
}


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__name__)
def test_s40_an_image_without_its_evidence_is_refused(
    team: Team, images: Images, make: Callable[[Images], str]
) -> None:
    team.refused(a_pod(make(images)), *BAD[make])


def test_s40_a_tag_is_refused(team: Team, site: Site) -> None:
    images = site.with_api
    digest = images.good().partition("@")[2]
    team.refused(a_pod(f"{images.registry.repository}:v1"), "digest")
    assert digest


@pytest.mark.parametrize("image", ["nginx", f"registry.elsewhere.example/app@{OTHER}", f"app@{OTHER}"])
def test_s40_an_image_of_a_registry_that_is_not_configured_is_refused(team: Team, image: str) -> None:
    team.refused(a_pod(image))


def test_s42_an_image_of_a_registry_that_does_not_answer_is_refused(team: Team, site: Site) -> None:
    team.refused(a_pod(f"{site.silent}/team/app@{OTHER}"), site.silent)


def test_one_bad_image_among_good_ones_is_refused(team: Team, good: str, bad: str) -> None:
    team.admitted(a_pod(good, good))
    team.refused(a_pod(good, bad, good), bad.partition("@")[2])


def test_a_name_that_would_steer_a_terminal_is_told_harmlessly(team: Team) -> None:
    answer = team.refused(a_pod("registry.test/\x1b[31mred\x07\r\nok"))
    assert "\\x1b" in answer.message


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
def test_s39_every_place_of_an_image_is_judged(team: Team, good: str, bad: str, place: str) -> None:
    team.refused(PLACES[place](good, bad), bad.partition("@")[2])
    team.admitted(PLACES[place](good, good))


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


@pytest.fixture(scope="module")
def kinds(plane: Kubernetes) -> Iterator[None]:
    """Two kinds: what an Agent carries is configured, of a Stranger nobody knows."""
    made = [plane.made(custom_kind(GROUP, name)) for name in ("Agent", "Stranger")]

    def is_served() -> bool:
        resources = plane.call("GET", f"/apis/{GROUP}/v1").document.get("resources", [])
        return {"Agent", "Stranger"} <= {item["kind"] for item in resources}

    until(is_served, "the kinds are served")
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


# --- what else there is -----------------------------------------------------------------------------------------------


def test_a_warning_of_a_control_reaches_the_person(team: Team, good: str) -> None:
    spec = pod_spec(good)
    spec["containers"][0]["securityContext"] = {"privileged": True}
    answer = team.admitted({**a_pod(good), "spec": spec})
    assert any("deploy.restricted" in text for text in answer.warnings), answer.warnings


def test_s42_a_large_object_is_judged_with_what_it_was(team: Team, good: str, bad: str) -> None:
    """An update brings the object twice; etcd takes one and a half MiB of it."""
    filler = [{"name": f"V{number}", "value": "x" * 30_000} for number in range(40)]
    large = changed(
        CARRIERS["Deployment"](good),
        lambda value: value["spec"]["template"]["spec"]["containers"][0].update(env=filler),
    )
    team.admitted(large)
    change = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": bad}]
    refused(team.patch(large, change, JSON_PATCH), bad.partition("@")[2])


def test_who_may_not_create_is_told_so_by_kubernetes_alone(team: Team, good: str) -> None:
    answer = team.plane.call("POST", team.plane.path(a_pod(good), team.namespace), a_pod(good), token=PERSON)
    assert answer.status == 403
    assert 'User "person" cannot create resource "pods"' in answer.message


def test_the_webhook_judges_neither_itself_nor_what_is_excluded(plane: Kubernetes, site: Site, good: str) -> None:
    """Or it could not start again once all of its Pods have gone. What else would run there is kept out."""
    assert plane.create(a_pod(IMAGE), site.namespace, "?dryRun=All").status == 201
    assert plane.create(a_pod("anything:latest"), "kube-system", "?dryRun=All").status == 201
    answer = plane.create(a_pod(good), site.namespace, "?dryRun=All")
    assert answer.status in {403, 422}
    assert "only its own images" in answer.message


def test_no_label_of_a_namespace_keeps_it_from_being_judged(plane: Kubernetes, bad: str) -> None:
    labels = ("gate/exclude", "admission.gate/ignore", "control-plane", "kubernetes.io/metadata.name-other")
    name = plane.namespace(fresh("labelled"), dict.fromkeys(labels, "true"))
    refused(plane.create(a_pod(bad), name))
    change = {"metadata": {"labels": {"kubernetes.io/metadata.name": "kube-system"}}}
    namespace = {"apiVersion": "v1", "kind": "Namespace"}
    assert plane.call("PATCH", plane.path(namespace, name=name), change, kind=MERGE).status == 200
    refused(plane.create(a_pod(bad), name))


def test_every_answer_is_recorded(team: Team, site: Site, good: str, bad: str) -> None:
    allowed, denied = a_pod(good), a_pod(bad)
    team.admitted(allowed)
    answer = team.refused(denied)
    decisions = {
        "allow": site.audited(allowed, team.namespace)["decision"],
        "deny": answer.message.partition("(decision ")[2].partition(")")[0],
    }
    for verdict, name in decisions.items():
        done = inside("log", "show", name, "--format", "json", "--sqlite", str(site.log))
        assert (json.loads(done.out)["id"], json.loads(done.out)["verdict"]) == (name, verdict)
    assert inside("log", "verify", "--sqlite", str(site.log)).code == 0
