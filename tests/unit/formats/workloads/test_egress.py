"""Network policies, as a cluster would apply them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.formats.workloads.test_workloads import POD, TEMPLATE, one, policy, read, thing

CLOSED = {"podSelector": {}, "policyTypes": ["Egress"]}
SERVER = thing("Deployment", {"template": TEMPLATE})
NOTHING: dict[str, list[str]] = {"policies": [], "peers": []}


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
            (
                {
                    "podSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
                    "egress": [],
                    "policyTypes": ["Egress"],
                },
                None,
            ),
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
        ],
    )
    def test_a_policy_that_may_select_it_adds_and_denies_nothing(self, selector: Any) -> None:
        spec = {"podSelector": selector, "egress": [{}]}
        found = one(thing("Deployment", {"template": TEMPLATE}), policy(spec)).egress
        assert found == {"policies": [], "peers": ["any"]}

    def test_policies_of_another_namespace_say_nothing(self) -> None:
        spec = {"podSelector": {}, "policyTypes": ["Egress"]}
        assert one(thing("Pod", POD, "v1", "a"), policy(spec, "b")).egress == {"policies": [], "peers": []}

    @pytest.mark.parametrize(
        "spec", [{"podSelector": {}, "egress": []}, {"podSelector": {}, "policyTypes": [], "egress": []}]
    )
    def test_an_empty_list_of_rules_without_a_type_limits_nothing(self, spec: Any) -> None:
        assert one(SERVER, policy(spec)).egress == NOTHING

    def test_of_two_policies_of_one_name_a_cluster_keeps_one(self) -> None:
        other = CLOSED | {"podSelector": {"matchLabels": {"app": "other"}}}
        assert one(SERVER, policy(CLOSED), policy(other)).egress == {"policies": ["app.yaml:x"], "peers": ["unknown"]}
        assert one(SERVER, policy(CLOSED), policy(CLOSED)).egress == {"policies": ["app.yaml:x"], "peers": []}
        assert one(SERVER, policy(CLOSED), policy(other, "a")).egress == {"policies": ["app.yaml:x"], "peers": []}

    @pytest.mark.parametrize("version", ["networking.k8s.io/v2", "networking.k8s.io/v1beta1", "extensions/v1beta1"])
    def test_a_policy_of_a_version_that_no_cluster_serves_is_a_problem(self, version: str) -> None:
        found = read(SERVER, thing("NetworkPolicy", CLOSED, version))
        assert found["app.yaml:Deployment/x"].egress == NOTHING
        assert "networking.k8s.io/v1" in found["app.yaml:NetworkPolicy/x"].problems[0]

    @pytest.mark.parametrize(
        "spec",
        [
            CLOSED | {"podSelector": {"matchLabels": ["app"]}},
            CLOSED | {"podSelector": {"matchLabels": {"app": 1}}},
            CLOSED | {"podSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": "x"}]}},
            CLOSED | {"podSelector": {"matchExpressions": [{"key": 1, "operator": "DoesNotExist"}]}},
            CLOSED | {"podSelector": {"matchExpressions": [{"key": "app", "operator": "Like"}]}},
            CLOSED | {"podSelector": {"app": "other"}},
            CLOSED | {"policyTypes": ["Egress", "egress"]},
            CLOSED | {"ingress": "x"},
            CLOSED | {"ingres": []},
            CLOSED | {"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0"}}]}]},
            CLOSED | {"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}]}]},
        ],
    )
    def test_a_policy_that_a_cluster_would_refuse_is_of_no_use(self, spec: Any) -> None:
        found = one(SERVER, policy(spec)).egress
        assert found is None or not found["policies"] or "unknown" in found["peers"]  # type: ignore[operator]

    def test_labels_that_controllers_replace_decide_nothing(self) -> None:
        template = {"metadata": {"labels": {"pod-template-hash": "x"}}, "spec": POD}
        spec = CLOSED | {"podSelector": {"matchLabels": {"pod-template-hash": "x"}}}
        assert one(thing("Deployment", {"template": template}), policy(spec)).egress == NOTHING
