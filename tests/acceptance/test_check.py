"""`gate check` against forged, changed, missing and good evidence. A wrong ALLOW is the worst defect there is."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gate.errors import EvidenceError
from tests.acceptance.world import MODEL, NOW, SETTINGS, WEIGHTS, World, safetensors
from tools.scenario_draft import PROMPT_GATE, SIGNERS, config, profile
from tools.scenario_evidence import (
    BUNDLE,
    IN_TOTO,
    Key,
    bundle,
    encode,
    envelope,
    envelope_value,
    issue,
    key,
    model_signature,
    modelscan,
    own,
    pae,
    provenance,
    sarif,
    sha256,
    subjects,
)

PROVENANCE = "provenance.dsse.json"
SIGNATURE = "signature.sigstore.json"
MODELSCAN = "reports:\n  - {tool: modelscan, path: .gate/modelscan.json, artifact: summarizer}\n"
SARIF = 'reports:\n  - {tool: sarif, path: ".gate/*.sarif"}\n'
REFUSALS = {10, 11, 12, 13, 14}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def remade(world: World, text: bytes, keys: tuple[str, ...] = tuple(SIGNERS)) -> World:
    """The same world under another configuration."""
    world.on_main({"gate.yaml": text, **{f"keys/{name}.pub": key(name).pem for name in keys}})
    return world


def test_good_evidence_is_allowed(world: World) -> None:
    decision = world.check().decision
    assert decision["verdict"] == "allow"
    statuses = {name: control["status"] for name, control in decision["controls"].items()}
    # Nothing was collected or deployed, no model was tuned, there is no image and nothing is waived or searched.
    idle = {"chain.valid", "container.provenance", "container.signed", "eval.binds", "eval.passed"}
    idle |= {"deploy.image_pinned", "deploy.restricted", "scan.secrets", "scan.vulnerabilities"}
    idle |= {"training.base_lineage", "waiver.valid"}
    assert statuses == {name: "not_applicable" if name in idle else "pass" for name in statuses}
    assert len(statuses) == 24
    assert set(decision["digests"]) == {"input", "policy", "configuration", "trust", "rules"}
    assert all(digest.startswith("sha256:") for digest in decision["digests"].values())
    change = decision["subject"]["change"]
    assert change["head"] == world.git("rev-parse", "HEAD")
    assert change["base"] == change["merge_base"] == world.git("rev-parse", "main")
    assert decision["evidence"]["rejected"] == []
    assert len(decision["evidence"]["verified"]) == 2


def test_nothing_attested_is_missing(world: World) -> None:
    for path in (world.root / ".gate/attestations").iterdir():
        path.unlink()
    done = world.judge()
    assert done.code == 10
    assert done.failing == {"artifact.integrity", "artifact.signed", "build.provenance", "change.attested"}


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        (SIGNATURE, {"artifact.integrity", "artifact.signed", "change.attested"}),
        (PROVENANCE, {"build.provenance", "change.attested"}),
    ],
)
def test_one_of_two_is_missing(world: World, name: str, missing: set[str]) -> None:
    (world.root / ".gate/attestations" / name).unlink()
    done = world.judge()
    assert done.code == 10
    assert done.failing == missing


# -- containers that are none ------------------------------------------------------------------------------------------

Json = dict[str, Any]
Forge = Callable[[Json, bytes], bytes]


def as_bytes(change: Callable[[Json, bytes], object]) -> Forge:
    """A changed envelope; what a function returns takes its place."""

    def forge(value: Json, payload: bytes) -> bytes:
        found = change(value, payload)
        return encode(value if found is None else found)

    return forge


def signed_over(data: Callable[[bytes], bytes], kind: str = IN_TOTO) -> Forge:
    def forge(value: Json, payload: bytes) -> bytes:
        signature = b64(key("builder").sign(data(payload)))
        return encode({**value, "payloadType": kind, "signatures": [{"sig": signature}]})

    return forge


def wrapped(**more: object) -> Forge:
    def forge(value: Json, _payload: bytes) -> bytes:
        frame = {"mediaType": BUNDLE, "verificationMaterial": {"publicKey": {"hint": "x"}}, "dsseEnvelope": value}
        return encode({name: item for name, item in {**frame, **more}.items() if item is not ...})

    return forge


def literal(data: bytes) -> Forge:
    return lambda _value, _payload: data


def with_signature(text: Callable[[str], object]) -> Forge:
    def change(value: Json, _payload: bytes) -> None:
        value["signatures"][0]["sig"] = text(value["signatures"][0]["sig"])

    return as_bytes(change)


def r_and_s(value: Json, _payload: bytes) -> object:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature(base64.b64decode(value["signatures"][0]["sig"]))
    raw = r.to_bytes(32) + s.to_bytes(32)
    return {**value, "signatures": [{"sig": b64(raw)}]}


def with_embedded_key(_value: Json, payload: bytes) -> object:
    stranger = envelope_value(payload, key("stranger"))
    signature: Json = stranger["signatures"][0]  # type: ignore[index]
    return {**stranger, "signatures": [{**signature, "public_key_pem": key("stranger").pem.decode()}]}


CONTAINERS: Mapping[str, Forge] = {
    "nothing": literal(b""),
    "white space": literal(b" \n"),
    "half of an object": literal(b"{"),
    "an array": literal(b"[]"),
    "null": literal(b"null"),
    "a number": literal(b"1"),
    "a string": literal(b'"payload"'),
    "binary": literal(bytes(range(256))),
    "UTF-16": literal("{}".encode("utf-16")),
    "deep arrays": literal(b"[" * 100_000),
    "deep objects": literal(b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
    "a zip": literal(b"PK\x03\x04" + bytes(100)),
    "not a number": literal(b'{"payload":NaN,"payloadType":"x","signatures":[]}'),
    "a payload alone": literal(b'{"payload":"x"}'),
    "a mark of byte order": lambda value, _: b"\xef\xbb\xbf" + encode(value),
    "two documents": lambda value, _: encode(value) * 2,
    "a comment": lambda value, _: encode(value) + b"// good",
    "cut": lambda value, _: encode(value)[:-1],
    "a key twice": lambda value, _: encode(value).replace(b'{"payloadType"', b'{"payload":"","payloadType"', 1),
    "a signature twice": lambda value, _: encode(value).replace(b'{"keyid":""', b'{"sig":"","keyid":""', 1),
    "another type": as_bytes(lambda value, _: {**value, "payloadType": "application/json"}),
    "type in capitals": as_bytes(lambda value, _: {**value, "payloadType": IN_TOTO.upper()}),
    "type that is no text": as_bytes(lambda value, _: {**value, "payloadType": [IN_TOTO]}),
    "an unknown member": as_bytes(lambda value, _: {**value, "note": 1}),
    "no payload": as_bytes(lambda value, _: {k: v for k, v in value.items() if k != "payload"}),
    "no signatures": as_bytes(lambda value, _: {k: v for k, v in value.items() if k != "signatures"}),
    "an empty list of signatures": as_bytes(lambda value, _: {**value, "signatures": []}),
    "signatures that are no list": as_bytes(lambda value, _: {**value, "signatures": {}}),
    "a signature that is text": as_bytes(lambda value, _: {**value, "signatures": ["x"]}),
    "a hundred signatures": as_bytes(lambda value, _: {**value, "signatures": value["signatures"] * 100}),
    "an empty signature": with_signature(lambda _: ""),
    "no signature at all": with_signature(lambda _: None),
    "a signature of zeros": with_signature(lambda _: b64(bytes(64))),
    "half a signature": with_signature(lambda text: b64(base64.b64decode(text)[:-4])),
    "a longer signature": with_signature(lambda text: b64(base64.b64decode(text) + b"\0")),
    "a flipped bit": with_signature(lambda text: b64(base64.b64decode(text)[:-1] + b"\x01")),
    "spaces in base64": with_signature(lambda text: text[:8] + "\n" + text[8:]),
    "no padding": with_signature(lambda text: text.rstrip("=")[:-1]),
    "r and s side by side": as_bytes(r_and_s),
    "the key inside": as_bytes(with_embedded_key),
    "signed without PAE": signed_over(lambda payload: payload),
    "signed with lengths in another order": signed_over(
        lambda payload: b"DSSEv1 %d %d %s %s" % (len(IN_TOTO), len(payload), IN_TOTO.encode(), payload)
    ),
    "signed as DSSE v2": signed_over(lambda payload: pae(payload).replace(b"DSSEv1", b"DSSEv2")),
    "signed over another type": signed_over(lambda payload: pae(payload, "text/plain"), IN_TOTO),
    "signed as another type": signed_over(lambda payload: pae(payload, "text/plain"), "text/plain"),
    "signed over the base64": signed_over(lambda payload: pae(base64.b64encode(payload))),
    "bundle of tomorrow": wrapped(mediaType=BUNDLE.replace("v0.3", "v0.9")),
    "bundle of yesterday": wrapped(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.0"),
    "bundle of no kind": wrapped(mediaType="application/json"),
    "bundle without a kind": wrapped(mediaType=...),
    "bundle without material": wrapped(verificationMaterial=...),
    "bundle with a certificate": wrapped(verificationMaterial={"certificate": {"rawBytes": "AA=="}}),
    "bundle with a chain": wrapped(verificationMaterial={"x509CertificateChain": {"certificates": []}}),
    "bundle with both": wrapped(verificationMaterial={"publicKey": {"hint": "x"}, "certificate": {"rawBytes": "AA=="}}),
    "bundle with key bytes": wrapped(verificationMaterial={"publicKey": {"hint": "x", "rawBytes": "AA=="}}),
    "bundle of a message": wrapped(dsseEnvelope=..., messageSignature={"signature": "AA=="}),
    "bundle of two things": wrapped(messageSignature={"signature": "AA=="}),
    "bundle without an envelope": wrapped(dsseEnvelope=...),
    "bundle with a note": wrapped(note=1),
}


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("instead", [True, False], ids=["instead", "beside"])
def test_forged_containers_are_refused(world: World, name: str, instead: bool) -> None:
    """In the place of good evidence, and also beside it: what nobody can read may be about what is at stake."""
    payload = world.provenance()
    forged = CONTAINERS[name](envelope_value(payload, key("builder")), payload)
    world.put(PROVENANCE if instead else "forged.json", forged)
    done = world.judge()
    assert done.code in {11, 14}
    assert "evidence.accepted" in done.failing
    assert instead == ("build.provenance" in done.failing)
    [refused] = done.decision["evidence"]["rejected"]
    assert refused["concern"] == "at_stake"
    assert refused["stage"] in {"envelope", "signature"}


# -- statements that do not hold ---------------------------------------------------------------------------------------


def changed(**members: object) -> Callable[[Json], object]:
    return lambda value: {name: item for name, item in {**value, **members}.items() if item is not ...}


def deeper(*keys: str, to: object = ...) -> Callable[[Json], object]:
    def change(value: Json) -> None:
        inner = value["predicate"]
        for name in keys[:-1]:
            inner = inner[name]
        if to is ...:
            del inner[keys[-1]]
        else:
            inner[keys[-1]] = to

    return change


def subject(**digest: str) -> list[object]:
    return [{"name": "model.safetensors", "digest": digest}]


STATEMENTS: Mapping[str, tuple[int, Callable[[Json], object]]] = {
    "version 0.1": (14, changed(_type="https://in-toto.io/Statement/v0.2")),
    "version 9": (14, changed(_type="https://in-toto.io/Statement/v9")),
    "no version": (14, changed(_type=...)),
    "no subject": (14, changed(subject=...)),
    "empty subjects": (14, changed(subject=[])),
    "subjects in an object": (14, changed(subject={})),
    "subject without a digest": (14, changed(subject=[{"name": "model.safetensors"}])),
    "subject by name alone": (14, changed(subject=[{"name": "model.safetensors", "digest": {}}])),
    "subject by SHA-1": (14, changed(subject=subject(sha1="0" * 40))),
    "subject by MD5": (14, changed(subject=subject(md5="0" * 32))),
    "capital digits": (14, changed(subject=subject(sha256="A" * 64))),
    "too few digits": (14, changed(subject=subject(sha256="0" * 63))),
    "prefixed digest": (14, changed(subject=subject(sha256="sha256:" + "0" * 64))),
    "another file of the name": (12, changed(subject=subject(sha256="0" * 64))),
    "another file by SHA-512": (12, changed(subject=subject(sha512="0" * 128))),
    "unknown predicate": (14, changed(predicateType="https://slsa.dev/provenance/v7")),
    "nearly known predicate": (14, changed(predicateType="https://slsa.dev/provenance/v1/")),
    "no predicate type": (14, changed(predicateType=...)),
    "predicate type that is a number": (14, changed(predicateType=1)),
    "no predicate": (14, changed(predicate=...)),
    "predicate in a list": (14, changed(predicate=[])),
    "no build": (14, deeper("buildDefinition")),
    "build of a number": (14, deeper("buildDefinition", to=3)),
    "no builder": (14, deeper("runDetails", "builder")),
    "builder without an id": (14, deeper("runDetails", "builder", to={})),
    "time that is none": (14, deeper("runDetails", "metadata", "finishedOn", to="yesterday")),
    "time as a number": (14, deeper("runDetails", "metadata", "finishedOn", to=3)),
    "inputs that are text": (14, deeper("buildDefinition", "resolvedDependencies", to="x")),
    "a number beyond all": (14, deeper("buildDefinition", "externalParameters", to={"n": 1 << 70})),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_malformed_statements_are_refused(world: World, name: str) -> None:
    code, change = STATEMENTS[name]
    value = json.loads(world.provenance())
    found = change(value)
    world.put(PROVENANCE, envelope(encode(value if found is None else found), key("builder")))
    done = world.judge()
    assert done.code == code, done.text
    assert {"build.provenance", "evidence.accepted"} <= done.failing


MANIFESTS: Mapping[str, tuple[int, Callable[[Json], object]]] = {
    "path upwards": (14, lambda v: v["predicate"]["resources"][0].update(name="../../outside")),
    "absolute path": (14, lambda v: v["predicate"]["resources"][0].update(name="/etc/passwd")),
    "backward path": (14, lambda v: v["predicate"]["resources"][0].update(name="a/../config.json")),
    "path of a point": (14, lambda v: v["predicate"]["resources"][0].update(name="./config.json")),
    "path with a zero": (14, lambda v: v["predicate"]["resources"][0].update(name="config\0.json")),
    "no path": (14, lambda v: v["predicate"]["resources"][0].pop("name") and None),
    "a resource twice": (14, lambda v: v["predicate"]["resources"].append(v["predicate"]["resources"][0])),
    "a resource less": (14, lambda v: v["predicate"]["resources"].pop() and None),
    "other order": (14, lambda v: v["predicate"]["resources"].reverse()),
    "no resources": (14, lambda v: v["predicate"].update(resources=[])),
    "another root": (14, lambda v: v["subject"][0]["digest"].update(sha256="0" * 64)),
    "two subjects": (14, lambda v: v["subject"].append({"name": "x", "digest": {"sha256": "0" * 64}})),
    "another digest beside the root": (14, lambda v: v["subject"][0]["digest"].update(sha512="0" * 128)),
    "shards": (14, lambda v: v["predicate"]["serialization"].update(method="shards")),
    "blake": (14, lambda v: v["predicate"]["serialization"].update(hash_type="blake2b")),
    "another algorithm": (14, lambda v: v["predicate"]["resources"][0].update(algorithm="sha512")),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_malformed_manifests_are_refused(world: World, name: str) -> None:
    code, change = MANIFESTS[name]
    value = json.loads(world.signature())
    change(value)
    world.put(SIGNATURE, bundle(encode(value), key("release")))
    done = world.judge()
    assert done.code == code, done.text
    assert {"artifact.signed", "artifact.integrity", "evidence.accepted"} <= done.failing


def test_ignored_paths_of_the_signer_are_read_by_nobody(world: World) -> None:
    value = json.loads(world.signature())
    value["predicate"]["serialization"]["ignore_paths"] = ["extra.json"]
    world.write(f"{MODEL}/extra.json", b"{}\n")
    world.commit()
    world.put(SIGNATURE, bundle(encode(value), key("release")))
    assert world.judge().code == 12


def test_a_statement_with_two_digests_of_which_one_disagrees(world: World) -> None:
    files = world.model_files()
    about = [{"name": name, "digest": {"sha256": sha256(data), "sha512": "0" * 128}} for name, data in files.items()]
    world.put(PROVENANCE, envelope(provenance(about), key("builder")))
    done = world.judge()
    assert done.code == 12
    assert "subject.digest_conflict" in done.out


def test_a_statement_by_sha512_alone_is_allowed(world: World) -> None:
    about = [
        {"name": name, "digest": {"sha512": hashlib.sha512(data).hexdigest()}}
        for name, data in world.model_files().items()
    ]
    world.put(PROVENANCE, envelope(provenance(about), key("builder")))
    remade(world, config(gates=""))
    assert world.judge().code == 0


def prompt_world(world: World, **digests: str) -> World:
    """A changed prompt whose attestations name it by some digests."""
    remade(world, config([], gates=PROMPT_GATE))
    world.write("app/system.txt", b"changed")
    world.commit()
    about = [{"name": "app/system.txt", "digest": digests}]
    world.put("prompt.json", bundle(own("prompt", about), key("release")))
    world.put("eval.json", bundle(own("eval", about), key("release")))
    return world


def test_other_digests_of_a_changed_file(world: World) -> None:
    good = hashlib.sha512(b"changed").hexdigest()
    assert prompt_world(world, sha256=sha256(b"changed"), sha512=good).judge().code == 0
    assert prompt_world(world, sha256=sha256(b"changed"), sha512="0" * 128).judge().code == 12


def test_a_digest_that_cannot_be_computed_does_not_agree(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise EvidenceError("it vanished")

    monkeypatch.setattr("gate.app.gather.open_regular", gone)
    done = prompt_world(world, sha256=sha256(b"changed"), sha512=hashlib.sha512(b"changed").hexdigest()).judge()
    assert done.code == 12


# -- signers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["stranger", "approver", "release"])
def test_whoever_may_not_speak_is_refused(world: World, other: str) -> None:
    world.attest(builder=key(other))
    done = world.judge()
    assert done.code == 11
    assert {"build.provenance", "evidence.accepted"} <= done.failing


def test_a_signature_of_another_statement(world: World) -> None:
    good = json.loads((world.root / ".gate/attestations" / PROVENANCE).read_text())
    other = json.loads(envelope(world.provenance(builder="https://builder.example/other"), key("builder")))
    world.put(PROVENANCE, encode({**good, "payload": other["payload"]}))
    assert world.judge().code == 11


def test_a_key_id_of_a_trusted_key_is_no_signature(world: World) -> None:
    value = json.loads(envelope(world.provenance(), key("stranger")))
    value["signatures"][0]["keyid"] = key("builder").spki
    world.put(PROVENANCE, encode(value))
    assert world.judge().code == 11


def test_strangers_beside_a_trusted_signature_do_no_harm(world: World) -> None:
    world.put(PROVENANCE, envelope(world.provenance(), key("stranger"), key("builder"), key("second")))
    decision = world.judge().decision
    assert decision["verdict"] == "allow"
    signers = [signer["name"] for item in decision["evidence"]["verified"] for signer in item["signers"]]
    assert sorted(signers) == ["builder", "release"]


@pytest.mark.parametrize(
    ("window", "code"),
    [
        ("valid_from: 2026-11-20", 0),
        ("valid_until: 2026-11-20", 0),
        ("valid_from: 2026-11-21", 11),
        ("valid_until: 2026-11-19", 11),
        ("valid_from: '2026-11-20T12:00:01Z'", 11),
        ("valid_until: '2026-11-20T11:59:59Z'", 11),
        ("valid_until: '2026-11-20T12:00:00Z'", 0),
    ],
)
def test_windows_of_keys(world: World, window: str, code: int) -> None:
    signers = {**SIGNERS, "builder": f'claims: ["build.*"], {window}'}
    assert remade(world, config(signers=signers)).judge().code == code


@pytest.mark.parametrize("revoked", ["keys: [builder]", f"keys: ['{key('builder').spki}']"])
def test_revoked_keys(world: World, revoked: str) -> None:
    done = remade(world, config(trust=f"  revoked: {{{revoked}}}\n")).judge()
    assert done.code == 11
    assert "signature.revoked" in done.out


@pytest.mark.parametrize("what", ["payload", "evidence"])
def test_revoked_evidence(world: World, what: str) -> None:
    data = (world.root / ".gate/attestations" / PROVENANCE).read_bytes()
    payload = base64.b64decode(json.loads(data)["payload"])
    digest = sha256(payload if what == "payload" else data)
    done = remade(world, config(trust=f"  revoked: {{evidence: ['sha256:{digest}']}}\n")).judge()
    assert done.code == 11
    assert "signature.revoked_evidence" in done.out


def test_a_threshold_counts_keys_and_not_names(world: World) -> None:
    """One key under two names: the configuration itself is refused, since nobody could reach the threshold."""
    signers = {**SIGNERS, "twin": 'claims: ["build.*"]'}
    world.on_main({"keys/twin.pub": key("builder").pem})
    done = remade(world, config(signers=signers, trust="  thresholds: {build.provenance: 2}\n")).judge()
    assert done.code == 2
    assert "1 distinct signers" in done.err


def test_two_envelopes_around_one_statement_count_together(world: World) -> None:
    signers = {**SIGNERS, "second": 'claims: ["build.*"]'}
    text = config(signers=signers, trust="  thresholds: {build.provenance: 2}\n")
    remade(world, text, tuple(signers))
    assert world.judge().code == 11
    world.put("again.json", envelope(world.provenance(), key("second")))
    assert world.judge().code == 0


@pytest.mark.parametrize("scheme", ["rsa-pss-sha256", "rsa-pkcs1v15-sha256"])
@pytest.mark.parametrize("pkcs1", [False, True])
def test_the_scheme_is_the_one_of_the_configuration(world: World, scheme: str, pkcs1: bool) -> None:
    signers = {**SIGNERS, "auditor": f'scheme: {scheme}, claims: ["build.*"]'}
    remade(world, config(signers=signers), tuple(signers))
    world.attest(builder=dataclasses.replace(key("auditor"), pkcs1=pkcs1))
    assert world.judge().code == (0 if pkcs1 == scheme.startswith("rsa-pkcs1") else 11)


# -- bytes that changed ------------------------------------------------------------------------------------------------


def commit_of(world: World, path: str, data: bytes) -> World:
    world.write(path, data)
    world.commit()
    return world


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (WEIGHTS, safetensors("swapped")),
        (SETTINGS, b'{"model_type": "gpt"}\n'),
        (f"{MODEL}/extra.txt", b"hello"),
        (f"{MODEL}/.hidden", b"hello"),
        (f"{MODEL}/sub/more.json", b"{}\n"),
        (f"{MODEL}/empty", b""),
    ],
)
def test_bytes_that_were_not_signed(world: World, path: str, data: bytes) -> None:
    done = commit_of(world, path, data).judge()
    assert done.code == 12
    assert {"artifact.signed", "artifact.integrity"} <= done.failing


def test_files_that_changed_places(world: World) -> None:
    one, two = f"{MODEL}/one.safetensors", f"{MODEL}/two.safetensors"
    world.write_all({one: safetensors("1"), two: safetensors("2")})
    world.commit()
    world.attest()
    assert world.judge().code == 0
    world.write_all({one: safetensors("2"), two: safetensors("1")})
    world.commit()
    assert world.judge().code == 12


def test_a_file_less(world: World) -> None:
    (world.root / SETTINGS).unlink()
    world.commit()
    assert world.judge().code == 12


def test_last_months_evidence_beside_todays_does_no_harm(world: World) -> None:
    files = {**world.model_files(), "model.safetensors": safetensors("one")}
    world.put("old.json", bundle(model_signature("summarizer", files), key("release")))
    assert world.judge().code == 0


# -- models and scanners -----------------------------------------------------------------------------------------------

SETTINGS_WITH_CODE: Mapping[str, list[Any]] = {
    "config.json": [
        {"auto_map": {"AutoModel": "evil--modeling.Evil"}},
        {"deeper": [{"auto_map": {"AutoConfig": "c.C"}}]},
        {"trust_remote_code": True},
        {"attn_implementation": "evil/kernel"},
        {"_target_": "os.system"},
    ],
    "tokenizer_config.json": [{"auto_map": {"AutoTokenizer": ["t.T", None]}}],
    "model_index.json": [{"_class_name": "P", "unet": ["evil", "Model"]}],
    "modules.json": [[{"idx": 0, "name": "0", "path": "", "type": "custom.Evil"}]],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in SETTINGS_WITH_CODE.items() for v in values])
def test_remote_code_is_refused(world: World, name: str, value: object) -> None:
    world.write(f"{MODEL}/{name}", encode(value))
    world.commit()
    world.attest()
    done = world.judge()
    assert done.code == 13
    assert "load.no_remote_code" in done.failing


def test_code_that_lies_in_the_model_is_refused(world: World) -> None:
    world.write(f"{MODEL}/modeling_evil.py", b"import os\n")
    world.commit()
    world.attest()
    assert world.judge().code == 13


BROKEN_TENSORS = {
    "bytes behind": safetensors("x") + b"trailing",
    "a byte less": safetensors("x")[:-1],
    "header beyond the file": (1 << 40).to_bytes(8, "little") + b"{}",
    "no header": b"\0" * 8,
    "not JSON": (8).to_bytes(8, "little") + b"notjson!",
    "a key twice": (48).to_bytes(8, "little") + b'{"__metadata__":{"a":"b"},"__metadata__":{}}'.ljust(48),
}


@pytest.mark.parametrize("name", BROKEN_TENSORS)
def test_broken_safetensors_are_refused(world: World, name: str) -> None:
    world.write(WEIGHTS, BROKEN_TENSORS[name])
    world.commit()
    world.attest()
    done = world.judge()
    assert done.code == 13
    assert "load.safe_format" in done.failing


PICKLES = {
    "os.system": b"cos\nsystem\n(S'echo executed!'\ntR.",
    "builtins.eval": b"cbuiltins\neval\n(S'print(\"executed!\")'\ntR.",
    "an unknown class": b"cevil\nClass\n)R.",
    "behind data": b"N.cos\nsystem\n(S'echo executed!'\ntR.",
    "cut": b"cos\nsystem\n(S'echo executed!'",
}


# In a file of text only the first pickle counts, since nothing reads on behind it, and a cut one does not load.
@pytest.mark.parametrize(
    ("file", "name"),
    [(file, name) for file in ("pytorch_model.bin", "labels.pkl", "weights.safetensors") for name in PICKLES]
    + [("notes.txt", name) for name in PICKLES if name not in {"behind data", "cut"}],
)
def test_pickles_are_read_and_not_run(world: World, name: str, file: str) -> None:
    world.write(f"{MODEL}/{file}", PICKLES[name])
    world.commit()
    world.attest()
    done = world.judge()
    assert done.code == 13, done.text
    assert "load.safe_format" in done.failing


def test_nothing_of_a_model_is_run(world: World) -> None:
    """With the real program, which would show it."""
    marker = world.root.parent / "executed"
    world.write(f"{MODEL}/pytorch_model.bin", f"cos\nsystem\n(S'touch {marker}'\ntR.".encode())
    world.commit()
    world.attest()
    assert world.check().code == 13
    assert not marker.exists()


@pytest.mark.parametrize(
    ("report", "code", "control"),
    [
        (modelscan(["model.safetensors", "config.json"]), 0, ""),
        (modelscan(["model.safetensors"]), 0, ""),
        (modelscan(["model.safetensors"], [issue("model.safetensors")]), 13, "scan.malware"),
        (modelscan(["model.safetensors"], [issue("model.safetensors", "MEDIUM")]), 13, "scan.malware"),
        (modelscan(["model.safetensors"], [issue("elsewhere.bin")]), 13, "scan.malware"),
        (modelscan(["model.safetensors"], [issue("model.safetensors", "LOW")]), 0, ""),
        (modelscan([]), 13, "scan.coverage"),
        (modelscan(["other.bin"], target="models/other"), 13, "scan.coverage"),
        (modelscan(["config.json"])[:-20], 13, "scan.coverage"),
        (modelscan(["config.json"]).replace(b'"total_scanned":1', b'"total_scanned":2'), 13, "scan.coverage"),
        (modelscan(["config.json"]).replace(b'"total_issues":0', b'"total_issues":1'), 13, "scan.coverage"),
        (b"", 13, "scan.coverage"),
        (b"[]", 13, "scan.coverage"),
        (b'{"summary":{},"issues":[],"errors":[]}', 13, "scan.coverage"),
        (b'{"summary":{},"summary":{}}', 13, "scan.coverage"),
        (b"[" * 100_000, 13, "scan.coverage"),
        (b"\xff\xfe", 13, "scan.coverage"),
    ],
)
def test_reports_of_modelscan(world: World, report: bytes, code: int, control: str) -> None:
    remade(world, config(more=MODELSCAN)).write(".gate/modelscan.json", report)
    done = world.judge()
    assert done.code == code, done.text
    assert not control or control in done.failing


def sarif_run(**changes: object) -> bytes:
    value = json.loads(sarif({}))
    value["runs"][0].update(changes)
    return encode(value)


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (sarif({}), 0),
        (sarif_run(results=None), 13),
        (sarif_run(invocations=[{"executionSuccessful": False}]), 13),
        (sarif_run(invocations=[{}]), 13),
        (sarif_run(results=[{"message": {"text": "no level, no rule"}}]), 13),
        (sarif_run(results=[{"ruleId": "S201", "level": "error", "message": {"text": "bad"}}]), 13),
        (sarif_run(results=[{"level": "warning", "message": {"text": "bad"}}]), 13),
        (sarif_run(results=[{"level": "note", "message": {"text": "fyi"}}]), 0),
        (sarif_run(results=[{"level": "none", "kind": "pass", "message": {"text": "fine"}}]), 0),
        (sarif_run(results="none"), 13),
        (encode({"version": "2.1.0", "runs": []}), 13),
        (encode({"version": "2.0.0", "runs": []}), 13),
        (b"{}", 13),
        (b"", 13),
    ],
)
def test_reports_in_sarif(world: World, report: bytes, code: int) -> None:
    remade(world, config(more=SARIF)).write(".gate/scan.sarif", report)
    assert world.judge().code == code


def test_no_report_is_missing(world: World) -> None:
    """Any tool may write SARIF: what it did not say may be a secret, or a vulnerability."""
    done = remade(world, config(more=SARIF)).judge()
    assert done.code == 10
    assert done.failing == {"scan.coverage", "scan.secrets", "scan.vulnerabilities"}


def test_an_observed_report_satisfies_nothing_under_strict(world: World) -> None:
    """The gate's own inspection covers the files; the report can refuse all the same."""
    text = config(more=MODELSCAN, profile="strict")
    remade(world, text).write(".gate/modelscan.json", modelscan(["config.json"], [issue("config.json", "LOW")]))
    found = world.judge()
    controls = found.decision["controls"]
    assert {name for name in found.failing if controls[name]["mode"] == "enforce"} == {"scan.malware"}


# -- the change and its policy -----------------------------------------------------------------------------------------


def test_the_change_cannot_bring_its_own_policy(world: World) -> None:
    weak = config(gates="").replace(b"profile: baseline", b"profile: weak.yaml")
    world.write_all(
        {
            "gate.yaml": weak,
            "weak.yaml": profile({"change.plain_files": "enforce"}),
            "keys/release.pub": key("stranger").pem,
        }
    )
    world.commit()
    world.attest(signer=key("stranger"))
    done = world.judge()
    assert done.code == 11
    world.attest()
    done = world.judge()
    assert done.code == 13
    assert done.failing == {"change.policy_unchanged"}
    files = {entry["file"] for entry in done.decision["controls"]["change.policy_unchanged"]["violations"]}
    assert files == {"gate.yaml", "keys/release.pub"}


def test_the_configuration_of_the_change_is_used_when_asked_and_said_so(world: World) -> None:
    world.write("gate.yaml", config(gates="", more="").replace(b"production", b"elsewhere"))
    world.commit()
    decision = world.judge("--config-from", "worktree").decision
    assert decision["context"]["environment"] == "elsewhere"
    assert decision["context"]["configuration_from"] == "worktree"
    assert decision["verdict"] == "deny"
    text = world.run("check", "--base", "main", "--config-from", "worktree", "--now", NOW)
    assert "judged by what it brings itself" in text.out


def test_profile_files_come_from_the_merge_base(world: World) -> None:
    own_profile = profile({"change.attested": "warn", "artifact.signed": "enforce"})
    remade(world, config(profile="policy/own.yaml"))
    world.on_main({"policy/own.yaml": own_profile})
    decision = world.judge().decision
    assert decision["context"]["profile"] == "policy/own.yaml"
    assert set(decision["controls"]) == {"change.attested", "artifact.signed"}
    assert decision["verdict"] == "allow"


def test_a_warning_is_shown_and_does_not_refuse(world: World) -> None:
    modes = {"artifact.signed": "enforce", "change.attested": "warn", "evidence.fresh": "off"}
    remade(world, config(profile="own.yaml", gates=PROMPT_GATE))
    world.on_main({"own.yaml": profile(modes)})
    world.write("app/system.txt", b"changed")
    world.commit()
    decision = world.judge().decision
    assert decision["verdict"] == "allow"
    assert decision["controls"]["change.attested"]["status"] == "fail"
    assert decision["controls"]["change.attested"]["mode"] == "warn"
    assert "evidence.fresh" not in decision["controls"]


@pytest.mark.parametrize(
    ("limits", "age", "code"),
    [("eval: 1d", "2026-11-19T13:00:00Z", 0), ("eval: 1d", "2026-11-19T11:00:00Z", 13), ("eval: 90m", None, 13)],
)
def test_parameters_change_what_is_fresh(world: World, limits: str, age: str | None, code: int) -> None:
    text = config([], gates="  - {id: G, trigger_paths: [app/**], required_attestations: [eval]}\n")
    remade(world, text + f"parameters: {{evidence.fresh: {{{limits}}}}}\n".encode())
    world.write("app/system.txt", b"changed")
    world.commit()
    world.put("eval.json", bundle(own("eval", subjects({"app/system.txt": b"changed"}), age), key("release")))
    assert world.judge().code == code


WAIVER = (
    "  - {{id: W-1, control: {control}, artifact: 'sha256:{digest}', reason: r, ticket: t, owner: ann, approver: ben,\n"
    "     created: {created}, expires: {expires}{more}}}\n"
)


@pytest.mark.parametrize(
    ("changes", "code", "problem"),
    [
        ({}, 0, None),
        ({"more": ", finding: scan.malware.finding"}, 0, None),
        ({"more": ", finding: scan.malware.missing"}, 13, "not used"),
        ({"control": "scan.coverage"}, 13, "not used"),
        ({"control": "artifact.signed"}, 13, "cannot be waived"),
        ({"control": "scan.nothing"}, 13, "no control"),
        ({"digest": "0" * 64}, 13, "not used"),
        ({"created": "2026-11-21"}, 13, "pending"),
        ({"expires": "2026-11-20"}, 13, "expired"),
    ],
)
def test_waivers(world: World, changes: dict[str, str], code: int, problem: str | None) -> None:
    digest = sha256(world.model_files()["model.safetensors"])
    fields = {"control": "scan.malware", "digest": digest, "created": "2026-11-01", "expires": "2026-12-01", "more": ""}
    remade(world, config(more=MODELSCAN + "waivers: waivers.yaml\n"))
    world.on_main({"waivers.yaml": ("version: 1\nwaivers:\n" + WAIVER.format(**{**fields, **changes})).encode()})
    world.write(".gate/modelscan.json", modelscan(["model.safetensors"], [issue("model.safetensors")]))
    done = world.judge()
    assert done.code == code, done.text
    [use] = done.decision["waivers"]
    assert use["used"] == (code == 0)
    assert (problem or "") in (use["problem"] or "")
    assert (use["problem"] is None) == (problem is None)


def test_a_waiver_cannot_excuse_forged_evidence(world: World) -> None:
    digest = sha256(world.model_files()["model.safetensors"])
    fields = {"control": "evidence.accepted", "digest": digest, "created": "2026-11-01", "expires": "2026-12-01"}
    remade(world, config(more="waivers: waivers.yaml\n"))
    world.on_main({"waivers.yaml": ("version: 1\nwaivers:\n" + WAIVER.format(**fields, more="")).encode()})
    world.put("forged.json", envelope(world.provenance(), key("stranger")))
    assert world.judge().code == 11


# -- several artifacts -------------------------------------------------------------------------------------------------


def test_one_artifact_of_many_refuses_all(world: World) -> None:
    entries = ["summarizer: {kind: weights, path: models/summarizer}", "style: {kind: weights, path: models/style}"]
    entries += ["deps: {kind: package, path: requirements.lock}", "tickets: {kind: dataset, path: data}"]
    remade(world, config(entries, gates=""))
    style = {"adapter_config.json": b"{}\n", "adapter_model.safetensors": safetensors("style")}
    world.write_all(style, "models/style/")
    world.write_all({"requirements.lock": b"click==8.3.3\n", "data/rows.jsonl": b'{"a": 1}\n'})
    world.commit()
    assert world.judge().code == 10
    release = key("release")
    world.put("style.json", bundle(model_signature("style", style), release))
    world.put("style-built.json", bundle(provenance(subjects(style)), key("builder")))
    world.put("deps.json", bundle(model_signature("deps", {"requirements.lock": b"click==8.3.3\n"}), release))
    done = world.judge()
    assert done.code == 10
    named = {entry["artifact"] for entry in done.decision["controls"]["artifact.signed"]["violations"]}
    assert named == {"tickets"}
    world.put("data.json", bundle(model_signature("data", {"rows.jsonl": b'{"a": 1}\n'}), release))
    assert world.judge().code == 0


def test_the_first_cause_gives_the_exit_code(world: World) -> None:
    """11 before 12 before 14 before 10 before 13."""
    world.write(f"{MODEL}/config.json", b'{"auto_map": {"AutoModel": "e--m.E"}}\n')
    world.commit()
    world.attest()
    world.put(PROVENANCE, b"")
    (world.root / ".gate/attestations" / PROVENANCE).unlink()
    seen = [world.judge()]
    world.put("a.json", b"{}")
    seen.append(world.judge())
    world.put("b.json", envelope(provenance(subjects({WEIGHTS: b"other"})), key("builder")))
    seen.append(world.judge())
    world.put("c.json", envelope(world.provenance(), key("stranger")))
    seen.append(world.judge())
    assert [done.code for done in seen] == [10, 14, 12, 11]
    assert seen[-1].decision["causes"] == [11, 12, 14, 10, 13]


def test_the_name_of_a_key_can_change_and_nothing_else(world: World) -> None:
    assert Key("x", key("release").private).pem == key("release").pem
    assert sha256(envelope(world.signature(), key("release"))) == sha256(envelope(world.signature(), key("release")))
