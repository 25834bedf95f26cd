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
            (b"a: 1\n...\nb: 1\n", "not YAML: did not find expected <document start>"),
            (b"a: 1\n--- {b: 1}\n", "a document that starts in the line of its ---"),
            (b"--- b\n", "a document that starts in the line of its ---"),
            (b"a: 1\r---\rb: 1\r", "a line break that not every reader knows"),
            (b"a: 1 # \xe2\x80\xa8b: 1\n", "a line break that not every reader knows"),
            (b"a: 1 # \xe2\x80\xa9b: 1\n", "a line break that not every reader knows"),
            (b"a: 1 # \xc2\x85b: 1\n", "a line break that not every reader knows"),
        ],
    )
    def test_what_two_readers_could_read_differently_is_refused(self, text: bytes, message: str) -> None:
        with pytest.raises(YamlError, match=message):
            load_documents(text)

    @pytest.mark.parametrize("text", ["yes", "on", "0777", "1e3", "0b1", "1_000", ".5"])
    def test_what_versions_of_yaml_read_differently_is_text(self, text: str) -> None:
        assert load_documents(f"a: {text}".encode()) == [{"a": text}]

    def test_lines_of_windows_a_last_end_and_remarks_are_read(self) -> None:
        assert load_documents(b"%YAML 1.1\r\n--- # first\r\na: 1\r\n...\r\n---\r\nb: 1\n...\n") == [{"a": 1}, {"b": 1}]

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

    @pytest.mark.parametrize("items", [[thing("Pod", POD, "v1")], [], None, "x"])
    @pytest.mark.parametrize("kind", ["ConfigMap", "NetworkPolicy", "Deployment"])
    def test_an_object_with_items_is_a_list_for_clients(self, kind: str, items: Any) -> None:
        versions = {"ConfigMap": "v1", "NetworkPolicy": "networking.k8s.io/v1", "Deployment": "apps/v1"}
        item = thing(kind, {"template": TEMPLATE}, versions[kind]) | {"items": items}
        found = read(thing("Deployment", {"template": TEMPLATE}), item)
        (bad,) = (workload for workload in found.values() if workload.problems)
        assert bad.problems == (f"the {kind} x has items, so clients take it for a list and nothing else",)
        assert all(workload.egress in (None, {"policies": [], "peers": []}) for workload in found.values())

    def test_a_list_is_read_whatever_it_is_of(self) -> None:
        found = read({"apiVersion": "v1", "kind": "List", "items": [thing("Pod", POD, "v1")]})
        assert list(found) == ["app.yaml:Pod/x"]
        assert read({"apiVersion": "v1", "kind": "PodList", "items": None})["app.yaml:PodList/None"].problems

    @pytest.mark.parametrize("field", ["autoscalerOptions", "enableInTreeAutoscaling"])
    def test_an_autoscaler_that_an_operator_adds_is_a_problem(self, field: str) -> None:
        cluster = {"headGroupSpec": {"template": TEMPLATE}, field: {"image": "x"}}
        for kind, spec in {
            "RayCluster": cluster,
            "RayService": {"rayClusterConfig": cluster},
            "RayJob": {"rayClusterSpec": cluster},
        }.items():
            found = one(thing(kind, spec, "ray.io/v1"))
            assert f"{field} adds a container that is not shown" in found.problems

    def test_a_version_of_a_runtime_replaces_the_digest_of_its_image(self) -> None:
        model = {"modelFormat": {"name": "onnx"}, "image": f"registry.example/server@{DIGEST}", "runtimeVersion": "2"}
        found = one(thing("InferenceService", {"predictor": {"model": model}}, "serving.kserve.io/v1beta1"))
        assert found.problems == ("spec.predictor.model.runtimeVersion replaces the tag or digest of the image",)

    def test_an_inference_service_hands_labels_and_annotations_down(self) -> None:
        item = thing("InferenceService", {"predictor": {**POD, "workerSpec": POD}}, "serving.kserve.io/v1beta1")
        item["metadata"] |= {
            "labels": {"team": "a"},
            "annotations": {"container.apparmor.security.beta.kubernetes.io/main": "unconfined"},
        }
        for found in read(item, policy({"podSelector": {"matchLabels": {"team": "a"}}, "egress": [{}]})).values():
            assert found.egress == {"policies": [], "peers": ["any"]}
            assert found.containers["main"]["security"]["apparmor"] == "Unconfined"  # type: ignore[index,call-overload]

    def test_labels_that_an_operator_adds_or_replaces_may_select(self) -> None:
        spec = {"template": TEMPLATE, "strategy": {"canary": {"canaryMetadata": {"labels": {"open": "1", "app": "y"}}}}}
        rollout = thing("Rollout", spec, "argoproj.io/v1alpha1")
        for labels in ({"open": "1"}, {"app": "y"}, {"app": "server"}):
            found = one(rollout, policy({"podSelector": {"matchLabels": labels}, "egress": [{}]}))
            assert found.egress == {"policies": [], "peers": ["any"]}
        found = one(rollout, policy({"podSelector": {"matchLabels": {"other": "1"}}, "egress": [{}]}))
        assert found.egress == {"policies": [], "peers": []}

    @pytest.mark.parametrize(
        ("variables", "arguments", "unsafe"),
        [
            ({"F": "--trust-remote-code"}, ["$(F)"], True),
            ({"F": "--trust-remote-code", "G": "$(F)"}, ["$(G)"], True),
            ({"F": "--trust-remote-code"}, ["$$(F)", "$(H)"], False),
        ],
    )
    def test_kubernetes_puts_variables_in_arguments(
        self, variables: dict[str, str], arguments: list[str], unsafe: bool
    ) -> None:
        env = [{"name": name, "value": value} for name, value in variables.items()]
        container = POD["containers"][0] | {"env": env, "command": ["vllm"], "args": arguments}
        found: Any = one(thing("Pod", {"containers": [container]}, "v1")).containers["main"]
        assert bool(found["loading"]["unsafe"]) == unsafe

    @pytest.mark.parametrize(
        ("field", "words", "safe"),
        [
            ("postStart", ["vllm", "serve", "b"], False),
            ("postStart", ["sh", "-c", "vllm serve b --load-format safetensors"], True),
            ("preStop", ["sh", "-c", "sleep 5; pkill -f vllm"], True),
            ("livenessProbe", ["torchserve", "--start"], False),
            ("startupProbe", ["pgrep", "-f", "vllm"], True),
            ("readinessProbe", ["cat", "/x", "--trust-remote-code"], False),
        ],
    )
    def test_what_probes_and_hooks_start_is_judged(self, field: str, words: list[str], safe: bool) -> None:
        action = {"exec": {"command": words}}
        more: dict[str, Any] = {"lifecycle": {field: action}} if field.startswith("p") else {field: action}
        container = POD["containers"][0] | {"command": ["vllm", "--load-format", "safetensors"], **more}
        found: Any = one(thing("Pod", {"containers": [container]}, "v1")).containers["main"]
        assert (bool(found["loading"]["safe"]) and not found["loading"]["unsafe"]) == safe

    @pytest.mark.parametrize("source", ["hostPath", "local"])
    def test_a_volume_of_a_cluster_that_is_a_path_of_its_host_is_a_problem(self, source: str) -> None:
        found = read(thing("PersistentVolume", {source: {"path": "/"}}, "v1"), thing("Pod", POD, "v1"))
        assert found["app.yaml:PersistentVolume/x"].problems == (
            f"spec.{source} makes claims of it a path of the host",
        )
        assert len(read(thing("PersistentVolume", {"nfs": {"path": "/"}}, "v1"), thing("Pod", POD, "v1"))) == 1

    def test_variables_in_variables_have_an_end(self) -> None:
        env = [{"name": "A0", "value": "x" * 100}]
        env += [{"name": f"A{number}", "value": f"$(A{number - 1})" * 10} for number in range(1, 9)]
        words = ["vllm", "$(A1)" * 100, "sh", "$A1 " * 100]
        container = POD["containers"][0] | {"env": env, "command": words}
        found: Any = one(thing("Pod", {"containers": [container]}, "v1")).containers["main"]
        assert "an argument with variables that is too long" in found["loading"]["unknown"]
        assert "the value of A3" in found["loading"]["unknown"] or not found["loading"]["safe"]

    def test_knative_names_the_containers_that_have_no_name(self) -> None:
        image = {"image": f"registry.example/server@{DIGEST}"}
        template = {"spec": {"containers": [image, {"name": "own", **image}]}}
        found = one(thing("Service", {"template": template}, "serving.knative.dev/v1"))
        assert not found.problems
        assert list(found.containers) == ["user-container-0", "own"]
        assert one(thing("Deployment", {"template": template})).problems

    def test_a_switch_of_another_type_is_a_problem(self) -> None:
        found = one({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {**POD, "hostPID": "true"}})
        assert found.problems == ("spec.hostPID is not true or false",)

    def test_a_number_of_another_type_is_a_problem(self) -> None:
        found = one(thing("Pod", POD | {"securityContext": {"runAsUser": "0x0"}}, "v1"))
        assert found.problems == ("spec.securityContext.runAsUser is not a whole number",)

    def test_a_volume_that_stands_twice_is_a_problem(self) -> None:
        volumes = [{"name": "a", "hostPath": {"path": "/"}}, {"name": "a", "emptyDir": {}}]
        found = one(thing("Pod", POD | {"volumes": volumes}, "v1"))
        assert found.problems == ("spec.volumes[1] has no name, or that of another volume",)

    def test_a_token_that_a_volume_brings_is_a_token(self) -> None:
        volumes = [{"name": "a", "projected": {"sources": [{"serviceAccountToken": {"path": "x"}}]}}]
        spec = POD | {"automountServiceAccountToken": False}
        assert one(thing("Pod", spec, "v1")).pod["service_account_token"] is False  # type: ignore[index]
        assert one(thing("Pod", spec | {"volumes": volumes}, "v1")).pod["service_account_token"] is True  # type: ignore[index]

    @pytest.mark.parametrize("none", ["0", 0, "0m", "0Gi", "0.0", "", None, ".0", "0e3", "+0"])
    def test_a_limit_of_nothing_is_no_limit(self, none: Any) -> None:
        container = POD["containers"][0] | {"resources": {"limits": {"cpu": none, "memory": "0.5Gi"}}}
        found = one(thing("Pod", {"containers": [container]}, "v1"))
        assert found.containers["main"]["limits"] == ["memory"]

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
        policy = thing("NetworkPolicy", {"egress": [{}]}, "networking.k8s.io/v1")
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
