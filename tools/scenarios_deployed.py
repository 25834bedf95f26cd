"""Scenarios of deployment manifests: a server that is confined, and one for each way in which it is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tools.scenario_draft import SIGNERS, Draft, config, profile, scenario
from tools.scenario_evidence import bundle, key, sha256, statement
from tools.scenarios_bills import CYCLONEDX, bill, hashed

DIGEST: Final = sha256(b"server")
IMAGE: Final = f"registry.example/llm/server@sha256:{DIGEST}"
MINIMUMS: Final = """\
parameters:
  deploy.safe_loading: {minimum_versions: {pkg:pypi/torch: "2.10", pkg:pypi/vllm: "0.18"}}
"""
MANIFEST: Final = "deploy/server.yaml"
CONTROLS: Final = ("deploy.egress", "deploy.image_pinned", "deploy.restricted", "deploy.safe_loading")
SERVER: Final = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: server, namespace: llm}}
spec:
  template:
    metadata: {{labels: {{app: server}}}}
    spec:
      automountServiceAccountToken: false
      securityContext: {{runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}}}
      containers:
        - name: server
          image: {IMAGE}
          command: [vllm, serve, /models]
          args: [--load-format, safetensors]
          resources: {{limits: {{cpu: "4", memory: 16Gi}}}}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {{drop: [ALL]}}
"""
POLICY: Final = """\
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: llm}
spec: {podSelector: {}, policyTypes: [Egress]}
"""


def deployed(draft: Draft, manifest: str, *, signers: Mapping[str, str] = SIGNERS, more: str = "") -> None:
    """An image and the manifest that runs it."""
    text = config(
        [f'server: {{kind: container, image: "{IMAGE}"}}'],
        gates="",
        signers=signers,
        profile="profile.yaml",
        more=f"manifests: [{MANIFEST}]\n{more}",
    )
    draft.configure(text)
    draft.base["profile.yaml"] = profile(dict.fromkeys(["artifact.pinned", *CONTROLS], "enforce"))
    draft.change[MANIFEST] = manifest.encode()


@scenario(
    "allow/deploy-restricted",
    "A server that is confined, of an admitted image, without egress, bound to safetensors",
    passing=["artifact.pinned", *CONTROLS],
    words=["ALLOW"],
)
def _(draft: Draft) -> None:
    deployed(draft, SERVER + POLICY)


@scenario(
    "allow/deploy-image_pinned",
    "A server that mounts its model as an image that is admitted too",
    passing=["deploy.image_pinned", "deploy.restricted"],
)
def _(draft: Draft) -> None:
    volumes = f"      volumes: [{{name: model, image: {{reference: '{IMAGE}'}}}}]\n"
    deployed(draft, SERVER + volumes + POLICY)


@scenario(
    "allow/deploy-egress",
    "A server that reaches pods of its namespace, which the configuration lists",
    passing=["deploy.egress"],
)
def _(draft: Draft) -> None:
    deployed(draft, SERVER + POLICY.replace("[Egress]", "[Egress], egress: [{to: [{podSelector: {}}]}]"))
    draft.base["gate.yaml"] += b"parameters: {deploy.egress: {allowed: [pods]}}\n"


@scenario(
    "allow/deploy-safe_loading",
    "A server that reads models of a format that is data",
    passing=["deploy.safe_loading"],
)
def _(draft: Draft) -> None:
    command = "command: [llama-server, -m, /models/model.gguf]"
    text = SERVER.replace("command: [vllm, serve, /models]", command).replace(
        "args: [--load-format, safetensors]", "args: []"
    )
    deployed(draft, text + POLICY)


def library(name: str, version: str) -> Mapping[str, object]:
    """A component with a package URL."""
    purl = f"pkg:pypi/{name}@{version}"
    return {"type": "library", "bom-ref": name, "name": name, "version": version, "purl": purl}


def installed(draft: Draft, torch: str) -> None:
    """A server that needs new versions, and a signed bill of materials of its image with one component in another."""
    deployed(draft, SERVER + POLICY, signers={**SIGNERS, "release": "claims: [sbom]"}, more=MINIMUMS)
    outer = {**library("vllm", "0.18.0"), "components": [library("torch", torch)]}
    document = bill(hashed("container", "server", b"server"), [outer], "complete")
    about = [{"name": IMAGE, "digest": {"sha256": DIGEST}}]
    draft.evidence["server.cdx.json"] = bundle(statement(CYCLONEDX, about, document), key("release"))


@scenario(
    "allow/deploy-minimum_versions",
    "A server whose image has versions that load weights safely",
    passing=["deploy.safe_loading"],
)
def _(draft: Draft) -> None:
    installed(draft, "2.10.0")


@scenario(
    "deny/deploy-old_version",
    "A server whose image has an old version inside another component",
    13,
    failing=["deploy.safe_loading"],
    passing=["deploy.egress", "deploy.image_pinned", "deploy.restricted"],
    words=["deploy.safe_loading", "pkg:pypi/torch 2.9.1, older than 2.10"],
)
def _(draft: Draft) -> None:
    installed(draft, "2.9.1")


@scenario(
    "deny/deploy-unknown_version",
    "A server whose image has a pre-release, of which nobody can tell whether it is new enough",
    13,
    failing=["deploy.safe_loading"],
    passing=["deploy.egress", "deploy.image_pinned", "deploy.restricted"],
    words=["deploy.safe_loading", "2.10.0rc1, which cannot be compared with 2.10"],
)
def _(draft: Draft) -> None:
    installed(draft, "2.10.0rc1")


@scenario(
    "deny/deploy-restricted",
    "A server that may gain privileges and mounts a folder of the host",
    13,
    failing=["deploy.restricted"],
    passing=["deploy.egress", "deploy.image_pinned", "deploy.safe_loading"],
    words=["deploy.restricted", "privileges", "hostPath"],
)
def _(draft: Draft) -> None:
    text = SERVER.replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true")
    deployed(draft, text + "      volumes: [{name: all, hostPath: {path: /}}]\n" + POLICY)


@scenario(
    "deny/deploy-image_pinned",
    "A server with a second container of an image that nobody admitted, by a tag",
    13,
    failing=["deploy.image_pinned"],
    passing=["deploy.egress", "deploy.restricted", "deploy.safe_loading"],
    words=["deploy.image_pinned", "container proxy"],
)
def _(draft: Draft) -> None:
    container = SERVER[SERVER.index("        - name: server") :]
    second = container.replace("name: server", "name: proxy").replace(IMAGE, "registry.example/proxy:1")
    second = second.replace("command: [vllm, serve, /models]", "command: [proxy]")
    deployed(draft, SERVER + second + POLICY)


@scenario(
    "deny/deploy-egress",
    "A server that no network policy selects",
    13,
    failing=["deploy.egress"],
    passing=["deploy.image_pinned", "deploy.restricted", "deploy.safe_loading"],
    words=["deploy.egress", "network policy"],
)
def _(draft: Draft) -> None:
    deployed(draft, SERVER + POLICY.replace("podSelector: {}", "podSelector: {matchLabels: {role: other}}"))


@scenario(
    "deny/deploy-safe_loading",
    "A server that runs code out of the model's repository",
    13,
    failing=["deploy.safe_loading"],
    passing=["deploy.egress", "deploy.image_pinned", "deploy.restricted"],
    words=["deploy.safe_loading", "--trust-remote-code"],
)
def _(draft: Draft) -> None:
    deployed(draft, SERVER.replace("safetensors]", "safetensors, --trust-remote-code]") + POLICY)


@scenario(
    "deny/deploy-unknown-kind",
    "An object of a kind that could carry pods, nobody knows where",
    13,
    failing=list(CONTROLS),
    words=["ModelServer"],
)
def _(draft: Draft) -> None:
    deployed(draft, SERVER + POLICY + "---\napiVersion: serving.example/v1\nkind: ModelServer\nmetadata: {name: x}\n")
