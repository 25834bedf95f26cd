"""Good evidence of others: key kind x log x carrier x predicate x statement version. Each combination is allowed.

The predicates are the examples of their specifications, made about a file that asks for admission; a gate demands their
claim for it. Every predicate type comes with every way of signing, and with as many carriers.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from gate.app.check import check
from gate.app.workspace import Request
from gate.formats.predicates import claims_of
from gate.model.decision import Verdict
from tests.support.evidence import NOW_S, SigningKey, bundle_value, make_key
from tests.support.keyless import root_bytes
from tests.support.virtual_bundles import ED25519, P256, P384, LeafKey, bundle, promised
from tests.support.virtual_sigstore import ISSUER, WORKFLOW
from tools.scenario_evidence import provenance, provenance_v02, subjects

VECTORS: Final = Path(__file__).parents[1] / "vectors"
NAME: Final = "model.json"
DATA: Final = b'{"weights": [1, 2, 3]}\n'
ABOUT: Final = {"name": NAME, "digest": {"sha256": hashlib.sha256(DATA).hexdigest()}}
OTHER_TYPE: Final = "https://acme.example/attestation/red-team/v1"
PROFILE: Final = """\
controls:
  change.attested: {mode: enforce}
  evidence.accepted: {mode: enforce}
  artifact.pinned: {mode: enforce}
  chain.valid: {mode: enforce}
"""
# What covers no file, or says nothing good of it, so that no gate on files is content with it.
NOT_GOOD: Final = {"source-summary", "cosign-vuln"}


def bill(path: str) -> Any:
    return json.loads((VECTORS / "bom" / path).read_bytes())


def predicates() -> dict[str, tuple[str, Any]]:
    """Type and predicate by a name for people."""
    found: dict[str, tuple[str, Any]] = {}
    for path in sorted((VECTORS / "predicates").glob("*.json")):
        value = json.loads(path.read_bytes())
        if path.stem.startswith("vulnerabilities"):
            value["predicate"]["scanner"]["result"] = []
        if path.stem not in NOT_GOOD:
            found[path.stem] = value["predicateType"], value.get("predicate")
    for name, payload in {"slsa-v1": provenance(subjects({NAME: DATA})), "slsa-v0.2": provenance_v02([ABOUT])}.items():
        value = json.loads(payload)
        found[name] = value["predicateType"], value["predicate"]
    for version in ("1.4", "1.5", "1.6", "1.7"):
        found[f"cyclonedx-{version}"] = "https://cyclonedx.org/bom", bill(f"cyclonedx/valid-dependency-{version}.json")
    found["cyclonedx-ml"] = "https://cyclonedx.org/bom/v1.6", bill("cyclonedx/valid-machine-learning-1.6.json")
    found["spdx-2.3"] = "https://spdx.dev/Document/v2.3", bill("spdx/SPDXJSONExample-v2.3.spdx.json")
    found["spdx-3"] = "https://spdx.dev/Document", bill("spdx/ai-example05.spdx3.json")
    found["another"] = OTHER_TYPE, {"rounds": 3, "score": 0.5}
    return found


PREDICATES: Final = predicates()


def statement(name: str, version: str) -> bytes:
    kind, predicate = PREDICATES[name]
    value = {"_type": f"https://in-toto.io/Statement/{version}", "subject": [ABOUT], "predicateType": kind}
    return json.dumps({**value, "predicate": predicate}).encode()


Signed = dict[str, Any]
MANAGED: Final = ("ed25519", "p256", "p384", "rsa-pss", "rsa-pkcs1")
# What made the certificate's signature, and the kind of log entry that it has.
KEYLESS: Final[dict[str, tuple[LeafKey, str | None]]] = {
    "p256 in a first log": (P256, "dsse/0.0.1"),
    "p256 in a second log": (P256, "hashedrekord/0.0.2"),
    "p384 in a first log": (P384, "hashedrekord/0.0.1"),
    "p384 in a second log": (P384, "hashedrekord/0.0.2"),
    "ed25519 in a second log": (ED25519, "dsse/0.0.2"),
    "as npm signs": (P256, "intoto/0.0.2"),
    "with a timestamp alone": (P256, None),
}
SIGNERS: Final = (*MANAGED, *KEYLESS)


def key_of(kind: str) -> SigningKey:
    return make_key(f"good {kind}", kind)


def signed(payload: bytes, signer: str) -> Signed:
    if signer in MANAGED:
        return bundle_value(payload, key_of(signer))
    key, kind = KEYLESS[signer]
    return bundle(kind, key=key, content=payload)


def dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def first_version(found: Signed) -> Signed:
    """As bundles were before v0.3, with the promise of the log alone, where it makes one."""
    entries = found["verificationMaterial"]["tlogEntries"]
    if entries and "inclusionPromise" in entries[0]:
        return promised(found)
    material = dict(found["verificationMaterial"])
    material["x509CertificateChain"] = {"certificates": [material.pop("certificate")]}
    older = "application/vnd.dev.sigstore.bundle+json;version=0.2"
    return {**found, "mediaType": older, "verificationMaterial": material}


def pypi(found: Signed) -> Any:
    material, content = found["verificationMaterial"], found["dsseEnvelope"]
    stamps = material.get("timestampVerificationData", {}).get("rfc3161Timestamps", [])
    held = {
        "certificate": material["certificate"]["rawBytes"],
        "transparency_entries": material["tlogEntries"],
        **({"timestamps": [stamp["signedTimestamp"] for stamp in stamps]} if stamps else {}),
    }
    envelope = {"statement": content["payload"], "signature": content["signatures"][0]["sig"]}
    return {"version": 1, "verification_material": held, "envelope": envelope}


Carrier = Callable[[Signed], tuple[str, bytes]]
ANY: Final[dict[str, Carrier]] = {
    "a bundle": lambda found: ("a.sigstore.json", dump(found)),
    "lines": lambda found: ("a.jsonl", b"\n" + dump(found) + b"\n\n"),
    "a list of GitHub": lambda found: ("a.json", dump({"attestations": [{"repository_id": 1, "bundle": found}]})),
    "a list of npm": lambda found: ("a.json", dump({"attestations": [{"predicateType": "x", "bundle": found}]})),
}
WITH_CERTIFICATE: Final[dict[str, Carrier]] = {
    "an older bundle": lambda found: ("a.sigstore", dump(first_version(found))),
    "an attestation of PyPI": lambda found: ("a.publish.attestation", dump(pypi(found))),
    "a provenance of PyPI": lambda found: (
        "a.provenance",
        dump({"version": 1, "attestation_bundles": [{"publisher": {}, "attestations": [pypi(found)]}]}),
    ),
}
WITH_KEY: Final[dict[str, Carrier]] = {
    "an envelope": lambda found: ("a.dsse", dump(found["dsseEnvelope"])),
    "an envelope for the web": lambda found: ("a.att", dump(for_the_web(found["dsseEnvelope"]))),
}


def for_the_web(envelope: Any) -> Any:
    payload = base64.urlsafe_b64encode(base64.b64decode(envelope["payload"])).decode()
    return {**envelope, "payload": payload}


def combinations() -> Iterator[tuple[str, str, str, str]]:
    """Every predicate with every way of signing; carriers and statement versions take turns."""
    turns = {True: itertools.count(), False: itertools.count()}
    for predicate, signer in itertools.product(PREDICATES, SIGNERS):
        carriers = list({**ANY, **(WITH_KEY if signer in MANAGED else WITH_CERTIFICATE)})
        turn = next(turns[signer in MANAGED])
        yield predicate, signer, carriers[turn % len(carriers)], ("v1", "v0.1")[turn // len(carriers) % 2]


COMBINATIONS: Final = list(combinations())


def configuration(signer: str, claim: str) -> str:
    root = hashlib.sha256(root_bytes()).hexdigest()
    who = f"{{issuer: '{ISSUER}', subject: '{WORKFLOW}', timestamps_only: true}}"
    scheme = f", scheme: {key_of(signer).scheme}" if signer in MANAGED and key_of(signer).scheme else ""
    proof = f"key: keys/me.pub{scheme}" if signer in MANAGED else f"identity: {who}"
    return f"""\
version: 1
target: deployment
profile: profile.yaml
artifacts: {{model: {{kind: package, path: {NAME}}}}}
evidence: [{{directory: evidence}}]
drafts: [eval-result]
trust:
  signers: {{me: {{{proof}, claims: ['{claim}']}}}}
  sigstore: {{trusted_root: root.json, sha256: {root}}}
gates:
  - {{id: G, trigger_paths: [{NAME}], required_attestations: ['{claim}']}}
"""


def test_the_combinations_are_many_and_each_value_is_among_them() -> None:
    assert len(COMBINATIONS) >= 200
    carriers = {*ANY, *WITH_CERTIFICATE, *WITH_KEY}
    used = [set(column) for column in zip(*COMBINATIONS, strict=True)]
    assert used == [set(PREDICATES), set(SIGNERS), carriers, {"v1", "v0.1"}]


@pytest.mark.parametrize(("predicate", "signer", "carrier", "version"), COMBINATIONS)
def test_it_is_allowed(tmp_path: Path, predicate: str, signer: str, carrier: str, version: str) -> None:
    (claim, *_) = claims_of(PREDICATES[predicate][0]) or (OTHER_TYPE,)
    found = signed(statement(predicate, version), signer)
    name, data = (ANY | WITH_CERTIFICATE | WITH_KEY)[carrier](found)
    files = {
        "gate.yaml": configuration(signer, claim).encode(),
        "profile.yaml": PROFILE.encode(),
        "root.json": root_bytes(),
        NAME: DATA,
        f"evidence/{name}": data,
        **({"keys/me.pub": key_of(signer).pem} if signer in MANAGED else {}),
    }
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    decision = check(Request(tmp_path, tmp_path, "gate.yaml", None, False, NOW_S)).decision
    assert [item.detail for item in decision.rejected] == []
    assert decision.verdict is Verdict.ALLOW, [
        (control.info.id, [entry.violation.message for entry in control.violations])
        for control in decision.controls.values()
    ]
    assert [item.claim for item in decision.verified] == [claim]
