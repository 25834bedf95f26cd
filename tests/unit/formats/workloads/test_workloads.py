"""Manifests become workloads; what cannot be judged is one with a problem, and never left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from gate.formats.strict_yaml import YamlError
from gate.formats.workloads import manifest_yaml
from gate.formats.workloads.interface import read_workloads
from gate.formats.workloads.manifest_yaml import load_documents
from gate.model.workload import Manifest, Workload

DIGEST = "sha256:" + "a" * 64
POD = {"containers": [{"name": "main", "image": f"registry.example/server@{DIGEST}"}]}
TEMPLATE = {"metadata": {"labels": {"app": "server"}}, "spec": POD}


def read(*objects: Any, origin: str = "app.yaml") -> Mapping[str, Workload]:
    return read_workloads([Manifest(origin, "\n---\n".join(json.dumps(item) for item in objects).encode())])


def one(*objects: Any) -> Workload:
    (found,) = read(*objects).values()
    return found


def thing(kind: str, spec: Any, version: str = "apps/v1", namespace: str | None = None) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": namespace}, "spec": spec}


class TestYaml:
    def test_several_documents_and_empty_ones(self) -> None:
        assert load_documents(b"---\n---\na: 1\n---\n# nothing\n---\n- true\n- ~\n- '1'\n- 0x1\n") == [
            {"a": 1},
            [True, None, "1", "0x1"],
        ]

    def test_an_alias_is_the_value_again_and_anchors_end_with_their_document(self) -> None:
        assert load_documents(b"a: &x [1]\nb: *x\n") == [{"a": [1], "b": [1]}]
        with pytest.raises(YamlError, match="an alias of no anchor"):
            load_documents(b"a: &x 1\n---\nb: *x\n")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (b"a: &x [*x]", "an alias of no anchor"),
            (b"a: 1\na: 2", "duplicate key 'a'"),
            (b"1: 2", "a key that is not text"),
            (b"<<: {a: 1}", "merge keys"),
            (b"a: !!python/object:os.system x", "tags are not read"),
            (b"a: !!binary aGk=", "tags are not read"),
            (b"a: [", "not YAML"),
            (b"a: \x01", "not YAML"),
            (b"a: \xff", "not UTF-8 at byte 3"),
            (b"[" * 100, "levels"),
        ],
    )
    def test_what_two_readers_could_read_differently_is_refused(self, text: bytes, message: str) -> None:
        with pytest.raises(YamlError, match=message):
            load_documents(text)

    @pytest.mark.parametrize("text", ["yes", "on", "0777", "1e3", "0b1", "1_000", ".5"])
    def test_what_versions_of_yaml_read_differently_is_text(self, text: str) -> None:
        assert load_documents(f"a: {text}".encode()) == [{"a": text}]

    def test_an_unspecific_tag_is_text(self) -> None:
        assert load_documents(b"a: ! 1") == [{"a": "1"}]

    @pytest.mark.parametrize("limit", ["MAX_BYTES", "MAX_DOCUMENTS", "MAX_NODES"])
    def test_all_is_bounded(self, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(manifest_yaml, limit, 1)
        with pytest.raises(YamlError, match="more than"):
            load_documents(b"a: 1\n---\nb: 2\n")

    def test_an_alias_counts_as_all_that_it_stands_for(self) -> None:
        laughs = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9))
        with pytest.raises(YamlError, match="more than 500000 values"):
            load_documents(f"a0: &a0 [x]\n{laughs}\n".encode())


class TestObjects:
    @pytest.mark.parametrize(
        "item",
        [
            *(thing(kind, {"template": TEMPLATE}) for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")),
            thing("Job", {"template": TEMPLATE}, "batch/v1"),
            thing("CronJob", {"jobTemplate": {"spec": {"template": TEMPLATE}}}, "batch/v1"),
            thing("Pod", POD, "v1"),
            {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "x"}, "template": TEMPLATE},
            thing("Service", {"template": TEMPLATE}, "serving.knative.dev/v1"),
            thing("Revision", POD, "serving.knative.dev/v1"),
            thing("JobSet", {"replicatedJobs": [{"template": {"spec": {"template": TEMPLATE}}}]}, "jobset.x-k8s.io/v1"),
            thing(
                "LeaderWorkerSet", {"leaderWorkerTemplate": {"workerTemplate": TEMPLATE}}, "leaderworkerset.x-k8s.io/v1"
            ),
            thing("PyTorchJob", {"pytorchReplicaSpecs": {"Worker": {"template": TEMPLATE}}}, "kubeflow.org/v1"),
            thing("InferenceService", {"predictor": POD}, "serving.kserve.io/v1beta1"),
        ],
        ids=lambda item: item["kind"],
    )
    def test_every_kind_that_carries_pods(self, item: dict[str, Any]) -> None:
        found = one(item)
        assert not found.problems
        assert list(found.containers) == ["main"]
        assert found.containers["main"]["digest"] == DIGEST
        assert found.id == f"app.yaml:{item['kind']}/x"

    def test_a_cluster_has_several_templates(self) -> None:
        spec = {"headGroupSpec": {"template": TEMPLATE}, "workerGroupSpecs": [{"template": TEMPLATE}]}
        found = read(thing("RayCluster", spec, "ray.io/v1"))
        assert list(found) == ["app.yaml:RayCluster/x", "app.yaml:RayCluster/x#2"]
        leaders = {"leaderTemplate": TEMPLATE, "workerTemplate": TEMPLATE}
        assert (
            len(read(thing("LeaderWorkerSet", {"leaderWorkerTemplate": leaders}, "leaderworkerset.x-k8s.io/v1"))) == 2
        )

    def test_equal_names_are_told_apart(self) -> None:
        item = thing("Pod", POD, "v1", "llm")
        assert list(read(item, item)) == ["app.yaml:Pod/llm/x", "app.yaml:Pod/llm/x#2"]

    def test_many_of_one_name_are_told_apart_in_time(self) -> None:
        text = f"p: &p {json.dumps(thing('Pod', POD, 'v1'))}\nkind: List\napiVersion: v1\nitems: [{'*p, ' * 20_000}]"
        found = read_workloads([Manifest("app.yaml", text.encode())])
        assert list(found)[-1] == "app.yaml:Pod/x#20000"

    def test_policies_that_are_too_many_to_be_compared_are_told(self) -> None:
        policy = thing("NetworkPolicy", {"egress": []}, "networking.k8s.io/v1")
        found = read(*[thing("Pod", POD, "v1")] * 800, *[policy] * 800)
        assert found["app.yaml"].problems == ("800 network policies are too many to be compared",)
        assert found["app.yaml:Pod/x"].egress is None

    def test_lists_are_opened(self) -> None:
        inner = {"apiVersion": "v1", "kind": "PodList", "items": [thing("Pod", POD, "v1")]}
        assert one({"apiVersion": "v1", "kind": "List", "items": [inner]}).kind == "Pod"

    def test_lists_in_lists_have_an_end(self) -> None:
        item: dict[str, Any] = thing("Pod", POD, "v1")
        for _ in range(12):
            item = {"apiVersion": "v1", "kind": "List", "items": [item]}
        assert "no object with a kind" in one(item).problems[0]

    def test_what_carries_none_is_left_out(self) -> None:
        assert one(thing("ConfigMap", None, "v1"), thing("Pod", POD, "v1")).kind == "Pod"

    @pytest.mark.parametrize(
        ("item", "problem"),
        [
            (thing("ModelServer", {}, "serving.example/v1"), "could carry pods"),
            (thing("Deployment", {}, "apps.example/v1"), "could carry pods"),
            (thing("Service", {}, "v1"), "no manifest has a workload"),
            (["x"], "the document is not a mapping"),
            ({"kind": "Pod"}, "no object with a kind"),
            ({"kind": 1, "apiVersion": "v1"}, "kind is not text"),
            (thing("PyTorchJob", {"pytorchReplicaSpecs": {}}, "kubeflow.org/v1"), "no template of a pod"),
            (thing("Deployment", {}), "spec.template.spec has no containers"),
            (thing("Pod", {"containers": {}}, "v1"), "spec.containers is not a list"),
            (thing("Pod", {"containers": [1]}, "v1"), "spec.containers[0] is not a mapping"),
            (thing("Pod", {**POD, "hostNetwork": "true"}, "v1"), "spec.hostNetwork is not true or false"),
            (thing("Pod", {**POD, "securityContext": {"runAsUser": "0"}}, "v1"), "runAsUser is not a whole number"),
            (thing("Pod", {"containers": [{"name": "a"}, {"name": "a"}]}, "v1"), "or that of another container"),
            (thing("Pod", {"containers": [{"image": "a"}]}, "v1"), "has no name"),
            (thing("Pod", {"containers": [{"name": "a", "args": [1]}]}, "v1"), "args is not a list of texts"),
            (thing("Pod", {"initContainers": [{"name": "a"}]}, "v1"), "has no containers"),
        ],
    )
    def test_what_cannot_be_judged_has_a_problem(self, item: Any, problem: str) -> None:
        assert problem in "; ".join(one(item).problems)

    def test_a_file_that_cannot_be_read_has_a_problem(self) -> None:
        found = read_workloads(
            [Manifest("a", None, "it does not exist"), Manifest("b", None), Manifest("c", b"a: {{ x }}")]
        )
        assert [workload.problems[0] for workload in found.values()][:2] == [
            "it does not exist",
            "it could not be read",
        ]
        assert "rendered first" in found["c"].problems[0]
        assert read_workloads([]) == {}


class TestPods:
    def test_volumes_are_told_by_type_and_images_by_digest(self) -> None:
        volumes = [
            {"name": "a", "image": {"reference": f"registry.example/model@{DIGEST}"}},
            {"name": "b", "emptyDir": {}, "hostPath": {}},
            {"name": "c"},
            {"secret": {}},
        ]
        pod = one(thing("Pod", {**POD, "volumes": volumes}, "v1")).pod
        assert pod is not None
        assert pod["volumes"] == {"a": "image", "b": "several", "c": "none", "#3": "secret"}
        assert pod["images"] == {"a": {"image": f"registry.example/model@{DIGEST}", "digest": DIGEST}}

    @pytest.mark.parametrize("image", [None, "registry.example/server:1", "not an image", ""])
    def test_what_pins_nothing_has_no_digest(self, image: str | None) -> None:
        found = one(thing("Pod", {"containers": [{"name": "main", "image": image}]}, "v1"))
        assert found.containers["main"]["digest"] is None

    def test_resources_of_nothing_are_none(self) -> None:
        resources = {"limits": {"cpu": "1", "memory": "0", "x": None, "y": [1]}}
        found = one(thing("Pod", {"containers": [{"name": "main", "resources": resources}]}, "v1"))
        assert found.containers["main"]["limits"] == ["cpu", "y"]

    def test_a_profile_without_a_type_is_no_profile_that_is_known(self) -> None:
        found = one(thing("Pod", {**POD, "securityContext": {"seccompProfile": {"localhostProfile": "x"}}}, "v1"))
        assert found.pod is not None
        assert found.pod["security"]["seccomp"] == "other"  # type: ignore[index,call-overload]

    def test_variables_are_read_and_those_that_are_not_shown_are_told(self) -> None:
        secret = {"name": "X", "valueFrom": {"secretKeyRef": {"name": "x"}}}
        variables = [{"name": "TRUST_REMOTE_CODE", "value": "1"}, secret, {"name": "Y"}]
        container = {"name": "main", "image": "vllm/vllm-openai", "env": variables, "envFrom": [{"secretRef": {}}]}
        found = one(thing("Pod", {"containers": [container]}, "v1")).containers["main"]["loading"]
        assert found == {
            "server": "vllm",
            "unsafe": ["TRUST_REMOTE_CODE"],
            "safe": [],
            "unknown": ["the value of X", "variables out of envFrom"],
        }

    def test_the_parts_of_an_inference_service(self) -> None:
        spec = {
            "predictor": {"model": {"modelFormat": {"name": "sklearn"}}, "workerSpec": POD},
            "transformer": POD,
        }
        found = read(thing("InferenceService", spec, "serving.kserve.io/v1beta1"))
        assert [list(item.containers) for item in found.values()] == [["kserve-container"], ["main"], ["main"]]
        model = found["app.yaml:InferenceService/x"].containers["kserve-container"]
        assert model["image"] is None
        assert model["loading"]["server"] == "kserve-sklearn"  # type: ignore[index,call-overload]
        old = one(
            thing("InferenceService", {"predictor": {"xgboost": {"storageUri": "x"}}}, "serving.kserve.io/v1beta1")
        )
        assert old.containers["kserve-container"]["loading"]["safe"]  # type: ignore[index,call-overload]


def policy(spec: Any, namespace: str | None = None) -> dict[str, Any]:
    return thing("NetworkPolicy", spec, "networking.k8s.io/v1", namespace)


class TestEgress:
    @pytest.mark.parametrize(
        ("spec", "peers"),
        [
            ({"podSelector": {}, "policyTypes": ["Egress"]}, []),
            ({"podSelector": {}, "egress": [{}]}, ["any"]),
            ({"podSelector": {}, "egress": [{"to": []}]}, ["any"]),
            ({"podSelector": {}, "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}, ["10.0.0.0/8"]),
            ({"podSelector": {}, "egress": [{"to": [{"ipBlock": {"except": []}}, {}]}]}, ["unknown"]),
            ({"podSelector": {}, "egress": [{"to": [{"podSelector": {}}]}]}, ["pods"]),
            ({"podSelector": {}, "egress": [{"to": [{"namespaceSelector": {}}]}]}, ["namespaces"]),
            (
                {"egress": [{"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "dns"}}}]}]},
                ["namespace dns"],
            ),
            ({"podSelector": {"matchLabels": {"app": "server"}}, "policyTypes": ["Egress"]}, []),
            ({"podSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}, "egress": []}, None),
            ({"podSelector": {}, "policyTypes": ["Egress"], "egress": "x"}, ["unknown"]),
        ],
    )
    def test_what_a_policy_lets_through(self, spec: Any, peers: list[str] | None) -> None:
        found = one(thing("Deployment", {"template": TEMPLATE}), policy(spec)).egress
        wanted = {"policies": ["app.yaml:x"], "peers": peers or []}
        assert found == wanted

    @pytest.mark.parametrize(
        "spec",
        [
            {"podSelector": {}, "policyTypes": ["Ingress"], "egress": [{}]},
            {"podSelector": {}},
            {"podSelector": {"matchLabels": {"app": "other"}}, "egress": [{}]},
            {"podSelector": {"matchLabels": {"role": "x"}}, "egress": [{}]},
            {
                "podSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["server"]}]},
                "egress": [{}],
            },
            {"podSelector": {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, "egress": [{}]},
        ],
    )
    def test_a_policy_of_other_pods_says_nothing(self, spec: Any) -> None:
        assert one(thing("Deployment", {"template": TEMPLATE}), policy(spec)).egress == {"policies": [], "peers": []}

    @pytest.mark.parametrize(
        "selector",
        [
            {"matchLabels": {"serving.example/service": "x"}},
            {"matchExpressions": [{"key": "job-name", "operator": "Exists"}]},
            {"matchExpressions": [{"key": "app", "operator": "Like"}]},
        ],
    )
    def test_a_policy_that_may_select_it_adds_and_denies_nothing(self, selector: Any) -> None:
        spec = {"podSelector": selector, "egress": [{}]}
        found = one(thing("Deployment", {"template": TEMPLATE}), policy(spec)).egress
        assert found == {"policies": [], "peers": ["any"]}

    def test_policies_of_another_namespace_say_nothing(self) -> None:
        spec = {"podSelector": {}, "policyTypes": ["Egress"]}
        assert one(thing("Pod", POD, "v1", "a"), policy(spec, "b")).egress == {"policies": [], "peers": []}
