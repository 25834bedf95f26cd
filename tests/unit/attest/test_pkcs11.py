"""Keys on a real PKCS#11 token: SoftHSM, in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pkcs11
import pytest

from gate.attest.signer import Signer, open_signer
from gate.attest.signers import Passphrase
from gate.errors import AttestError
from gate.verify.keys import load_key
from tests.support.softhsm import LIBRARY, PIN, make_tokens

MODULE = f"module-path={LIBRARY}"


@pytest.fixture(scope="module", autouse=True)
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The module reads its configuration when it is loaded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(make_tokens(tmp_path_factory.mktemp("softhsm") / "hsm")))
        yield


@pytest.fixture(autouse=True)
def unloaded() -> Iterator[None]:
    """A process is logged in until it unloads the module."""
    yield
    pkcs11.unload(LIBRARY)


def never(_: str) -> str:
    raise AssertionError("nobody is to be asked")


def pin(_: str) -> str:
    return PIN


def opened(rest: str, ask: Passphrase = pin) -> Signer:
    return open_signer(f"pkcs11:{rest}", Path(), ask)


def refused(rest: str, *words: str, ask: Passphrase = pin) -> AttestError:
    with pytest.raises(AttestError) as caught:
        opened(rest, ask)
    text = f"{caught.value} {caught.value.hint}"
    assert caught.value.hint
    assert PIN not in text
    assert "9999" not in text
    for word in words:
        assert word in text
    return caught.value


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        ("object=p256", "ecdsa-p256-sha256"),
        ("object=p384;type=private", "ecdsa-p384-sha384"),
        ("object=rsa", "rsa-pss-sha256"),
        ("object=ed25519", "ed25519"),
        ("id=%00%01", "ecdsa-p384-sha384"),
        ("object=twin;id=%00%0A", "ecdsa-p256-sha256"),
    ],
)
def test_keys_on_a_token_sign(key: str, algorithm: str) -> None:
    asked: list[str] = []

    def ask(what: str) -> str:
        asked.append(what)
        return PIN

    signer = opened(f"token=gate;{key}?{MODULE}", ask)
    trusted = load_key(signer.public_key_pem)
    assert (trusted.algorithm, trusted.spki) == (signer.algorithm, signer.spki)
    assert signer.algorithm == algorithm
    for data in (b"", b"a message", b"x" * 100_000):
        assert trusted.verifies(signer.sign(data), data)
    assert asked == ["PIN of PKCS#11 token 'gate'"]
    assert PIN not in repr(signer)


def test_a_token_is_opened_twice_in_a_process() -> None:
    first, second = (opened(f"token=gate;object={name}?{MODULE}") for name in ("p256", "p384"))
    for signer in (first, second):
        assert load_key(signer.public_key_pem).verifies(signer.sign(b"x"), b"x")


def test_the_module_may_be_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYKCS11LIB", LIBRARY)
    assert opened("token=gate;object=p256").algorithm == "ecdsa-p256-sha256"


def test_a_token_is_chosen_by_any_of_its_names() -> None:
    token = pkcs11.lib(LIBRARY).get_token(token_label="gate")
    serial = token.serial.decode()
    rest = f"serial={serial};model=SoftHSM%20v2;manufacturer=SoftHSM%20project;object=p256?{MODULE}"
    assert opened(rest).algorithm == "ecdsa-p256-sha256"


def test_a_pin_comes_from_a_variable_or_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOKEN_PIN", PIN)
    file = tmp_path / "pin"
    file.write_text(f"{PIN}\n")
    file.chmod(0o600)
    for source in ("env:TOKEN_PIN", f"file:{file}", f"file://{file}", str(file)):
        assert opened(f"token=gate;object=p256?{MODULE}&pin-source={source}", never).algorithm == "ecdsa-p256-sha256"


def test_sources_without_a_pin_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key = f"token=gate;object=p256?{MODULE}&pin-source="
    monkeypatch.delenv("TOKEN_PIN", raising=False)
    with pytest.raises(AttestError, match="the environment variable TOKEN_PIN is not set"):
        opened(f"{key}env:TOKEN_PIN", never)
    refused(f"{key}env:{PIN}", "not the name of an environment variable", ask=never)
    refused(f"{key}{PIN}", "pin-source is neither env:NAME nor file:/PATH", ask=never)
    file = tmp_path / "pin"
    file.write_text("\n")
    file.chmod(0o600)
    refused(f"{key}file:{file}", "is empty", ask=never)
    file.chmod(0o644)
    refused(f"{key}file:{file}", "can be read by others", ask=never)


def test_a_wrong_pin_is_tried_once() -> None:
    asked: list[str] = []

    def wrong(what: str) -> str:
        asked.append(what)
        return "9999"

    refused(f"token=gate;object=p256?{MODULE}", "the PIN is wrong; it was tried once", ask=wrong)
    assert len(asked) == 1
    assert opened(f"token=gate;object=p256?{MODULE}").algorithm == "ecdsa-p256-sha256"


def test_a_pin_on_the_command_line_is_refused_and_not_repeated() -> None:
    for rest in (f"token=gate;object=p256?{MODULE}&pin-value={PIN}", f"object=p256?pin-value={PIN}"):
        refused(rest, "holds a PIN, and command lines are read by others", ask=never)


def test_tokens_and_keys_that_are_not_there_are_told() -> None:
    refused(f"token=none;object=p256?{MODULE}", "0 tokens", "'gate'", "'other'", ask=never)
    refused(f"object=p256?{MODULE}", "2 tokens", ask=never)
    refused(f"token=gate;object=none?{MODULE}", "0 keys are there where one private key is needed")
    refused(f"token=other;object=p256?{MODULE}", "0 keys are there where one private key is needed")
    refused(f"token=gate;object=twin?{MODULE}", "2 keys are there where one private key is needed")
    refused(f"token=gate;object=alone?{MODULE}", "key 'alone': 0 keys are there where one public key is needed")


def test_keys_of_other_kinds_are_refused() -> None:
    refused(f"token=gate;object=p521?{MODULE}", "curve secp521r1 is not accepted")
    refused(f"token=gate;object=dsa?{MODULE}", "a key of the kind DSA is not accepted")


def test_modules_that_cannot_be_loaded_are_told(tmp_path: Path) -> None:
    refused(f"object=k?module-path={tmp_path}/none.so", f"PKCS#11 module {tmp_path}/none.so", ask=never)


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("", "object= or id= is needed"),
        (f"token=gate?{MODULE}", "object= or id= is needed"),
        (f"object=k;type=cert?{MODULE}", "names no private key"),
        ("object=k", "which module to load"),
        (f"object=k;object=j?{MODULE}", "object is given twice"),
        (f"object?{MODULE}", "object is given twice, without value"),
        (f"object=k;slot=9999?{MODULE}", "an attribute that is not known"),
        ("object=k?pin=9999", "an attribute that is not known"),
    ],
)
def test_references_to_no_key_are_refused(rest: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYKCS11LIB", raising=False)
    refused(rest, words, ask=never)


def test_a_token_that_fails_while_signing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from gate.attest.signers import pkcs11 as module

    def fails(*_: Any) -> Any:
        def sign(_: bytes) -> bytes:
            raise pkcs11.DeviceRemoved

        return sign

    monkeypatch.setattr(module, "_signing", fails)
    signer = opened(f"token=gate;object=p256?{MODULE}")
    with pytest.raises(AttestError, match="PKCS#11 token 'gate', key 'p256': the token was removed"):
        signer.sign(b"x")


def test_a_key_without_id_is_found_by_its_label() -> None:
    token = pkcs11.lib(LIBRARY).get_token(token_label="other")
    parameters = {pkcs11.Attribute.EC_PARAMS: pkcs11.util.ec.encode_named_curve_parameters("secp256r1")}
    with token.open(rw=True, user_pin=PIN) as session:
        domain = session.create_domain_parameters(pkcs11.KeyType.EC, parameters, local=True)
        domain.generate_keypair(label="nameless", store=True)
    assert opened(f"token=other;object=nameless?{MODULE}").algorithm == "ecdsa-p256-sha256"
