"""Checkpoints and proofs of C2SP: written and read, strict, and those that real logs published."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from gate.errors import ConfigError
from gate.formats.checkpoint import (
    CheckpointError,
    InclusionProof,
    NoteSignature,
    Tree,
    is_origin,
    key_id,
    note_text,
    parse_note,
    parse_proof,
    proof_text,
    signed_note,
)
from gate.record.checkpoint import check_inclusion, note_key, proved
from tests.support.records import signer

VECTORS = Path(__file__).parents[2] / "vectors/sigstore"
NOTE = signed_note(Tree("a.example/log", 5, bytes(32)), [NoteSignature("a.example/log", b"1234", b"signature")])


def pem(key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_a_checkpoint_that_an_ed25519_key_signed() -> None:
    bundle = json.loads((VECTORS / "bundles/conformance-rekor2-happy-path.json").read_text())
    text = bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"]["envelope"]
    root = json.loads((VECTORS / "roots/staging.json").read_text())
    name = "log2025-alpha1.rekor.sigstage.dev"
    (raw,) = (log["publicKey"]["rawBytes"] for log in root["tlogs"] if log["baseUrl"].endswith(f"/{name}"))
    public = load_der_public_key(base64.b64decode(raw))
    assert isinstance(public, ed25519.Ed25519PublicKey)
    key = note_key(name, pem(public), "x")
    assert key.text.startswith(f"{name}+f30d5a99+")  # as the log's note names the key
    note = parse_note(text)
    assert (note.tree.origin, note.tree.size) == (name, 736)
    assert proved(note, [key]) is None
    assert proved(parse_note(text.replace("\n736\n", "\n737\n")), [key]) == "its signature is wrong"
    assert proved(note, []) == "none of the known keys signed it"
    assert proved(note, [signer().key]) == "none of the known keys signed it"


def test_a_checkpoint_of_rekor_and_the_proof_that_leads_to_it() -> None:
    bundle = json.loads((VECTORS / "bundles/npm-gha-gundam-visor-cli-v1-tag-1.json").read_text())
    entry = bundle["verificationMaterial"]["tlogEntries"][0]
    given_proof = entry["inclusionProof"]
    note = parse_note(given_proof["checkpoint"]["envelope"])
    keys = [
        item["publicKey"]["rawBytes"]
        for path in sorted((VECTORS / "roots").glob("*.json"))
        for item in json.loads(path.read_text()).get("tlogs", [])
    ]
    found = []
    for raw in dict.fromkeys(keys):
        key = load_der_public_key(base64.b64decode(raw))
        if isinstance(key, ec.EllipticCurvePublicKey):
            found.append(note_key(note.signatures[0].name, pem(key), "x"))
    assert proved(note, found) is None
    proof = InclusionProof(
        base64.b64decode(entry["canonicalizedBody"]),
        int(given_proof["logIndex"]),
        tuple(base64.b64decode(item) for item in given_proof["hashes"]),
        given_proof["checkpoint"]["envelope"],
    )
    assert check_inclusion(parse_proof(proof_text(proof))) == note


@given(st.integers(0, 2**62), st.binary(min_size=32, max_size=32), st.lists(st.binary(min_size=1), min_size=1))
def test_what_is_written_is_read(size: int, root: bytes, signatures: list[bytes]) -> None:
    tree = Tree("a.example/log", size, root)
    made = [NoteSignature("a.example/log", b"abcd", item) for item in signatures]
    note = parse_note(signed_note(tree, made))
    assert (note.tree, list(note.signatures), note.signed) == (tree, made, note_text(tree))


@given(st.binary(), st.integers(0, 2**62), st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_a_proof_that_is_written_is_read(record: bytes, index: int, hashes: list[bytes]) -> None:
    proof = InclusionProof(record, index, tuple(hashes), NOTE)
    assert parse_proof(proof_text(proof)) == proof


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\nAA==\n",
        NOTE.removesuffix("\n"),
        NOTE.replace("\n5\n", "\n05\n"),
        NOTE.replace("\n5\n", "\n-5\n"),
        NOTE.replace("\n5\n", "\n\u0665\n"),
        NOTE.replace("\n5\n", "\n"),
        NOTE.replace("a.example/log\n5", "\n5"),
        NOTE.replace("\n5\n", "\n5\r\n"),
        NOTE.replace("AAAA", "AA\tA"),
        NOTE.replace("A=\n", "B=\n"),
        NOTE.replace("A=\n", "=\n"),
        NOTE.replace("AAA=", "A==="),
        NOTE.replace("\u2014", "-"),
        NOTE.replace("\u2014 a.example", "\u2014  a.example"),
        NOTE.replace("\u2014 a", "\u2014 +a"),
        NOTE + "\n",
        NOTE + "x\n",
        signed_note(Tree("a", 1, bytes(32)), [NoteSignature("a", b"1234", b"")]),
        signed_note(Tree("a", 1, bytes(31)), [NoteSignature("a", b"1234", b"x")]),
        signed_note(Tree("a", 1, bytes(32)), []),
        NOTE + NOTE.rpartition("\n\n")[2] * 2000,
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError):
        parse_note(text)


def test_extension_lines_are_signed_and_left_alone() -> None:
    note = parse_note(NOTE.replace("\n\n", "\nmore\n\n"))
    assert note.tree == Tree("a.example/log", 5, bytes(32))
    assert note.signed.endswith(b"\nmore\n")


PROOF = proof_text(InclusionProof(b"record", 3, (bytes(32),), NOTE))


@pytest.mark.parametrize(
    "text",
    [
        "",
        NOTE,
        PROOF.replace("v1", "v2"),
        PROOF.replace("extra ", ""),
        PROOF.replace("extra cmVj", "extra c!Vj"),
        PROOF.replace("index 3", "index 03"),
        PROOF.replace("index 3", "place 3"),
        PROOF.replace("index 3\n", "index 3\nAAAA\n"),
        PROOF.replace("index 3\n", "index 3\n" + "A" * 43 + "=\n" + ("A" * 43 + "=\n") * 70),
        "c2sp.org/tlog-proof@v1\nextra AAAA\n\n" + NOTE,
    ],
)
def test_what_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError):
        parse_proof(text)


def test_a_proof_leads_to_its_root_or_shows_nothing() -> None:
    with pytest.raises(CheckpointError, match="does not lead from the record to the root"):
        check_inclusion(parse_proof(PROOF))


@pytest.mark.parametrize("text", ["", "a b", "a+b", "a\n", "\u00e9", "a" * 201])
def test_what_can_name_a_log(text: str) -> None:
    assert not is_origin(text)
    assert is_origin("acme.example/gate")


def test_keys_of_logs() -> None:
    for name in (signer(), signer(curve=True)):
        assert name.key.text.startswith("acme.example/gate+")
        signature = NoteSignature(name.key.name, name.key.key_id, name.sign(note_text(Tree("x", 1, bytes(32)))))
        note = parse_note(signed_note(Tree("x", 1, bytes(32)), [signature]))
        assert proved(note, [name.key]) is None
        assert proved(parse_note(signed_note(Tree("x", 2, bytes(32)), [signature])), [name.key]) is not None
    assert len(key_id("a", 1, b"b")) == 4
    for key in (
        ec.derive_private_key(5, ec.SECP384R1()).public_key(),
        rsa.generate_private_key(65537, 2048).public_key(),
    ):
        with pytest.raises(ConfigError, match="signed with Ed25519 or ECDSA P-256"):
            note_key("a", pem(key), "key")
    with pytest.raises(ConfigError, match="is not a public key"):
        note_key("a", b"x", "key")
