"""The gate decides what a real API server lets run: registered by its chart, with real registries and real signatures.

What is refused is told to the person who asked; what is let in can be found in the audit log of the API server.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.acceptance.world import inside
from tests.support.chart import IMAGE
from tests.support.kube import JSON_PATCH, MERGE, PERSON, Kubernetes
from tests.support.kube_objects import CARRIERS, a_pod, pod_spec
from tests.support.kube_release import Images, Site, Team, changed, refused
from tests.support.kube_webhooks import fresh

pytestmark = pytest.mark.xdist_group("kube")
OTHER = "sha256:" + "2" * 64


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


UNSIGNED = ("artifact.signed: no verified signature of a trusted signer covers it",)
UNBUILT = ("build.provenance: no verified build provenance covers it",)
BAD: dict[Callable[[Images], str], tuple[str, ...]] = {
    unsigned: UNSIGNED,
    without_provenance: UNBUILT,
    wrong_key: ("evidence.accepted: signature.untrusted", *UNSIGNED),
    wrong_speaker: ("evidence.accepted: signature.claim", *UNSIGNED),
    signed_for_another: UNSIGNED,
    built_as_another: UNBUILT,
    not_there: (*UNSIGNED, *UNBUILT),
    nothing_attached: (*UNSIGNED, *UNBUILT),
}


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__name__)
def test_s40_an_image_without_its_evidence_is_refused(
    team: Team, images: Images, make: Callable[[Images], str]
) -> None:
    image = make(images)
    team.refused(a_pod(image), image.partition("@")[2], "fix: ", *BAD[make])


def test_s40_a_tag_is_refused_and_beside_a_digest_it_means_nothing(team: Team, good: str) -> None:
    repository, _, digest = good.partition("@")
    team.refused(a_pod(f"{repository}:v1"), "has no digest, and a tag may change")
    team.admitted(a_pod(f"{repository}:no-such-tag@{digest}"))


def test_s40_evidence_beside_an_image_of_another_repository_is_not_looked_for(team: Team, good: str) -> None:
    """Whoever copies an image copies what is attached, too."""
    team.refused(a_pod(good.replace("/team/app@", "/team/other@")), *UNSIGNED)


@pytest.mark.parametrize("image", ["nginx", f"app@{OTHER}", f"registry.elsewhere.example/app@{OTHER}"])
def test_s40_an_image_of_a_registry_that_is_not_configured_is_refused(team: Team, image: str) -> None:
    team.refused(a_pod(image), "is not a registry that images may come from")


def test_s40_another_name_of_a_registry_is_another_registry(team: Team, good: str) -> None:
    team.refused(a_pod(good.replace("127.0.0.1", "localhost")), "is not a registry that images may come from")


def test_s39_the_word_of_an_object_on_itself_counts_for_nothing(team: Team, bad: str) -> None:
    said = {"gate/verdict": "allow", "gate/decision": "01J8ZQ4T7M3N5P6R7S8T9V0W1X", "gate/verified": bad}
    team.refused(a_pod(bad, annotations=said), bad.partition("@")[2])
    pod = a_pod(bad, annotations=said)
    pod["metadata"] |= {"labels": {"gate": "allow", "control-plane": "true"}, "finalizers": ["tests.example/held"]}
    pod["metadata"]["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "x", "uid": "1-2-3"}]
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    pod["status"] = {"phase": "Succeeded"}
    team.refused(pod, bad.partition("@")[2])


def test_s39_a_pod_without_a_name_is_judged(team: Team, good: str, bad: str) -> None:
    """As controllers make them: the API server thinks of a name."""
    for image in (good, bad):
        pod = a_pod(image)
        pod["metadata"] = {"generateName": "app-"}
        answer = team.create(pod)
        if image == good:
            assert answer.status == 201, answer.message
        else:
            refused(answer, bad.partition("@")[2])


def test_s42_more_images_than_are_allowed_are_refused(team: Team, good: str) -> None:
    team.admitted(a_pod(*[good] * 64))
    team.refused(a_pod(*[good] * 65), "more than the 64 allowed")


def test_s42_an_image_of_a_registry_that_does_not_answer_is_refused(team: Team, site: Site) -> None:
    team.refused(a_pod(f"{site.silent}/team/app@{OTHER}"), site.silent, "nobody listens there")


def test_one_bad_image_among_good_ones_is_refused(team: Team, good: str, bad: str) -> None:
    team.admitted(a_pod(good, good))
    team.refused(a_pod(good, bad, good), bad.partition("@")[2])


def test_a_name_that_would_steer_a_terminal_is_told_harmlessly(team: Team) -> None:
    answer = team.refused(a_pod("registry.test/\x1b[31mred\x07\r\nok"))
    assert "\\x1b" in answer.message


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


def test_s42_an_object_that_is_larger_than_is_judged_is_refused(team: Team, good: str) -> None:
    """Each of these characters is six in JSON, as the API server writes it."""
    filler = [{"name": f"V{number}", "value": "<" * 60_000} for number in range(10)]
    pod = changed(a_pod(good), lambda value: value["spec"]["containers"][0].update(env=filler))
    answer = team.create(pod)
    assert answer.status == 500, answer.message
    assert "413" in answer.message
    assert team.stored(pod) is None


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
