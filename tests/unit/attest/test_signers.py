"""Keys: what signs is what verification accepts, and nothing else; and no key material in any text."""

from __future__ import annotations

import base64
import os
import re
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from gate.attest.files import create_file, read_file, replace_file
from gate.attest.keygen import KEY_TYPES, generate_key
from gate.attest.signer import key_file, open_signer
from gate.attest.signers import file as file_signers
from gate.errors import AttestError
from gate.verify.keys import load_key

KEYS: dict[str, PrivateKeyTypes] = {
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ecdsa-p256-sha256": ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384-sha384": ec.generate_private_key(ec.SECP384R1()),
    "rsa-pss-sha256": rsa.generate_private_key(65537, 2048),
}


def never(_: str) -> str:
    raise AssertionError("nobody is to be asked")


def pem_of(key: PrivateKeyTypes, passphrase: bytes | None = None, form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, encryption)


def write(path: Path, data: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


def refused(path: Path, passphrase: str | None = None) -> AttestError:
    asked = never if passphrase is None else lambda _: passphrase
    with pytest.raises(AttestError) as caught:
        open_signer(str(path), Path(), asked)
    return caught.value


@pytest.mark.parametrize("algorithm", KEYS)
def test_s4_each_key_signs_with_the_algorithm_that_verification_fixes(algorithm: str, tmp_path: Path) -> None:
    signer = open_signer(str(write(tmp_path / "k", pem_of(KEYS[algorithm]))), Path(), never)
    key = load_key(signer.public_key_pem)
    assert (signer.algorithm, signer.spki) == (key.algorithm, key.spki) == (algorithm, key.spki)
    assert key.verifies(signer.sign(b"data"), b"data")
    assert not key.verifies(signer.sign(b"data"), b"other")


@pytest.mark.parametrize("algorithm", ["ed25519", "ecdsa-p256-sha256", "ecdsa-p384-sha384"])
def test_signing_twice_gives_the_same_bytes(algorithm: str, tmp_path: Path) -> None:
    signer = open_signer(str(write(tmp_path / "k", pem_of(KEYS[algorithm]))), Path(), never)
    assert signer.sign(b"data") == signer.sign(b"data")


def test_without_deterministic_nonces_signing_still_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ecdsa(algorithm: HashAlgorithm, deterministic_signing: bool = False) -> ec.ECDSA:
        if deterministic_signing:
            raise UnsupportedAlgorithm("old OpenSSL")
        return ec.ECDSA(algorithm)

    # Only the signer's own view of the module: the library looks its classes up in it too.
    view = SimpleNamespace(ECDSA=ecdsa, EllipticCurvePrivateKey=ec.EllipticCurvePrivateKey)
    monkeypatch.setattr(file_signers, "ec", view)
    path = write(tmp_path / "k", pem_of(KEYS["ecdsa-p256-sha256"]))
    signer = open_signer(str(path), Path(), never)
    assert load_key(signer.public_key_pem).verifies(signer.sign(b"data"), b"data")
    assert signer.sign(b"data") != signer.sign(b"data")


def test_an_encrypted_key_asks_once_and_says_for_what(tmp_path: Path) -> None:
    path = write(tmp_path / "k", pem_of(KEYS["ed25519"], b"correct horse"))
    asked: list[str] = []

    def ask(what: str) -> str:
        asked.append(what)
        return "correct horse"

    signer = open_signer(str(path), Path(), ask)
    assert load_key(signer.public_key_pem).verifies(signer.sign(b"x"), b"x")
    assert asked == [f"Passphrase of {path}"]


def test_s35_a_wrong_passphrase_shows_neither_it_nor_the_key(tmp_path: Path) -> None:
    path = write(tmp_path / "k", pem_of(KEYS["ed25519"], b"correct horse"))
    error = refused(path, "wrong donkey")
    assert "wrong passphrase" in str(error)
    assert "donkey" not in str(error) + error.hint + repr(error)
    assert error.__suppress_context__
    assert "needs its passphrase" in str(refused(path, ""))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_s35_a_key_that_others_can_read_is_refused(mode: int, tmp_path: Path) -> None:
    error = refused(write(tmp_path / "k", pem_of(KEYS["ed25519"]), mode))
    assert "can be read by others" in str(error)
    assert error.hint == f"chmod 600 {tmp_path / 'k'}"


def test_a_public_key_cannot_sign(tmp_path: Path) -> None:
    generate_key("p256", tmp_path / "k", tmp_path / "p", None)
    assert "is a public key" in str(refused(tmp_path / "p"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"junk",
        pem_of(KEYS["ed25519"]) * 2,
        pem_of(KEYS["ecdsa-p256-sha256"], form=PrivateFormat.TraditionalOpenSSL),
        pem_of(KEYS["ed25519"], form=PrivateFormat.OpenSSH),
        b"x" * (65 << 10),
    ],
)
def test_only_one_pkcs8_block_is_a_key(data: bytes, tmp_path: Path) -> None:
    error = refused(write(tmp_path / "k", data))
    assert "PKCS#8" in str(error)
    assert "openssl pkcs8 -topk8" in error.hint


def test_s35_a_damaged_key_is_refused_without_quoting_it(tmp_path: Path) -> None:
    pem = pem_of(KEYS["ed25519"])
    damaged = pem.replace(pem.splitlines()[1][:8], b"AAAAAAAA")
    error = refused(write(tmp_path / "k", damaged))
    assert "cannot be read as a private key" in str(error)
    assert pem.splitlines()[1].decode() not in str(error)


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        (rsa.generate_private_key(65537, 1024), "1024 bits"),
        (ec.generate_private_key(ec.SECP521R1()), "secp521r1"),
        (ed448.Ed448PrivateKey.generate(), "neither Ed25519"),
    ],
)
def test_s4_keys_that_verification_refuses_do_not_sign(key: PrivateKeyTypes, problem: str, tmp_path: Path) -> None:
    assert problem in str(refused(write(tmp_path / "k", pem_of(key))))


def test_keys_are_regular_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert "no regular file" in str(refused(tmp_path / "fifo"))
    assert "no regular file" in str(refused(tmp_path))
    assert "No such file" in str(refused(tmp_path / "none"))


def test_s35_a_signer_shows_nothing_of_its_key(tmp_path: Path) -> None:
    path = write(tmp_path / "k", pem_of(KEYS["ed25519"]))
    text = repr(open_signer(str(path), Path(), never))
    secret = base64.b64decode(b"".join(path.read_bytes().splitlines()[1:-1]))[-32:]
    assert secret.hex() not in text
    assert base64.b64encode(secret).decode() not in text
    assert "PrivateKey" not in text


def test_keys_are_named_by_path_or_file_uri(tmp_path: Path) -> None:
    write(tmp_path / "my key", pem_of(KEYS["ed25519"]))
    for uri in ("my key", f"{tmp_path}/my key", "file:my%20key", f"file://{tmp_path}/my%20key", "FILE:my key"):
        assert open_signer(uri, tmp_path, never).algorithm == "ed25519"
    assert key_file("C:\\keys\\a") == Path("C:\\keys\\a")


@pytest.mark.parametrize("uri", ["hsm:9", "https://example.com/k", "kms:x"])
def test_an_unknown_scheme_is_refused_and_the_known_ones_are_named(uri: str) -> None:
    with pytest.raises(AttestError, match="no such kind of key; known are file, env, awskms, gcpkms") as caught:
        key_file(uri)
    assert uri.partition(":")[2] not in str(caught.value)


@pytest.mark.parametrize("uri", ["env:K", "awskms:alias/k", "PKCS11:object=k"])
def test_a_key_that_is_no_file_has_no_path(uri: str) -> None:
    assert key_file(uri) is None


def test_a_file_on_another_host_is_refused() -> None:
    with pytest.raises(AttestError, match="another host"):
        key_file("file://host/key")


@pytest.mark.parametrize("kind", KEY_TYPES)
@pytest.mark.parametrize("passphrase", [None, "a phrase", "caf\udce9", "x" * 1023])
def test_a_new_key_pair_signs(kind: str, passphrase: str | None, tmp_path: Path) -> None:
    private, public = tmp_path / "keys" / "k.key", tmp_path / "keys" / "k.pub"
    made = generate_key(kind, private, public, passphrase)
    assert private.stat().st_mode & 0o777 == 0o600
    assert (b"ENCRYPTED" in private.read_bytes()) is bool(passphrase)
    signer = open_signer(str(private), Path(), lambda _: passphrase or never(""))
    assert signer.spki == made.spki == load_key(public.read_bytes()).spki


def test_s35_the_private_key_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        generate_key("ed25519", tmp_path / "k", tmp_path / "p", None)
    finally:
        os.umask(before)
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "p").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("name", ["k", "p"])
@pytest.mark.parametrize("link", [False, True])
def test_keys_are_never_overwritten(name: str, link: bool, tmp_path: Path) -> None:
    if link:
        (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    else:
        (tmp_path / name).write_bytes(b"precious")
    with pytest.raises(AttestError, match="not overwritten"):
        generate_key("ed25519", tmp_path / "k", tmp_path / "p", None)
    assert not (tmp_path / "elsewhere").exists()
    assert link or (tmp_path / name).read_bytes() == b"precious"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_passphrase_has_a_limit(tmp_path: Path) -> None:
    with pytest.raises(AttestError, match="longer than 1023 bytes"):
        generate_key("p256", tmp_path / "k", tmp_path / "p", "x" * 1024)
    assert list(tmp_path.iterdir()) == []


def test_half_a_pair_is_not_left_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(AttestError, match="cannot write"):
        generate_key("ed25519", tmp_path / "k", tmp_path / "file" / "p", None)
    assert not (tmp_path / "k").exists()


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"precious")
    with pytest.raises(AttestError, match="not overwritten"):
        create_file(tmp_path / "f", b"x", 0o600)
    with pytest.raises(AttestError, match="File name too long"):
        create_file(tmp_path / ("f" * 300), b"x", 0o600)


def test_a_disk_that_is_full_leaves_nothing_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "old").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AttestError, match="No space left"):
        create_file(tmp_path / "new", b"x", 0o600)
    with pytest.raises(AttestError, match="No space left"):
        replace_file(tmp_path / "old", b"x")
    with pytest.raises(AttestError, match="cannot write"):
        replace_file(tmp_path / "old" / "below", b"x")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"old": b"old"}


def test_replacing_is_one_step_with_an_ordinary_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_file(tmp_path / "a" / "f", b"1")
    replace_file(tmp_path / "a" / "f", b"2")
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "a").iterdir()] == [("f", b"2")]
    assert (tmp_path / "a" / "f").stat().st_mode & 0o777 == 0o644

    def denied(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "mkstemp", denied)
    with pytest.raises(AttestError, match="Permission denied"):
        replace_file(tmp_path / "a" / "f", b"3")


def test_reading_has_a_limit(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"12345")
    assert read_file(tmp_path / "f", 5) == b"12345"
    with pytest.raises(AttestError, match=re.escape("more than the 4 bytes")):
        read_file(tmp_path / "f", 4)


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_key_in_a_variable_signs(algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNING_KEY", pem_of(KEYS[algorithm]).decode())
    signer = open_signer("env:SIGNING_KEY", Path(), never)
    assert signer.algorithm == algorithm
    key = load_key(signer.public_key_pem)
    assert key.verifies(signer.sign(b"x"), b"x")


def test_an_encrypted_key_in_a_variable_asks_for_its_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNING_KEY", pem_of(KEYS["ed25519"], b"open sesame").decode())
    asked: list[str] = []

    def ask(what: str) -> str:
        asked.append(what)
        return "open sesame"

    assert open_signer("env:SIGNING_KEY", Path(), ask).algorithm == "ed25519"
    assert asked == ["Passphrase of the environment variable SIGNING_KEY"]


def test_s35_a_variable_without_a_key_is_refused_without_quoting_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pem = pem_of(KEYS["ed25519"]).decode()
    secret = pem.splitlines()[1]
    monkeypatch.setenv("SIGNING_KEY", secret)
    for uri, words in {
        "env:SIGNING_KEY": "is not one private key in PKCS#8 PEM",
        "env:NOT_THERE_AT_ALL": "NOT_THERE_AT_ALL is not set",
        f"env:{secret}": "not the name of an environment variable",
        f"env:{re.sub('[^A-Za-z0-9]', 'x', secret)}": "not the name of an environment variable",
        f"env:{pem}": "holds a private key itself",
        pem: "holds a private key itself",
    }.items():
        with pytest.raises(AttestError, match=words) as caught:
            open_signer(uri, Path(), never)
        assert caught.value.hint
        said = f"{caught.value} {caught.value.hint}"
        assert secret not in said
        assert re.sub("[^A-Za-z0-9]", "x", secret) not in said
