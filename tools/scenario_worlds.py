"""The good world of each kind of artifact, for each environment: what every attack of the matrix starts from.

A world asks for more than the profile `baseline`, and brings the evidence for it. An attack is told as what it changes:
before all is attested, by people who mean well and do not see it, or after that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tools.scenario_collected import STYLE, below, collected, training, tree_digest
from tools.scenario_draft import MODEL, MODEL_ARTIFACT, MODEL_GATE, WEIGHTS, Draft, config, scenario
from tools.scenario_evidence import (
    bundle,
    key,
    model_signature,
    provenance,
    safetensors,
    sha256,
    statement,
    subjects,
)
from tools.scenario_threats import CROSSED, KINDS, TARGETS
from tools.scenarios_bills import CYCLONEDX, bill, hashed
from tools.scenarios_built import BUILDER, COMMIT, REPOSITORY
from tools.scenarios_deployed import DIGEST as IMAGE_DIGEST
from tools.scenarios_deployed import IMAGE as IMAGE_REFERENCE
from tools.scenarios_deployed import POLICY, SERVER, library
from tools.scenarios_locked import PYPI, SOURCE, WHEEL, uv
from tools.scenarios_signals import HOURS, LOG, of_image, snapshot
from tools.scenarios_templates import GOOD as TEMPLATE

ROWS: Final = "data/rows.csv"
ROWS_ARTIFACT: Final = f"rows: {{kind: dataset, path: {ROWS}}}"
TABLE: Final = "data/tickets"
SERVICE: Final = "service"
LOCK: Final = f"{SERVICE}/uv.lock"
MANIFEST: Final = "deploy/server.yaml"
AUDIT: Final = "audit.json"
GRYPE: Final = "grype.json"
SIGNERS: Final = {
    "release": "claims: [artifact.signature, dataset, eval, package.publication, sbom]",
    "builder": 'claims: ["build.*", "training.*"]',
    "approver": "claims: [vex]",
}
SOURCED: Final = {"uri": f"git+{REPOSITORY}@refs/heads/main", "digest": {"gitCommit": COMMIT}}
"""The commit that all is built from."""
EXPECTED: Final = f"""\
  build.parameters:
    expected:
      {BUILDER}/v1: {{source: "{REPOSITORY}", refs: [refs/heads/main], values: {{recipe: [r1]}}}}
"""


@dataclass(frozen=True)
class World:
    """What lies there, and what people who may do so state about it as it lies there."""

    lay: Callable[[Draft, str], None]
    attest: Callable[[Draft], None]


def asked(controls: Sequence[str], parameters: str = "") -> bytes:
    """A profile that asks for what `baseline` does, and for more."""
    lines = ["name: own", "description: The baseline and more.", "extends: baseline", "controls:"]
    lines += [f"  {control}: {{mode: enforce}}" for control in controls]
    return ("\n".join(lines) + "\n" + (f"parameters:\n{parameters}" if parameters else "")).encode()


def world(draft: Draft, target: str, artifacts: Sequence[str], profile: bytes, gates: str, more: str = "") -> None:
    """The configuration of a world."""
    text = config(artifacts, gates=gates, signers=SIGNERS, profile="profile.yaml", target=target, more=more)
    draft.configure(text, keys=tuple(SIGNERS))
    draft.base["profile.yaml"] = profile


def ask_also(draft: Draft, artifact: str, control: str, parameters: str = "") -> None:
    """One more artifact, and one more control."""
    draft.base["gate.yaml"] = draft.base["gate.yaml"].replace(b"\nevidence:", f"\n  {artifact}\nevidence:".encode())
    text = draft.base["profile.yaml"].decode()
    text = text.replace("controls:\n", f"controls:\n  {control}: {{mode: enforce}}\n")
    if parameters and "\nparameters:\n" not in text:
        text += "parameters:\n"
    draft.base["profile.yaml"] = (text + parameters).encode()


# -- weights and adapters ----------------------------------------------------------------------------------------------


def lay_weights(draft: Draft, target: str) -> None:
    """Retrained weights with a pinned chat template, and the rows that they were trained on."""
    pinned = json.dumps({"pinned": {"summarizer": [f"sha256:{sha256(TEMPLATE)}"]}})
    controls = ("build.parameters", "load.template_pinned", "training.data_lineage")
    profile = asked(controls, f"{EXPECTED}  load.template_pinned: {pinned}\n")
    world(draft, target, [MODEL_ARTIFACT, ROWS_ARTIFACT], profile, MODEL_GATE)
    draft.model()
    draft.base |= {ROWS: b"a,b\n1,2\n", f"{MODEL}/chat_template.jinja": TEMPLATE}


def sign(draft: Draft, name: str, top: str, signer: str = "release") -> None:
    """A signature over a folder, or over a file."""
    files = draft.files(top) or {top.rpartition("/")[2]: draft.only(top)[top]}
    named = name if draft.files(top) else top.rpartition("/")[2]
    draft.evidence[f"{name}.sigstore.json"] = bundle(model_signature(named, files), key(signer))


def attest_weights(draft: Draft) -> None:
    """Signatures of weights and rows, provenance of the build, and what was trained on what."""
    sign(draft, "summarizer", MODEL)
    sign(draft, "rows", ROWS)
    build(draft, "summarizer", draft.files(MODEL))
    trained(draft, "summarizer", MODEL)


def build(
    draft: Draft, name: str, files: Mapping[str, bytes], *, signer: str = "builder", branch: str = "main"
) -> None:
    """Provenance of a build from a branch."""
    source = {**SOURCED, "uri": f"git+{REPOSITORY}@refs/heads/{branch}"}
    draft.evidence[f"{name}-built.json"] = bundle(provenance(subjects(files), dependencies=[source]), key(signer))


def trained(draft: Draft, name: str, top: str, *, rows: bytes | None = None, base: str | None = None) -> bytes:
    """How a model or an adapter was trained; the payload."""
    datasets = {"rows": f"sha256:{sha256(draft.only(ROWS)[ROWS] if rows is None else rows)}"}
    based = {"summarizer": base} if base is not None else None
    payload = training(below(top, draft.files(top)), base=based, datasets=datasets)
    draft.evidence[f"{name}-trained.json"] = bundle(payload, key("builder"))
    return payload


def lay_adapter(draft: Draft, target: str) -> None:
    """An adapter beside its base, and the rows that it was tuned on."""
    adapter = f"style: {{kind: adapter, path: {STYLE}, base: summarizer}}"
    gate = '  - {id: G001, trigger_paths: ["models/**"], required_attestations: [artifact.signature]}\n'
    world(draft, target, [adapter, MODEL_ARTIFACT, ROWS_ARTIFACT], asked(["training.data_lineage"]), gate)
    draft.base |= {ROWS: b"a,b\n1,2\n", WEIGHTS: safetensors("one"), f"{MODEL}/config.json": b"{}\n"}
    draft.change[f"{STYLE}/adapter_config.json"] = b'{"peft_type": "LORA", "r": 8, "auto_map": {}}\n'
    draft.change[f"{STYLE}/adapter_model.safetensors"] = safetensors("style")


def attest_adapter(draft: Draft) -> None:
    """Signatures of adapter, base and rows, and how both were trained."""
    sign(draft, "style", STYLE)
    sign(draft, "summarizer", MODEL)
    sign(draft, "rows", ROWS)
    trained(draft, "summarizer", MODEL)
    trained(draft, "style", STYLE, base=tree_digest(draft.files(MODEL)))


# -- datasets ----------------------------------------------------------------------------------------------------------


def lay_dataset(draft: Draft, target: str) -> None:
    """Rows of which somebody says whose they are and what is in them."""
    gate = '  - {id: G001, trigger_paths: ["data/**"], required_attestations: [artifact.signature, dataset]}\n'
    world(draft, target, [f"tickets: {{kind: dataset, path: {TABLE}}}"], asked(["dataset.governed"]), gate)
    draft.base[f"{TABLE}/rows-1.jsonl"] = b'{"text": "It does not start.", "label": "hardware"}\n'
    draft.change[f"{TABLE}/rows-2.jsonl"] = b'{"text": "I forgot my password.", "label": "account"}\n'


def attest_dataset(draft: Draft) -> None:
    """A signature over all files, and the statement of their owner."""
    sign(draft, "tickets", TABLE)
    govern(draft)


def owned(files: Mapping[str, bytes], *depends_on: bytes, personal_data: bool = False) -> bytes:
    """What an owner says of rows."""
    return collected(
        "dataset",
        {"files": files},
        depends_on=depends_on,
        sources={},
        owner="data team",
        classification="internal",
        license="CC0-1.0",
        personal_data=personal_data,
    )


def govern(draft: Draft, *depends_on: bytes, personal_data: bool = False) -> bytes:
    """What the owner of the rows says of them; the payload."""
    payload = owned(below(TABLE, draft.files(TABLE)), *depends_on, personal_data=personal_data)
    draft.evidence["tickets-owned.json"] = bundle(payload, key("release"))
    return payload


# -- packages ----------------------------------------------------------------------------------------------------------

HOSTED: Final = f'  builders:\n    hosted: {{id: "{BUILDER}", signers: [builder], level: 3}}\n'
_PACKAGE_PARAMETERS: Final = """\
  deps.pinned: {attested: ["*"], own: [service]}
  scan.vulnerabilities: {max_severity: medium, kinds: [package], observed: true}
"""


def lay_package(draft: Draft, target: str) -> None:
    """A service with a lock file, whose dependency was searched for vulnerabilities."""
    gate = '  - {id: G001, trigger_paths: ["service/**"], required_attestations: [artifact.signature]}\n'
    profile = asked(["build.level", "deps.pinned"], _PACKAGE_PARAMETERS)
    more = f"reports:\n  - {{tool: pip-audit, path: .gate/reports/{AUDIT}, artifact: service}}\n"
    world(draft, target, [f"service: {{kind: package, path: {SERVICE}}}"], profile, gate, more)
    draft.base["gate.yaml"] = draft.base["gate.yaml"].replace(b"gates:\n", HOSTED.encode() + b"gates:\n")
    draft.base[f"{SERVICE}/pyproject.toml"] = b'[project]\nname = "service"\nversion = "0.1"\n'
    draft.base[LOCK] = uv('registry = "https://index.example/simple"').replace(b'version = "1.2"', b'version = "1.1"')
    draft.change[LOCK] = uv('registry = "https://index.example/simple"')
    audit(draft)


def audit(draft: Draft, *vulnerabilities: Mapping[str, object]) -> None:
    """What pip-audit says of the one dependency."""
    listed = [{"name": "acme-tool", "version": "1.2", "vulns": list(vulnerabilities)}]
    draft.reports[AUDIT] = json.dumps({"dependencies": listed, "fixes": []}).encode()


def attest_package(draft: Draft) -> None:
    """A signature over the service, provenance of it, and the publication of both files of its dependency."""
    sign(draft, "service", SERVICE)
    build(draft, "service", draft.files(SERVICE))
    publish(draft)


def publish(draft: Draft, wheel: str = WHEEL) -> None:
    """What the index says of the files of the dependency."""
    for name, digest in {"acme_tool-1.2-py3-none-any.whl": wheel, "acme_tool-1.2.tar.gz": SOURCE}.items():
        published = statement(PYPI, [{"name": name, "digest": {"sha256": digest}}], {})
        draft.evidence[f"{name}.sigstore.json"] = bundle(published, key("release"))


# -- containers --------------------------------------------------------------------------------------------------------

_MINIMUMS: Final = '{minimum_versions: {pkg:pypi/torch: "2.10", pkg:pypi/vllm: "0.18"}}'
_CONTAINER_PARAMETERS: Final = f"""\
  deploy.safe_loading: {_MINIMUMS}
  scan.vulnerabilities: {{max_severity: medium, kinds: [container], observed: true}}
"""
_WATCHED: Final = "  runtime.quiet: {observed: true}\n"
ABOUT_IMAGE: Final = [{"name": IMAGE_REFERENCE, "digest": {"sha256": IMAGE_DIGEST}}]


def lay_container(draft: Draft, target: str) -> None:
    """A confined server or job of an image by digest; one that is deployed was watched for a day."""
    is_watched = target == "deployment"
    controls = ["deploy.egress", "deploy.safe_loading", *(["runtime.quiet"] if is_watched else [])]
    profile = asked(controls, _CONTAINER_PARAMETERS + (_WATCHED if is_watched else ""))
    more = f"manifests: [{MANIFEST}]\nreports:\n  - {{tool: grype, path: .gate/reports/{GRYPE}, artifact: server}}\n"
    more += f"signals:\n  - {{plugin: falco, path: {LOG}, artifact: server}}\n" if is_watched else ""
    world(draft, target, [f'server: {{kind: container, image: "{IMAGE_REFERENCE}"}}'], profile, "", more)
    draft.change[MANIFEST] = (server(target) + POLICY).encode()
    searched(draft)
    if is_watched:
        watched(draft)


def server(target: str) -> str:
    """The manifest that runs the image: a service where it is deployed, else a job."""
    if target == "deployment":
        return SERVER
    text = SERVER.replace("apiVersion: apps/v1\nkind: Deployment", "apiVersion: batch/v1\nkind: Job")
    return text.replace(
        "      automountServiceAccountToken", "      restartPolicy: Never\n      automountServiceAccountToken"
    )


def searched(draft: Draft, *matches: Mapping[str, object]) -> None:
    """What Grype says of the image."""
    target = {"userInput": IMAGE_REFERENCE.partition("@")[0], "manifestDigest": f"sha256:{IMAGE_DIGEST}"}
    database = {"status": {"built": "2026-11-20T01:00:00Z", "valid": True}}
    draft.reports[GRYPE] = json.dumps(
        {
            "matches": list(matches),
            "source": {"type": "image", "target": target},
            "descriptor": {"name": "grype", "version": "0.104.0", "db": database},
        }
    ).encode()


def match(name: str, severity: str) -> Mapping[str, object]:
    """A finding of Grype in a package of the image."""
    return {
        "vulnerability": {"id": "CVE-2026-0001", "severity": severity, "fix": {"versions": ["1.3.1"]}},
        "relatedVulnerabilities": [],
        "artifact": {
            "name": name,
            "version": "1.2.13",
            "type": "deb",
            "purl": f"pkg:deb/debian/{name}@1.2.13?arch=amd64",
        },
    }


def watched(draft: Draft, *alerts: str) -> None:
    """The log of a day, in which the image started and something happened, or nothing."""
    lines = [snapshot(hours) for hours in range(HOURS, -1, -1)]
    lines[1:1] = [of_image(HOURS * 60 - 5, "Container started", "Notice"), *alerts]
    draft.reports["falco.jsonl"] = ("\n".join(lines) + "\n").encode()


def attest_container(draft: Draft) -> None:
    """A signature as cosign makes it, provenance, and the bill of materials of the image."""
    signature = statement("https://sigstore.dev/cosign/sign/v1", ABOUT_IMAGE, {})
    draft.evidence["server.json"] = bundle(signature, key("release"))
    draft.evidence["server-built.json"] = bundle(provenance(ABOUT_IMAGE, dependencies=[SOURCED]), key("builder"))
    contains(draft)


def contains(draft: Draft, torch: str = "2.10.0") -> None:
    """The bill of materials of the image."""
    outer = {**library("vllm", "0.18.0"), "components": [library("torch", torch)]}
    document = bill(hashed("container", "server", b"server"), [outer], "complete")
    draft.evidence["server.cdx.json"] = bundle(statement(CYCLONEDX, ABOUT_IMAGE, document), key("release"))


WORLDS: Final[Mapping[str, World]] = {
    "weights": World(lay_weights, attest_weights),
    "adapter": World(lay_adapter, attest_adapter),
    "dataset": World(lay_dataset, attest_dataset),
    "package": World(lay_package, attest_package),
    "container": World(lay_container, attest_container),
}
_PLACE: Final = re.compile(
    rf"(?:allow|deny|unseen)/(?P<kind>{'|'.join(KINDS)})(?:-(?P<threat>{'|'.join(CROSSED)}))?-(?P<target>{'|'.join(TARGETS)})(?:-.+)?"
)
Told = Callable[[Draft], None]


def cell(
    place: str,
    title: str,
    exit_code: int = 0,
    failing: Sequence[str] = (),
    *,
    attested: bool = True,
    because: str | None = None,
    seen_by: Sequence[str] = (),
) -> Callable[[Told], Told]:
    """Adds a scenario of the matrix, `<outcome>/<kind>-<threat>-<target>`, that the decorated function tells.

    What it changes is `attested` like the rest, or changed after that. Its twin is good, of its name, or the world.
    """
    found = _PLACE.fullmatch(place)
    assert found is not None, place
    kind, threat, target = found["kind"], found["threat"], found["target"]

    def add(tell: Told) -> Told:
        def told(draft: Draft) -> None:
            WORLDS[kind].lay(draft, target)
            if not attested:
                WORLDS[kind].attest(draft)
            tell(draft)
            if attested:
                WORLDS[kind].attest(draft)

        near = f"allow/{kind}-{target}"
        if place.startswith("allow/"):
            scenario(place, title, kind=kind)(told)
        else:
            scenario(
                place,
                title,
                exit_code,
                failing=failing,
                threat=threat,
                kind=kind,
                twin=near,
                because=because,
                seen_by=seen_by,
            )(told)
        return tell

    return add


def nothing(_: Draft) -> None:
    """The good world as it is."""


for _kind in KINDS:
    for _target in TARGETS:
        if (_kind, _target) not in {("adapter", "training"), ("dataset", "deployment")}:
            cell(f"allow/{_kind}-{_target}", f"A good {_kind} that asks for {_target}")(nothing)
