"""What a webhook judges, made here: settings, attestations about container images, and pods that run them.

No two images share a digest, an attestation or a signature, and no two pods a name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gate.app.workspace import Request, Workspace, open_workspace
from gate.collect.directory import collect_artifact
from gate.formats.rfc3339 import format_time
from gate.formats.workloads.interface import read_workloads
from gate.model.artifact import Artifact, ArtifactKind
from gate.model.digest import sha256_digest
from gate.model.evidence import Evidence
from gate.model.settings import ArtifactSettings
from gate.model.workload import Manifest, Workload
from gate.verify.cache import SignatureCache
from gate.verify.trust import build_trust_store
from tools.scenario_draft import config
from tools.scenario_evidence import bundle, key, provenance, result_of_tests, statement
from tools.scenarios_bills import CYCLONEDX, bill
from tools.scenarios_deployed import IMAGE as SERVER_IMAGE
from tools.scenarios_deployed import SERVER, library

NOW_S: Final = 1795176000
"""2026-11-20T12:00:00Z."""
REPOSITORY: Final = "registry.example/llm/server"
PACKAGES: Final = 60
"""In the bill of materials of an image."""
BUNDLES: Final = 5
SIGNERS: Final = {
    "release": "claims: [artifact.signature, sbom, test.result]",
    "builder": 'claims: ["build.*"]',
    "approver": "claims: [scan.report]",
}
_PROFILE: Final = """\
name: cluster
description: What the baseline asks of an image and of how it runs, and how it loads models.
extends: baseline
controls:
  deploy.safe_loading: {mode: enforce}
  sbom.complete: {mode: enforce}
  sbom.signed: {mode: enforce}
parameters:
  deploy.safe_loading: {minimum_versions: {pkg:pypi/torch: "2.10", pkg:pypi/vllm: "0.18"}}
  scan.vulnerabilities: {max_severity: medium, kinds: [container], observed: true}
"""
_VULNS: Final = "https://in-toto.io/attestation/vulns/v0.2"
_COSIGN: Final = "https://sigstore.dev/cosign/sign/v1"


@dataclass(frozen=True, slots=True)
class Image:
    """An image by digest, with what is attached to it and the pod that runs it."""

    reference: str
    digest: str
    items: tuple[Evidence, ...]
    workload: Workload


def lay_settings(folder: Path, profile: str = "profile.yaml", more: str = "") -> None:
    """The files of a configuration: keys, a profile of this module, and `gate.yaml` without artifacts and evidence."""
    (folder / "keys").mkdir(parents=True)
    for name in SIGNERS:
        (folder / "keys" / f"{name}.pub").write_bytes(key(name).pem)
    text = config((), gates="", signers=SIGNERS, profile=profile)
    text = text.replace(b"evidence:\n  - directory: .gate/attestations\n", b"")
    (folder / "gate.yaml").write_bytes(text + more.encode())
    (folder / "profile.yaml").write_text(_PROFILE)


def settings_in(folder: Path, profile: str = "profile.yaml") -> Workspace:
    """The opened configuration of a webhook that judges with a profile: that of this module, or a packaged one."""
    lay_settings(folder, profile, "admission: {registries: {registry.example: {}}}\n")
    request = Request(folder, folder, "gate.yaml", None, config_from_worktree=True, now_s=NOW_S)
    workspace = open_workspace(request)
    return replace(workspace, trust=build_trust_store(workspace.settings.trust, NOW_S, SignatureCache()))


def image(number: int, packages: int = PACKAGES) -> Image:
    """One of many images that pass."""
    digest = sha256_digest(f"image {number}".encode())
    reference = f"{REPOSITORY}@{digest}"
    payloads = statements(reference, digest, packages)
    items = [Evidence(f"{reference} {name}", data) for name, data in signed(payloads).items()]
    manifest = SERVER.replace(SERVER_IMAGE, reference).replace(
        "name: server, namespace", f"name: server-{number}, namespace"
    )
    (workload,) = read_workloads([Manifest(f"pod-{number}", manifest.encode())]).values()
    return Image(reference, digest, tuple(items), workload)


def statements(
    reference: str, digest: str, packages: int = PACKAGES, at_s: int = NOW_S
) -> Mapping[str, tuple[str, bytes]]:
    """What is said of an image an hour before some time: by name the signer and the payload."""
    word, then = digest.removeprefix("sha256:"), format_time(at_s - 3600)
    about = [{"name": reference.partition("@")[0], "digest": {"sha256": word}}]
    scan = {
        "scanner": {
            "uri": "pkg:golang/example.com/scanner",
            "version": "0.104.0",
            "db": {"uri": "https://db.example", "version": "6", "lastUpdate": then},
            "result": [{"id": f"CVE-2026-{n:04}", "severity": [{"method": "nvd", "score": "low"}]} for n in range(5)],
        },
        "metadata": {"scanStartedOn": then, "scanFinishedOn": then},
    }
    return {
        "signature": ("release", statement(_COSIGN, about, {})),
        "provenance": ("builder", provenance(about, finished=then)),
        "sbom": ("release", statement(CYCLONEDX, about, _bill(reference, word, packages))),
        "scan": ("approver", statement(_VULNS, about, scan)),
        "tests": ("release", result_of_tests(about)),
    }


def signed(payloads: Mapping[str, tuple[str, bytes]]) -> Mapping[str, bytes]:
    """Each statement in a bundle."""
    return {name: bundle(payload, key(signer)) for name, (signer, payload) in payloads.items()}


def _bill(reference: str, word: str, packages: int) -> Mapping[str, object]:
    hashes = [{"alg": "SHA-256", "content": word}]
    root = {"type": "container", "bom-ref": "image", "name": reference, "hashes": hashes}
    known = [library("vllm", "0.18.0"), library("torch", "2.10.0")]
    others: Sequence[Mapping[str, object]] = [
        {**library(f"package-{n}", f"1.{n}.0"), "licenses": [{"license": {"id": "MIT"}}]} for n in range(packages - 2)
    ]
    return bill(root, [*known, *others], "complete")


def asking_for(workspace: Workspace, images: Sequence[Image]) -> tuple[Workspace, Mapping[str, Artifact]]:
    """The workspace of a request for some images, and what asks for admission in it."""
    settings = workspace.settings
    asked = {
        one.reference: ArtifactSettings(one.reference, ArtifactKind.CONTAINER, None, one.reference, None)
        for one in images
    }
    artifacts = {name: collect_artifact(workspace.root, entry, settings.limits) for name, entry in asked.items()}
    return replace(workspace, settings=replace(settings, artifacts=asked)), artifacts
