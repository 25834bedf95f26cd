"""Every image that an object brings in is asked for, and nothing that could hide one passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gate.formats.workloads.interface import read_workloads
from gate.formats.workloads.reviewed import (
    BREAK_GLASS,
    BREAK_GLASS_CHARACTERS,
    judged_kinds,
    read_reviewed,
    resource_of,
)
from gate.model.admission import ObjectKind, Reviewed, Role
from gate.model.admission_settings import PlacesSettings
from gate.model.artifact import ArtifactKind
from gate.model.workload import Manifest
from tests.support.reviews import BUILT_IN, DIGEST, IMAGE, OTHERS, asked, container, pod_spec, template, thing

HIDDEN = f"registry.example/hidden@sha256:{'b' * 64}"
MODEL = f"oci://registry.example/model@{DIGEST}"
ALL = {**BUILT_IN, **OTHERS}


def read(item: Any, *places: PlacesSettings, **changes: Any) -> Reviewed:
    return read_reviewed(asked(item, **changes), places)


def references(reviewed: Reviewed) -> dict[str, Role]:
    return {item.reference: item.role for item in reviewed.asked}


FIELDS: dict[str, tuple[Callable[[str], dict[str, Any]], Role]] = {
    "container": (lambda image: pod_spec(container(image)), Role.CONTAINER),
    "second container": (lambda image: pod_spec(container(), container(image, "b")), Role.CONTAINER),
    "init container": (lambda image: pod_spec(initContainers=[container(image, "b")]), Role.CONTAINER),
    "sidecar": (
        lambda image: pod_spec(initContainers=[container(image, "b", restartPolicy="Always")]),
        Role.CONTAINER,
    ),
    "ephemeral container": (
        lambda image: pod_spec(ephemeralContainers=[container(image, "b", targetContainerName="main")]),
        Role.CONTAINER,
    ),
    "image volume": (
        lambda image: pod_spec(volumes=[{"name": "v", "image": {"reference": image, "pullPolicy": "Never"}}]),
        Role.VOLUME,
    ),
    "second volume": (
        lambda image: pod_spec(volumes=[{"name": "w", "emptyDir": {}}, {"name": "v", "image": {"reference": image}}]),
        Role.VOLUME,
    ),
}
WRONG: dict[str, Any] = {
    "a number": 1,
    "true": True,
    "a list": [IMAGE],
    "an object": {"reference": IMAGE},
    "nothing": "",
    "null": None,
    "a blank before": f" {IMAGE}",
    "a blank behind": f"{IMAGE} ",
    "a line behind": f"{IMAGE}\n",
    "two": f"{IMAGE} {IMAGE}",
    "a short digest": "registry.example/a@sha256:abc",
    "a digest in upper case": f"registry.example/a@sha256:{'A' * 64}",
    "another algorithm": f"registry.example/a@sha512:{'a' * 128}",
    "two digests": f"{IMAGE}@{DIGEST}",
    "a scheme": f"docker://{IMAGE}",
    "a web address": "https://registry.example/a",
    "upper case": "registry.example/A:1",
    "a way up": "registry.example/../a",
    "a layout": f"oci-layout:a@{DIGEST}",
    "a zero-width character": f"registry.example/a\u200b@{DIGEST}",
}


class TestImages:
    @pytest.mark.parametrize("field", FIELDS)
    @pytest.mark.parametrize("kind", ALL)
    def test_s39_every_image_field_of_every_kind_is_asked_for(self, kind: str, field: str) -> None:
        make, role = FIELDS[field]
        found = read(ALL[kind](make(HIDDEN)))
        assert not found.problems
        assert references(found)[HIDDEN] is role
        assert len({item.place for item in found.asked}) == len(found.asked)

    @pytest.mark.parametrize("wrong", WRONG)
    @pytest.mark.parametrize("field", FIELDS)
    def test_s40_what_is_no_image_is_a_problem_and_never_left_out(self, field: str, wrong: str) -> None:
        for kind in ("Pod", "CronJob", "InferenceService"):
            found = read(ALL[kind](FIELDS[field][0](WRONG[wrong])))
            assert found.problems
            assert HIDDEN not in references(found)

    @pytest.mark.parametrize("kind", ALL)
    @pytest.mark.parametrize(
        "spec",
        [
            {},
            {"containers": None},
            {"containers": []},
            {"containers": {}},
            {"containers": [None]},
            {"containers": [[]]},
            {"containers": [{}]},
            {"containers": ["a"]},
            {"containers": [{"name": "a"}]},
            {"containers": {"0": container()}},
            {"Containers": [container()]},
            {"containers": [container()], "initContainers": {}},
            {"containers": [container()], "initContainers": "x"},
            {"containers": [container()], "initContainers": [None]},
            {"containers": [container()], "ephemeralContainers": [{"name": "b"}]},
            {"containers": [container()], "volumes": {}},
            {"containers": [container()], "volumes": [{"name": "v", "image": {}}]},
            {"containers": [container()], "volumes": [{"name": "v", "image": HIDDEN}]},
            {"containers": [container()], "volumes": [{"name": "v", "image": [HIDDEN]}]},
            {"containers": [container()], "volumes": [None]},
            {"containers": [container(), container()]},
        ],
        ids=json.dumps,
    )
    def test_s39_a_pod_that_is_not_understood_is_a_problem(self, kind: str, spec: dict[str, Any]) -> None:
        assert read(ALL[kind](spec)).problems

    def test_the_places_are_those_in_the_object(self) -> None:
        spec = pod_spec(initContainers=[container(HIDDEN, "b")], volumes=[{"name": "v", "image": {"reference": IMAGE}}])
        assert [item.place for item in read(BUILT_IN["CronJob"](spec)).asked] == [
            "spec.jobTemplate.spec.template.spec.containers[0].image",
            "spec.jobTemplate.spec.template.spec.initContainers[0].image",
            "spec.jobTemplate.spec.template.spec.volumes[0].image.reference",
        ]

    def test_one_image_at_two_places_is_asked_for_twice(self) -> None:
        found = read(BUILT_IN["Pod"](pod_spec(container(), container(name="b"))))
        assert [item.reference for item in found.asked] == [IMAGE, IMAGE]

    def test_places_that_look_the_same_stay_two(self) -> None:
        replicas = {
            "A.template.spec.containers[0]": {"template": template(pod_spec(container(HIDDEN)))},
            "A": {"template": template(pod_spec())},
        }
        item = thing("kubeflow.org/v1", "TFJob", spec={"tfReplicaSpecs": replicas})
        assert len({found.place for found in read(item).asked}) == 2
        place = PlacesSettings(ObjectKind("x.example", "v1", "Thing"), "things", images=("spec.*",))
        twice = read(thing("x.example/v1", "Thing", spec={"a": IMAGE}), place, place)
        assert [found.place for found in twice.asked] == ["spec.a", "spec.a#2"]

    def test_a_role_asks_for_a_kind_of_artifact(self) -> None:
        assert [role.kind for role in Role] == [ArtifactKind.CONTAINER, ArtifactKind.WEIGHTS, ArtifactKind.WEIGHTS]

    def test_s42_more_images_than_allowed_are_refused_unread(self) -> None:
        spec = pod_spec(*(container(name=f"c{number}") for number in range(65)))
        found = read(BUILT_IN["Pod"](spec))
        assert "it asks for 65 images, more than the 64 allowed" in found.problems
        assert not found.workloads
        assert not read_reviewed(asked(BUILT_IN["Pod"](pod_spec())), (), 1).problems
        assert read_reviewed(asked(BUILT_IN["Pod"](pod_spec())), (), 0).problems

    def test_s42_commands_that_are_very_long_are_refused_unread(self) -> None:
        spec = pod_spec(container(command=["sh", "-c"], args=["a b; " * 30_000]))
        found = read(BUILT_IN["Pod"](spec))
        assert "characters, more than the" in found.problems[0]
        assert not found.workloads


class TestKinds:
    @pytest.mark.parametrize(
        ("version", "kind"),
        [
            ("v1", "ConfigMap"),
            ("v1", "Node"),
            ("v1", "PersistentVolume"),
            ("v1", "List"),
            ("v1", "PodList"),
            ("v1", "pod"),
            ("v1", "POD"),
            ("v1", "Pods"),
            ("v1", "Deployment"),
            ("v2", "Pod"),
            ("v1beta1", "Pod"),
            ("apps/v1", "Pod"),
            ("apps/v1", "deployment"),
            ("apps/v1", "ControllerRevision"),
            ("apps/v1beta1", "Deployment"),
            ("apps/v1beta2", "Deployment"),
            ("extensions/v1beta1", "Deployment"),
            ("batch/v1beta1", "CronJob"),
            ("batch/v2alpha1", "CronJob"),
            ("apps/v1", "Job"),
            ("apps.example/v1", "Deployment"),
            ("networking.k8s.io/v1", "NetworkPolicy"),
            ("x.example/v1", "Deployment"),
            ("x.example/v1", "Thing"),
            ("serving.kserve.io/v1alpha1", "InferenceService"),
            ("serving.kserve.io/v1alpha1", "LLMInferenceService"),
            ("serving.kserve.io/v1alpha1", "InferenceGraph"),
            ("ray.io/v2", "RayCluster"),
        ],
    )
    def test_s39_other_kinds_and_versions_are_refused(self, version: str, kind: str) -> None:
        item = thing(version, kind, spec={"template": template(pod_spec()), **pod_spec()}, items=[])
        found = read(item)
        assert len(found.problems) == 1
        assert not found.asked
        assert not found.workloads

    def test_every_kind_that_is_judged_has_a_test(self) -> None:
        alone = {"ClusterStorageContainer", "LocalModelCache", "LocalModelNamespaceCache", "TrainedModel"}
        assert {kind.kind for kind in judged_kinds()} == {*ALL, *alone}
        for kind in judged_kinds():
            assert resource_of(kind) == f"{kind.kind.lower()}s"

    @pytest.mark.parametrize("kind", ALL)
    def test_s39_a_kind_under_the_name_of_another_resource_is_refused(self, kind: str) -> None:
        item = ALL[kind](pod_spec())
        group, _, version = item["apiVersion"].rpartition("/")
        resource = {"group": group, "version": version, "resource": "configmaps"}
        assert "not those of the resource configmaps" in read(item, resource=resource).problems[0]

    @pytest.mark.parametrize("sub", ["ephemeralcontainers", "resize"])
    def test_s39_a_container_that_is_added_later_is_asked_for(self, sub: str) -> None:
        item = BUILT_IN["Pod"](pod_spec(ephemeralContainers=[container(HIDDEN, "debugger")]))
        found = read(item, operation="UPDATE", subResource=sub, oldObject=BUILT_IN["Pod"](pod_spec()))
        assert not found.problems
        assert references(found) == {IMAGE: Role.CONTAINER, HIDDEN: Role.CONTAINER}

    @pytest.mark.parametrize(
        ("kind", "sub"),
        [
            *(("Pod", sub) for sub in ("status", "eviction", "binding", "exec", "attach", "EphemeralContainers", "x")),
            *(("Deployment", sub) for sub in ("scale", "status", "ephemeralcontainers", "resize")),
            ("PodTemplate", "ephemeralcontainers"),
        ],
    )
    def test_s39_other_subresources_are_refused(self, kind: str, sub: str) -> None:
        found = read(ALL[kind](pod_spec()), operation="UPDATE", subResource=sub)
        assert f"/{sub} is not judged" in found.problems[0]
        assert not found.asked

    def test_a_scale_of_a_deployment_is_refused(self) -> None:
        item = thing("autoscaling/v1", "Scale", spec={"replicas": 3})
        resource = {"group": "apps", "version": "v1", "resource": "deployments"}
        assert read(item, resource=resource, subResource="scale").problems

    def test_an_object_with_items_is_no_list(self) -> None:
        hidden = BUILT_IN["Pod"](pod_spec(container(HIDDEN)))
        assert read({**BUILT_IN["Pod"](pod_spec()), "items": [hidden]}).problems


class TestNothingMakesAnObjectPass:
    def test_s39_deletion_owners_annotations_and_labels_change_nothing(self) -> None:
        plain = BUILT_IN["Pod"](pod_spec(container(HIDDEN)))
        metadata = {
            "name": "x",
            "namespace": "team",
            "deletionTimestamp": "2024-01-01T00:00:00Z",
            "deletionGracePeriodSeconds": 0,
            "finalizers": ["x.example/y"],
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "x", "controller": True}],
            "annotations": {
                "gate/verdict": "allow",
                "gate/skip": "true",
                "kubernetes.io/config.mirror": "x",
                "kubectl.kubernetes.io/last-applied-configuration": json.dumps(BUILT_IN["Pod"](pod_spec())),
                "policy.sigstore.dev/verified": "true",
            },
            "labels": {"gate": "ignore", "policy.sigstore.dev/exclude": "true"},
            "managedFields": [{"manager": "kubelet", "fieldsV1": {"f:spec": {"f:containers": {}}}}],
        }
        found = read({**plain, "metadata": metadata, "status": {"phase": "Succeeded"}})
        assert not found.problems
        assert references(found) == {HIDDEN: Role.CONTAINER}

    def test_s39_an_update_is_judged_by_the_object_and_not_by_what_it_was(self) -> None:
        new, old = BUILT_IN["Pod"](pod_spec(container(HIDDEN))), BUILT_IN["Pod"](pod_spec())
        assert references(read(new, operation="UPDATE", oldObject=old)) == {HIDDEN: Role.CONTAINER}
        assert references(read(new, operation="UPDATE", oldObject=new)) == {HIDDEN: Role.CONTAINER}
        assert references(read(new, operation="UPDATE", oldObject=None)) == {HIDDEN: Role.CONTAINER}

    def test_a_deployment_of_no_replicas_is_judged(self) -> None:
        item = BUILT_IN["Deployment"](pod_spec(container(HIDDEN)))
        item["spec"]["replicas"] = 0
        item["spec"]["paused"] = True
        assert references(read(item)) == {HIDDEN: Role.CONTAINER}


class TestWorkloads:
    @pytest.mark.parametrize("kind", ALL)
    def test_the_facts_are_those_of_the_manifest(self, kind: str) -> None:
        spec = pod_spec(
            container(securityContext={"privileged": True}, args=["--trust-remote-code"], ports=[{"hostPort": 1}]),
            hostNetwork=True,
        )
        item = ALL[kind](spec)
        manifest = read_workloads([Manifest("a", json.dumps(item).encode())])
        found = read(item).workloads
        assert len(found) == len(manifest) == 1
        (of_manifest,), (of_review,) = manifest.values(), found.values()
        assert of_review.pod == of_manifest.pod
        assert of_review.containers == of_manifest.containers
        assert of_review.labels == of_manifest.labels
        assert of_review.origin == "admission review"
        assert of_review.id == f"admission review:{item['kind']}/team/x"
        assert of_review.egress is None

    def test_what_the_request_says_completes_the_name(self) -> None:
        item = {**BUILT_IN["Pod"](pod_spec()), "metadata": {"generateName": "x-"}}
        (workload,) = read(item, namespace="team", name="").workloads.values()
        assert (workload.namespace, workload.name) == ("team", "x-")
        (workload,) = read(item, namespace="team", name="x-1").workloads.values()
        assert (workload.namespace, workload.name) == ("team", "x-1")
        (workload,) = read({**item, "metadata": {"name": "x"}}, namespace="", name="").workloads.values()
        assert (workload.namespace, workload.name) == (None, "x")

    def test_metadata_that_are_none_are_a_problem(self) -> None:
        review = asked(BUILT_IN["Pod"](pod_spec()))
        assert read_reviewed(replace(review, object={**review.object, "metadata": []}), ()).problems

    def test_a_workload_that_is_not_understood_is_a_problem_of_the_request(self) -> None:
        item = BUILT_IN["Pod"](pod_spec(hostNetwork="yes"))
        assert read(item).problems == ("spec.hostNetwork is not true or false",)


def service(**predictor: Any) -> dict[str, Any]:
    return thing("serving.kserve.io/v1beta1", "InferenceService", spec={"predictor": predictor})


class TestModels:
    @pytest.mark.parametrize(
        ("item", "place"),
        [
            (service(model={"storageUri": MODEL}), "spec.predictor.model.storageUri"),
            (service(sklearn={"storageUri": MODEL}), "spec.predictor.sklearn.storageUri"),
            (service(aNewOne={"storageUri": MODEL}, **pod_spec()), "spec.predictor.aNewOne.storageUri"),
            (
                service(model={"modelFormat": {"name": "onnx"}}, storageUris=[{"uri": MODEL, "mountPath": "/m"}]),
                "spec.predictor.storageUris[0].uri",
            ),
            (
                service(containers=[container(env=[{"name": "STORAGE_URI", "value": MODEL}])]),
                "spec.predictor.containers[0].env[0].value",
            ),
            (
                thing(
                    "serving.kserve.io/v1beta1",
                    "InferenceService",
                    spec={"predictor": pod_spec(), "explainer": {"art": {"storageUri": MODEL}, **pod_spec()}},
                ),
                "spec.explainer.art.storageUri",
            ),
            (
                thing("serving.kserve.io/v1alpha1", "TrainedModel", spec={"model": {"storageUri": MODEL}}),
                "spec.model.storageUri",
            ),
            (
                thing("serving.kserve.io/v1alpha1", "LocalModelCache", spec={"sourceModelUri": MODEL}),
                "spec.sourceModelUri",
            ),
            (
                thing("serving.kserve.io/v1alpha1", "LocalModelNamespaceCache", spec={"sourceModelUri": MODEL}),
                "spec.sourceModelUri",
            ),
        ],
        ids=lambda item: item if isinstance(item, str) else "",
    )
    def test_s39_a_model_is_asked_for_wherever_it_stands(self, item: dict[str, Any], place: str) -> None:
        found = read(item)
        assert not found.problems
        models = [(asked.place, asked.reference) for asked in found.asked if asked.role is Role.MODEL]
        assert models == [(place, f"registry.example/model@{DIGEST}")]

    @pytest.mark.parametrize(
        "uri",
        [
            "s3://bucket/model", "gs://bucket/model", "pvc://claim/model", "hf://org/model", "https://x.example/m",
            "file:///m", "/mnt/model", "", "oci:", "oci://", "OCI://registry.example/m", f" {MODEL}", f"{MODEL} ",
            f"oci+native://registry.example/m@{DIGEST}", f"{MODEL}/sub", 1, [MODEL], {"uri": MODEL}, True,
        ],
        ids=str,
    )  # fmt: skip
    @pytest.mark.parametrize("name", ["storageUri", "storageUris", "sourceModelUri", "storage"])
    def test_s40_a_model_that_is_held_elsewhere_is_a_problem(self, name: str, uri: Any) -> None:
        value = {"storageUris": [{"uri": uri}], "storage": {"key": "k", "path": uri}}.get(name, uri)
        found = read(service(model={name: value}, **pod_spec()))
        assert found.problems
        assert Role.MODEL not in references(found).values()

    @pytest.mark.parametrize("value", ["x", {}, [1], [{}], [{"uri": None}]], ids=json.dumps)
    def test_uris_of_the_wrong_shape_are_a_problem(self, value: Any) -> None:
        assert read(service(storageUris=value, **pod_spec())).problems

    def test_what_is_no_model_is_none(self) -> None:
        claim = {"spec": {"resources": {"requests": {"storage": "10Gi"}}}}
        spec = pod_spec(
            container(env=[{"name": "STORAGE_URI", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]),
            volumes=[{"name": "v", "ephemeral": {"volumeClaimTemplate": claim}}],
        )
        found = read(service(storageUris=None, **spec))
        assert not found.problems
        assert references(found) == {IMAGE: Role.CONTAINER}

    def test_s39_a_model_that_a_pod_has_put_in_is_asked_for(self) -> None:
        key = "internal.serving.kserve.io/storage-initializer-sourceuri"
        for uri, problem in ((MODEL, False), ("s3://bucket/model", True)):
            metadata = {"name": "x", "namespace": "team", "annotations": {key: uri}}
            found = read({**BUILT_IN["Pod"](pod_spec()), "metadata": metadata})
            assert bool(found.problems) is problem
            assert (Role.MODEL in references(found).values()) is not problem
        deployment = thing("apps/v1", "Deployment", spec={"template": template(pod_spec(), annotations={key: MODEL})})
        assert references(read(deployment))[MODEL.removeprefix("oci://")] is Role.MODEL
        inner = service(annotations={key: "gs://b/m"}, **pod_spec())
        assert read(inner).problems

    def test_the_image_of_a_server_may_be_the_runtimes_own(self) -> None:
        assert references(read(service(model={"storageUri": MODEL}))) == {
            f"registry.example/model@{DIGEST}": Role.MODEL
        }
        own = service(model={"storageUri": MODEL, "image": HIDDEN})
        assert references(read(own))[HIDDEN] is Role.CONTAINER
        assert read(service(model={"storageUri": MODEL, "image": 1})).problems
        assert read(service(model={"image": ""})).problems
        assert read(service(model="x", **pod_spec())).problems

    def test_s39_a_service_without_image_and_model_is_refused(self) -> None:
        assert read(service(model={"modelFormat": {"name": "onnx"}})).problems == (
            "it asks for no image, so nothing says what would run",
        )
        assert read(thing("serving.kserve.io/v1alpha1", "TrainedModel", spec={})).problems
        assert read(thing("serving.kserve.io/v1alpha1", "LocalModelCache", spec=None)).problems

    def test_workers_transformers_and_explainers(self) -> None:
        spec = {
            "predictor": {**pod_spec(), "workerSpec": pod_spec(container(HIDDEN, "w"))},
            "transformer": pod_spec(container(f"registry.example/t@{DIGEST}")),
            "explainer": {"art": {"image": f"registry.example/e@{DIGEST}"}, **pod_spec()},
        }
        found = read(thing("serving.kserve.io/v1beta1", "InferenceService", spec=spec))
        assert not found.problems
        assert [item.place for item in found.asked] == [
            "spec.predictor.containers[0].image",
            "spec.predictor.workerSpec.containers[0].image",
            "spec.transformer.containers[0].image",
            "spec.explainer.containers[0].image",
            "spec.explainer.art.image",
        ]
        runtime = OTHERS["ClusterServingRuntime"]({**pod_spec(), "workerSpec": pod_spec(container(HIDDEN, "w"))})
        found = read(runtime)
        assert references(found) == {IMAGE: Role.CONTAINER, HIDDEN: Role.CONTAINER}
        assert len(found.workloads) == 2

    def test_the_image_that_fetches_models(self) -> None:
        kind = "ClusterStorageContainer"
        item = thing("serving.kserve.io/v1alpha1", kind, spec={"container": container(HIDDEN)})
        found = read(item)
        assert not found.problems
        assert references(found) == {HIDDEN: Role.CONTAINER}
        assert read(thing("serving.kserve.io/v1alpha1", kind, spec={"container": {"name": "a"}})).problems


THING = ObjectKind("x.example", "v1", "Thing")


def places(**paths: tuple[str, ...]) -> PlacesSettings:
    return PlacesSettings(THING, "things", **paths)


class TestConfiguredPlaces:
    def test_pods_images_and_models(self) -> None:
        spec = {
            "groups": [{"template": template(pod_spec(container(HIDDEN)))}],
            "server": {"image": IMAGE},
            "models": {"a": MODEL},
        }
        found = read(
            thing("x.example/v1", "Thing", spec=spec),
            places(pods=("spec.groups.*.template",), images=("spec.server.image",), models=("spec.models.*",)),
        )
        assert not found.problems
        assert [(item.place, item.role) for item in found.asked] == [
            ("spec.server.image", Role.CONTAINER),
            ("spec.models.a", Role.MODEL),
            ("spec.groups[0].template.spec.containers[0].image", Role.CONTAINER),
        ]
        (workload,) = found.workloads.values()
        assert workload.id == "admission review:Thing/team/x"
        assert workload.containers["main"]["digest"] == f"sha256:{'b' * 64}"
        assert workload.labels == {"app": "server"}

    @pytest.mark.parametrize(
        "spec",
        [
            None, {}, {"groups": None}, {"groups": {}}, {"groups": []}, {"groups": "x"}, {"groups": [None]},
            {"groups": [{}]}, {"groups": ["x"]}, {"groups": [{"template": None}]}, {"groups": [{"template": "x"}]},
            {"groups": [{"template": []}]}, {"groups": [{"template": {}}]}, {"groups": [{"template": {"spec": {}}}]},
            {"groups": [{"template": {"spec": {"containers": []}}}]},
            {"groups": [{"template": template(pod_spec())}, {}]},
            {"Groups": [{"template": template(pod_spec())}]},
        ],
        ids=json.dumps,
    )  # fmt: skip
    def test_s39_a_pod_that_is_not_where_it_should_be_is_a_problem(self, spec: Any) -> None:
        assert read(thing("x.example/v1", "Thing", spec=spec), places(pods=("spec.groups.*.template",))).problems

    def test_what_may_be_absent(self) -> None:
        paths = places(images=("spec.image", "spec.side?.image", "spec.last?"))
        found = read(thing("x.example/v1", "Thing", spec={"image": IMAGE}), paths)
        assert (references(found), found.problems) == ({IMAGE: Role.CONTAINER}, ())
        found = read(thing("x.example/v1", "Thing", spec={"image": IMAGE, "side": {"image": HIDDEN}}), paths)
        assert (set(references(found)), found.problems) == ({IMAGE, HIDDEN}, ())
        assert read(thing("x.example/v1", "Thing", spec={"image": IMAGE, "side": {}}), paths).problems
        assert read(thing("x.example/v1", "Thing", spec={"image": IMAGE, "last": ""}), paths).problems

    def test_only_that_kind_version_and_resource(self) -> None:
        spec = {"image": IMAGE}
        paths = places(images=("spec.image",))
        assert not read(thing("x.example/v1", "Thing", spec=spec), paths).problems
        assert read(thing("x.example/v2", "Thing", spec=spec), paths).problems
        assert read(thing("y.example/v1", "Thing", spec=spec), paths).problems
        assert read(thing("x.example/v1", "thing", spec=spec), paths).problems
        resource = {"group": "x.example", "version": "v1", "resource": "others"}
        assert read(thing("x.example/v1", "Thing", spec=spec), paths, resource=resource).problems
        assert read(thing("x.example/v1", "Thing", spec=spec), paths, subResource="scale").problems

    def test_s39_places_of_a_known_kind_add_and_take_nothing_away(self) -> None:
        paths = PlacesSettings(ObjectKind("", "v1", "Pod"), "pods", images=("metadata.annotations.more?",))
        item = BUILT_IN["Pod"](pod_spec())
        assert references(read(item, paths)) == {IMAGE: Role.CONTAINER}
        metadata = {"name": "x", "namespace": "team", "annotations": {"more": HIDDEN}}
        assert set(references(read({**item, "metadata": metadata}, paths))) == {IMAGE, HIDDEN}


class TestBreakGlass:
    @staticmethod
    def glass(own: Any, **inner: Any) -> Reviewed:
        item = BUILT_IN["Deployment"](pod_spec())
        item["metadata"]["annotations"] = own
        item["spec"]["template"]["metadata"].update(inner)
        return read(item)

    def test_the_annotation_of_the_object_alone(self) -> None:
        assert self.glass({BREAK_GLASS: "aGk="}).break_glass == "aGk="
        assert self.glass({}).break_glass is None
        assert self.glass(None).break_glass is None
        assert self.glass({BREAK_GLASS: ""}).break_glass is None
        assert self.glass({}, annotations={BREAK_GLASS: "aGk="}).break_glass is None
        assert self.glass({"gate/break-glass ": "aGk="}).break_glass is None

    def test_one_that_is_too_long_or_no_text_is_a_problem(self) -> None:
        assert not self.glass({BREAK_GLASS: "a" * BREAK_GLASS_CHARACTERS}).problems
        wrong: list[Any] = ["a" * (BREAK_GLASS_CHARACTERS + 1), 1, ["a"], {}]
        for value in wrong:
            found = self.glass({BREAK_GLASS: value})
            assert found.problems
            assert found.break_glass is None
        assert self.glass("x").problems
