"""The chart of the webhook: every choice renders, is closed, and passes what the gate asks of deployments."""

from __future__ import annotations

import base64
import functools
import itertools
import json
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from cryptography import x509

from gate.cli.main import main
from gate.formats.workloads.reviewed import judged_kinds, resource_of
from tests.acceptance.world import gate
from tests.support.chart import (
    CHART,
    COMBINATIONS,
    EXISTING,
    GOOD,
    GUARDED,
    IMAGE,
    MANAGED,
    METRICS,
    NAMESPACE,
    OPA,
    OPA_IMAGE,
    OPEN,
    PEM,
    POLICY_IMAGE,
    SQLITE,
    Values,
    merged,
    one,
    rendered,
    run,
)

HOOK = "ValidatingWebhookConfiguration"
VALUES: Values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text("utf-8"))


@functools.cache
def documents(name: str) -> list[dict[str, Any]]:
    return rendered(*COMBINATIONS[name])


def pod_of(name: str) -> dict[str, Any]:
    pod: dict[str, Any] = one(documents(name), "Deployment")["spec"]["template"]["spec"]
    return pod


@pytest.mark.parametrize("name", COMBINATIONS)
def test_every_choice_passes_the_strict_linter(name: str) -> None:
    done = run("lint", merged(GOOD, *COMBINATIONS[name]), strict=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_chart_alone_passes_the_strict_linter() -> None:
    done = run("lint", {}, strict=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", COMBINATIONS)
def test_s42_no_choice_but_one_lets_anything_in_when_the_webhook_is_away(name: str) -> None:
    hooks = [item for item in documents(name) if item["kind"] == HOOK]
    assert len(hooks) == (name != "not registered")
    for hook in (hook for item in hooks for hook in item["webhooks"]):
        assert hook["failurePolicy"] == ("Ignore" if name == "fail open" else "Fail")
        assert hook["timeoutSeconds"] == 5
        assert hook["matchPolicy"] == "Equivalent"
        assert hook["sideEffects"] == "NoneOnDryRun"
        assert hook["admissionReviewVersions"] == ["v1"]
    for item in documents(name):
        if item["kind"] == "ValidatingAdmissionPolicy":
            assert item["spec"]["failurePolicy"] == "Fail"


@pytest.mark.parametrize("name", COMBINATIONS)
def test_every_object_is_where_it_belongs_and_says_what_it_is(name: str) -> None:
    cluster_wide = {"Namespace", "ClusterRole", "ClusterRoleBinding", HOOK}
    cluster_wide |= {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
    seen = set()
    for item in documents(name):
        metadata = item["metadata"]
        assert metadata.get("namespace") == (None if item["kind"] in cluster_wide else NAMESPACE), item["kind"]
        if item["kind"] != "Namespace":
            assert metadata["labels"]["app.kubernetes.io/name"] == "gate-webhook"
        identity = (item["apiVersion"], item["kind"], metadata["name"])
        assert identity not in seen
        seen.add(identity)


# --- what has to be said ----------------------------------------------------------------------------------------------

MISSING: dict[str, tuple[Values, str]] = {
    "repository": ({"image": {"repository": None}}, "image.repository"),
    "digest": ({"image": {"digest": None}}, "image.digest"),
    "configuration": ({"configuration": {"files": None}}, "exactly one of files"),
    "two configurations": ({"configuration": {"existingConfigMap": "gate"}}, "exactly one of files"),
    "items of nothing": ({"configuration": {"items": [{"key": "a", "path": "b"}]}}, "belong to existingConfigMap"),
    "the file itself": ({"configuration": {"file": "other.yaml"}}, "has no other.yaml"),
    "a file twice": ({"configuration": {"binaryFiles": {"gate.yaml": "YQ=="}}}, "in files and in binaryFiles"),
    "database": ({"record": {"postgres": {"existingSecret": None}}}, "record.postgres.existingSecret"),
    "place of the database": ({"networkPolicy": {"postgres": []}}, "networkPolicy.postgres"),
    "API server": ({"networkPolicy": {"apiServer": {"cidrs": []}}}, "networkPolicy.apiServer"),
    "registries": ({"networkPolicy": {"registries": []}}, "networkPolicy.registries"),
    "certificate": ({"certificate": {"source": "existing"}}, "certificate.existing needs"),
    "image of OPA": ({**OPA, "opa": {"enabled": True, "token": {"existingSecret": "t"}}}, "opa needs"),
    "token of OPA": ({"opa": {"enabled": True, "image": {"digest": "sha256:" + "2" * 64}}}, "opa needs"),
    "a replica that stays": ({"replicas": 2, "disruption": {"maxUnavailable": 2}}, "one replica has to stay"),
    "a log for two": (merged(SQLITE, {"audit": {"enabled": True}}), "a log in SQLite is open"),
}


@pytest.mark.parametrize("name", MISSING)
def test_what_has_no_safe_default_is_asked_for(name: str) -> None:
    values, word = MISSING[name]
    done = run("template", merged(GOOD, values))
    assert done.returncode != 0
    assert word in done.stderr


REFUSED: dict[str, tuple[Values, str]] = {
    "unknown": ({"replica": 3}, "replica"),
    "unknown below": ({"webhook": {"failurepolicy": "Ignore"}}, "failurepolicy"),
    "unknown further below": ({"opa": {"image": {"tag": "latest"}}}, "tag"),
    "a tag": ({"image": {"repository": "registry.example/gate/webhook:latest"}}, "repository"),
    "a short digest": ({"image": {"digest": "sha256:1234"}}, "digest"),
    "a digest of another kind": ({"image": {"digest": "sha512:" + "1" * 64}}, "digest"),
    "fail open by accident": ({"webhook": {"failurePolicy": "Ignore"}}, "iAcceptFailOpen"),
    "fail open in words": ({"webhook": {"failurePolicy": "Ignore", "iAcceptFailOpen": "true"}}, "iAcceptFailOpen"),
    "another policy": ({"webhook": {"failurePolicy": "fail"}}, "failurePolicy"),
    "no time": ({"webhook": {"timeoutSeconds": 0}}, "timeoutSeconds"),
    "too much time": ({"webhook": {"timeoutSeconds": 31}}, "timeoutSeconds"),
    "namespaces by pattern": ({"webhook": {"excludedNamespaces": ["kube-*"]}}, "excludedNamespaces"),
    "a namespace twice": ({"webhook": {"excludedNamespaces": ["a", "a"]}}, "excludedNamespaces"),
    "all groups": ({"webhook": {"custom": [{"group": "*", "versions": ["*"], "resources": ["*"]}]}}, "custom"),
    "no resources": ({"webhook": {"custom": [{"group": "a.b", "versions": ["*"], "resources": []}]}}, "custom"),
    "two writers of a log": (merged(SQLITE, {"replicas": 3}), "replicas"),
    "a record elsewhere": ({"record": {"kind": "mysql"}}, "kind"),
    "no replica": ({"replicas": 0}, "replicas"),
    "a path of the host": ({"configuration": {"files": None, "volume": {"hostPath": {"path": "/"}}}}, "volume"),
    "two volumes": ({"configuration": {"files": None, "volume": {"emptyDir": {}, "nfs": {}}}}, "volume"),
    "a file outside": ({"configuration": {"files": {"../x": "x"}}}, "../x"),
    "an absolute file": ({"configuration": {"files": {"/etc/passwd": "x"}}}, "/etc/passwd"),
    "a configuration outside": ({"configuration": {"file": "../../x"}}, "file"),
    "no base64": ({"configuration": {"binaryFiles": {"a": "<>"}}}, "binaryFiles"),
    "a certificate that is none": ({"certificate": {"existing": {"caBundle": "hello"}}}, "caBundle"),
    "another source": ({"certificate": {"source": "none"}}, "source"),
    "a certificate for too long": ({"certificate": {"generated": {"days": 3650}}}, "days"),
    "a registry by name": ({"networkPolicy": {"registries": [{"cidr": "ghcr.io", "ports": [443]}]}}, "registries"),
    "a registry without ports": ({"networkPolicy": {"registries": [{"cidr": "203.0.113.0/24"}]}}, "registries"),
    "an address without length": ({"networkPolicy": {"apiServer": {"cidrs": ["10.0.0.1"]}}}, "cidrs"),
    "other limits": ({"resources": {"limits": {"gpu": "1"}}}, "limits"),
    "an image by tag": ({"guard": {"images": ["postgres:15"]}}, "images"),
    "a label of selectors": ({"podLabels": {"app.kubernetes.io/name": "x"}}, "app.kubernetes.io/name"),
    "no guard of the guard": (
        {"guard": {"registration": {"enabled": True, "users": [], "groups": []}}},
        "registration",
    ),
    "security of containers": ({"securityContext": {"privileged": True}}, "securityContext"),
    "a host network": ({"hostNetwork": True}, "hostNetwork"),
    "no drain": ({"server": {"drainSeconds": 0}}, "drainSeconds"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("command", ["template", "lint"])
def test_the_schema_refuses(name: str, command: str) -> None:
    values, word = REFUSED[name]
    done = run(command, merged(GOOD, values))
    said = done.stdout + done.stderr
    assert done.returncode != 0, name
    assert word in said
    assert "schema" in said


def test_the_schema_and_the_values_name_the_same() -> None:
    """Neither knows a value that the other does not, so that a value with a typing error is never taken silently."""

    def compare(values: Any, schema: Any, path: str) -> None:
        if schema.get("additionalProperties") is not False:
            return
        assert set(values) == set(schema["properties"]) - {"global", "ephemeral-storage"}, path
        for key, value in values.items():
            if isinstance(value, dict):
                compare(value, schema["properties"][key], f"{path}.{key}")

    compare(VALUES, SCHEMA, "values")


# --- the gate's own controls ------------------------------------------------------------------------------------------

CONFIGURATION = """\
version: 1
target: deployment
environment: production
profile: profile.yaml
artifacts:
  webhook: {kind: container, image: "%s"}
  opa: {kind: container, image: "%s"}
  policy: {kind: container, image: "%s"}
manifests: [rendered.yaml]
"""
PROFILE: Values = {
    "name": "deployments",
    "description": "The webhook is as confined as what it judges.",
    "controls": {
        "deploy.image_pinned": {"mode": "enforce"},
        "deploy.restricted": {"mode": "enforce"},
        "deploy.egress": {"mode": "enforce"},
        "deploy.safe_loading": {"mode": "enforce"},
    },
    "parameters": {
        "deploy.restricted": {"besides": ["limits", "probes", "read_only_root", "requests", "token"]},
        "deploy.egress": {
            "allowed": [
                "169.254.20.10/32",
                "198.51.100.7/32",
                "203.0.113.0/24",
                "namespace databases",
                "namespace kube-system",
                "10.0.0.0/28",
            ]
        },
    },
}
OWN = {
    # The audit lists what runs, with a token; it is no server, so nobody probes it.
    "the audit": {"deploy.restricted"},
    "the audit of all kinds": {"deploy.restricted"},
    "the audit and a sidecar": {"deploy.restricted"},
    "no network policy": {"deploy.egress"},
}


@pytest.mark.no_cover
@pytest.mark.parametrize("name", COMBINATIONS)
def test_it_passes_the_gates_own_controls_of_deployments(name: str, tmp_path: Path) -> None:
    (tmp_path / "gate.yaml").write_text(CONFIGURATION % (IMAGE, OPA_IMAGE, POLICY_IMAGE))
    (tmp_path / "profile.yaml").write_text(yaml.safe_dump(PROFILE))
    (tmp_path / "rendered.yaml").write_text(yaml.safe_dump_all(documents(name)))
    done = gate("check", "--now", "2026-11-20T12:00:00Z", "--output", "decision.json", cwd=tmp_path)
    decision = json.loads((tmp_path / "decision.json").read_text())
    failing = {control for control, entry in decision["controls"].items() if entry["status"] in {"fail", "error"}}
    assert failing == OWN.get(name, set()), done.text
    assert decision["controls"]["deploy.image_pinned"]["status"] == "pass"
    if "audit" in name:
        found = {(item["code"], item["message"]) for item in decision["controls"]["deploy.restricted"]["violations"]}
        assert {code for code, _ in found} == {"deploy.restricted.probes", "deploy.restricted.token"}


def test_another_image_is_refused(tmp_path: Path) -> None:
    """That the test above can fail."""
    (tmp_path / "gate.yaml").write_text(CONFIGURATION % (IMAGE.replace("1" * 64, "9" * 64), OPA_IMAGE, POLICY_IMAGE))
    (tmp_path / "profile.yaml").write_text(yaml.safe_dump(PROFILE))
    (tmp_path / "rendered.yaml").write_text(yaml.safe_dump_all(documents("what has no default")))
    assert gate("check", "--now", "2026-11-20T12:00:00Z", cwd=tmp_path).code == 13


# --- what is asked, and what is left out ------------------------------------------------------------------------------


def hooks(name: str = "what has no default") -> dict[str, dict[str, Any]]:
    return {item["name"].partition(".")[0]: item for item in one(documents(name), HOOK)["webhooks"]}


def test_s39_every_kind_that_carries_pods_is_asked_about() -> None:
    asked = {
        (group, resource)
        for hook in hooks().values()
        for rule in hook["rules"]
        for group, resource in itertools.product(rule["apiGroups"], rule["resources"])
    }
    assert asked == {
        *(("", name) for name in ("pods", "pods/ephemeralcontainers", "pods/resize")),
        *(("", name) for name in ("podtemplates", "replicationcontrollers")),
        *(("apps", name) for name in ("daemonsets", "deployments", "replicasets", "statefulsets")),
        *(("batch", name) for name in ("cronjobs", "jobs")),
        *(("serving.kserve.io", name) for name in ("inferenceservices", "servingruntimes", "clusterservingruntimes")),
        *(("serving.kserve.io", name) for name in ("trainedmodels", "localmodelcaches", "localmodelnamespacecaches")),
        ("serving.kserve.io", "llminferenceservices"),
    }
    own = {"", "apps", "batch"}
    known = {(kind.group, resource_of(kind)) for kind in judged_kinds()}
    assert {(group, name) for group, name in known if group in own} <= asked
    assert asked - known == {
        ("", "pods/ephemeralcontainers"),
        ("", "pods/resize"),
        # Of a kind that is not known: refused, until gate.yaml says where it carries its models.
        ("serving.kserve.io", "llminferenceservices"),
    }
    for hook in hooks().values():
        for rule in hook["rules"]:
            assert rule["operations"] == ["CREATE", "UPDATE"]
            assert rule["apiVersions"] == ["*"], "a version that the gate does not know is refused, not left out"
        assert "objectSelector" not in hook, "whoever makes an object chooses its labels"
    assert hooks()["pods"]["rules"][0]["scope"] == "Namespaced"


@pytest.mark.parametrize(
    ("name", "excluded"),
    [
        ("what has no default", ["kube-system", NAMESPACE]),
        ("more namespaces left out", ["kube-system", "calico-system", NAMESPACE]),
        ("nothing left out", [NAMESPACE]),
    ],
)
def test_namespaces_are_left_out_by_a_name_that_nobody_can_forge(name: str, excluded: list[str]) -> None:
    for hook in hooks(name).values():
        (requirement,) = hook["namespaceSelector"]["matchExpressions"]
        assert requirement == {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": excluded}


def test_there_is_one_condition_each_and_it_speaks_of_updates_alone() -> None:
    for hook in hooks().values():
        (condition,) = hook["matchConditions"]
        assert condition["expression"].startswith("request.operation != 'UPDATE' ||")
        assert "userInfo" not in condition["expression"], "nobody is left out for who they are"


def test_pods_alone_are_still_every_pod() -> None:
    assert hooks("pods alone").keys() == {"pods"}
    assert hooks("pods alone")["pods"] == {
        **hooks()["pods"],
        "clientConfig": hooks("pods alone")["pods"]["clientConfig"],
    }


# --- pods -------------------------------------------------------------------------------------------------------------


def test_three_replicas_are_spread_and_never_all_away() -> None:
    deployment = one(documents("what has no default"), "Deployment")
    assert deployment["spec"]["replicas"] == 3
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    budget = one(documents("what has no default"), "PodDisruptionBudget")
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["selector"] == deployment["spec"]["selector"]
    spread = {
        item["topologyKey"]: item["whenUnsatisfiable"]
        for item in pod_of("what has no default")["topologySpreadConstraints"]
    }
    assert spread == {"kubernetes.io/hostname": "DoNotSchedule", "topology.kubernetes.io/zone": "ScheduleAnyway"}


def test_a_log_in_sqlite_has_one_writer_and_outlives_the_release() -> None:
    deployment = one(documents("a log in SQLite"), "Deployment")
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    claim = one(documents("a log in SQLite"), "PersistentVolumeClaim")
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    assert not [item for item in documents("a log in SQLite on a claim") if item["kind"] == "PersistentVolumeClaim"]


@pytest.mark.parametrize("name", COMBINATIONS)
def test_a_pod_that_stops_has_time_to_finish(name: str) -> None:
    pod = pod_of(name)
    (container,) = pod["containers"]
    drain = next(word for word in container["args"] if word.startswith("--drain-s="))
    before = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert before >= 10
    assert pod["terminationGracePeriodSeconds"] > before + int(drain.partition("=")[2])


@pytest.mark.parametrize("name", COMBINATIONS)
def test_nothing_is_written_but_what_has_to_be_and_no_token_is_there(name: str) -> None:
    pod = pod_of(name)
    assert pod["automountServiceAccountToken"] is False
    assert one(documents(name), "ServiceAccount", "gate-webhook")["automountServiceAccountToken"] is False
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        assert container["image"].count("@sha256:") == 1
        writable = {item["mountPath"] for item in container["volumeMounts"] if not item.get("readOnly")}
        assert writable <= {"/tmp", *({"/var/lib/gate"} if "SQLite" in name else ())}
    for volume in pod["volumes"]:
        assert volume.get("secret", {}).get("defaultMode", 0o440) == 0o440
        assert "hostPath" not in volume


def test_probes_ask_what_is_meant_for_them() -> None:
    (container,) = pod_of("what has no default")["containers"]
    asked = {name: container[name]["httpGet"] for name in ("livenessProbe", "readinessProbe", "startupProbe")}
    assert {name: value["path"] for name, value in asked.items()} == {
        "livenessProbe": "/livez",
        "readinessProbe": "/readyz",
        "startupProbe": "/livez",
    }
    ports = {item["name"]: item["containerPort"] for item in container["ports"]}
    assert {value["port"] for value in asked.values()} == {"health"}
    assert ports == {"https": 8443, "health": 8080}


@pytest.mark.parametrize("name", COMBINATIONS)
def test_only_the_audit_may_ask_the_api_server(name: str) -> None:
    roles = [item for item in documents(name) if item["kind"] in {"ClusterRole", "Role"}]
    assert bool(roles) == ("audit" in name)
    for role in roles:
        for rule in role["rules"]:
            assert set(rule["verbs"]) == {"get", "list"}
            assert "secrets" not in rule["resources"]
            assert "*" not in rule["resources"] + rule["apiGroups"]


# --- network ----------------------------------------------------------------------------------------------------------


def test_the_api_server_alone_may_ask() -> None:
    policy = one(documents("what has no default"), "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["ingress"] == [
        {"from": [{"ipBlock": {"cidr": "10.0.0.0/28"}}], "ports": [{"port": "https", "protocol": "TCP"}]}
    ]
    tunnel = one(documents("a tunnel"), "NetworkPolicy")["spec"]["ingress"]
    assert tunnel[0]["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}]
    more = one(documents("more places in the network"), "NetworkPolicy")["spec"]["egress"]
    assert {"ipBlock": {"cidr": "169.254.20.10/32"}} in more[0]["to"]
    assert [port["port"] for port in more[0]["ports"]] == [53, 53]
    assert more[2]["ports"] == [{"port": 443, "protocol": "TCP"}]
    metrics = one(documents("metrics"), "NetworkPolicy")["spec"]["ingress"]
    assert metrics[1]["ports"] == [{"port": "health", "protocol": "TCP"}]
    assert len(metrics) == 2


@pytest.mark.parametrize("name", set(COMBINATIONS) - {"no network policy"})
def test_no_rule_of_a_network_policy_is_open(name: str) -> None:
    """A rule without peers, or without ports, would let everything through."""
    for item in documents(name):
        if item["kind"] != "NetworkPolicy":
            continue
        assert item["spec"]["podSelector"]["matchLabels"]
        for rule in item["spec"].get("ingress", []):
            assert rule["from"]
            assert rule["ports"]
        for rule in item["spec"]["egress"]:
            assert rule["to"]
            assert rule["ports"]


# --- certificates -----------------------------------------------------------------------------------------------------


def test_the_own_authority_vouches_for_the_service_and_its_key_is_in_no_pod() -> None:
    found = documents("what has no default")
    authority = x509.load_pem_x509_certificate(
        base64.b64decode(one(found, "Secret", "gate-webhook-ca")["data"]["tls.crt"])
    )
    served = one(found, "Secret", "gate-webhook-tls")["data"]
    certificate = x509.load_pem_x509_certificate(base64.b64decode(served["tls.crt"]))
    certificate.verify_directly_issued_by(authority)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["gate-webhook.gate-system.svc"]
    for hook in hooks().values():
        assert base64.b64decode(hook["clientConfig"]["caBundle"]) == base64.b64decode(
            one(found, "Secret", "gate-webhook-ca")["data"]["tls.crt"]
        )
        assert hook["clientConfig"]["service"] == {
            "name": "gate-webhook",
            "namespace": NAMESPACE,
            "path": "/validate",
            "port": 443,
        }
    assert "gate-webhook-ca" not in json.dumps(pod_of("what has no default"))


def test_cert_manager_puts_its_authority_in() -> None:
    found = documents("cert-manager")
    hook = one(found, HOOK)
    assert hook["metadata"]["annotations"] == {"cert-manager.io/inject-ca-from": f"{NAMESPACE}/gate-webhook"}
    assert all("caBundle" not in item["clientConfig"] for item in hook["webhooks"])
    certificate = one(found, "Certificate", "gate-webhook")["spec"]
    assert certificate["dnsNames"] == ["gate-webhook.gate-system.svc"]
    assert certificate["secretName"] == "gate-webhook-tls"
    assert one(found, "Issuer", certificate["issuerRef"]["name"])["spec"]["ca"]["secretName"] == "gate-webhook-ca"
    elsewhere = documents("cert-manager with an issuer")
    assert one(elsewhere, "Certificate")["spec"]["issuerRef"] == {"name": "house", "kind": "ClusterIssuer"}
    assert not [item for item in elsewhere if item["kind"] in {"Issuer", "Secret"}]


def test_a_certificate_that_is_there_is_used_and_its_authority_trusted() -> None:
    found = documents("a certificate that is there")
    assert not [item for item in found if item["kind"] == "Secret"]
    volume = next(item for item in pod_of("a certificate that is there")["volumes"] if item["name"] == "tls")
    assert volume["secret"]["secretName"] == "tls"
    for hook in one(found, HOOK)["webhooks"]:
        assert base64.b64decode(hook["clientConfig"]["caBundle"]).decode() == PEM


# --- the rest ---------------------------------------------------------------------------------------------------------


def test_files_of_the_configuration_lie_where_gate_yaml_names_them() -> None:
    found = one(documents("what has no default"), "ConfigMap")
    assert found["data"] == {"gate.yaml": "version: 1\n", "keys__release.pub": "a public key\n"}
    volume = next(item for item in pod_of("what has no default")["volumes"] if item["name"] == "configuration")
    assert {item["key"]: item["path"] for item in volume["configMap"]["items"]} == {
        "gate.yaml": "gate.yaml",
        "keys__release.pub": "keys/release.pub",
    }
    assert one(documents("binary files"), "ConfigMap")["binaryData"] == {"policy.tar.gz": "H4sIAAAA"}


def test_the_sidecar_is_asked_on_loopback_and_verifies_its_bundle() -> None:
    (opa,) = pod_of("a sidecar")["initContainers"]
    assert opa["restartPolicy"] == "Always", "it runs beside the webhook, from before its start to after its end"
    assert "--addr=127.0.0.1:8181" in opa["args"]
    assert "--authentication=token" in opa["args"]
    assert "--authorization=basic" in opa["args"]
    assert not [word for word in opa["args"] if "skip-verify" in word]
    assert "ports" not in opa


def test_in_its_own_namespace_its_own_images_run_alone() -> None:
    (variable,) = one(documents("a sidecar"), "ValidatingAdmissionPolicy")["spec"]["variables"]
    assert json.loads(variable["expression"]) == [IMAGE, OPA_IMAGE]
    (variable,) = one(documents("a volume of an image"), "ValidatingAdmissionPolicy")["spec"]["variables"]
    assert json.loads(variable["expression"]) == [IMAGE, POLICY_IMAGE]


@pytest.mark.parametrize("values", [EXISTING, MANAGED, GUARDED, METRICS, OPA, OPEN], ids=str)
def test_nothing_is_rendered_from_nothing(values: Values) -> None:
    """What has no default is asked for, whatever else is said."""
    assert run("template", values).returncode != 0


@pytest.mark.parametrize("name", COMBINATIONS)
def test_containers_are_started_with_options_that_there_are(name: str) -> None:
    found = [("Deployment", "webhook", ["webhook", "serve"])]
    found += [("CronJob", "audit", ["audit"])] if "audit" in name else []
    for kind, container, path in found:
        pod = pods_of(one(documents(name), kind))
        (started,) = (item for item in pod["containers"] if item["name"] == container)
        assert started["args"][: len(path)] == path
        named = [word.partition("=")[0] for word in started["args"][len(path) :]]
        assert set(named) <= options_of(path), named


def pods_of(item: dict[str, Any]) -> dict[str, Any]:
    spec = item["spec"].get("jobTemplate", item)["spec"]
    pod: dict[str, Any] = spec["template"]["spec"]
    return pod


def options_of(path: list[str]) -> set[str]:
    """The options of a command."""
    command: click.Command | None = main
    for word in path:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word)
    assert command is not None
    return {option for parameter in command.params for option in parameter.opts}
