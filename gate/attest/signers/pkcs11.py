"""Keys in tokens, smart cards and HSMs by PKCS#11: `pkcs11:token=LABEL;object=LABEL?module-path=/path/to/module.so`.

The reference is a PKCS#11 URI (RFC 7512): `token`, `serial`, `model` and `manufacturer` choose one token, `object` and
`id` one private key on it. The module is `module-path` or the variable PYKCS11LIB. The PIN is asked for on the
terminal, or read from `pin-source=env:NAME` or `pin-source=file:/PATH`; `pin-value` is refused, since command lines
are read by others. A PIN is tried once: tokens lock themselves. The binding is used itself: the library's signer finds
keys by small numbers only, and opens the token again for each signature.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote_to_bytes

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key

from gate.attest.signers import Passphrase
from gate.attest.signers.file import read_secret
from gate.attest.signers.key import ED25519, PSS, KeySigner, Sign, algorithm_of, environment_value, hashed, key_signer
from gate.errors import AttestError

if TYPE_CHECKING:
    from pkcs11 import Object, ObjectClass, PublicKey, Session, SignMixin, Token

_PIN_BYTES: Final = 1024
_SALT_BYTES: Final = 32
_ED25519_BYTES: Final = 32
_TOKEN: tuple[str, ...] = ("token", "serial", "model", "manufacturer")
_OBJECT: tuple[str, ...] = ("object", "id")
_EXAMPLE: Final = "pkcs11:token=LABEL;object=LABEL?module-path=/path/to/module.so"
_NAMES: Final = {
    "PinIncorrect": ("the PIN is wrong; it was tried once", "a token locks itself after a few wrong PINs"),
    "PinInvalid": ("the PIN is wrong; it was tried once", "a token locks itself after a few wrong PINs"),
    "PinLenRange": ("the PIN is wrong: its length cannot be right", "a token locks itself after a few wrong PINs"),
    "PinLocked": ("the PIN is locked after too many wrong ones", "unlock it with the security officer's PIN"),
    "PinExpired": ("the PIN has expired", "set a new one"),
    "UserPinNotInitialized": ("no PIN has been set", "initialise the token's PIN"),
    "MechanismInvalid": ("the token does not sign with this algorithm", "another key, such as ECDSA P-256"),
    "KeyTypeInconsistent": ("the token does not sign with this key", "another key, such as ECDSA P-256"),
    "FunctionNotSupported": ("the token does not sign with this key", "another key, such as ECDSA P-256"),
    "DeviceRemoved": ("the token was removed", "leave it in until the work is done"),
    "TokenNotPresent": ("the token was removed", "leave it in until the work is done"),
}


@dataclass(frozen=True, slots=True)
class _Reference:
    """A PKCS#11 URI, decoded. `pin_source` is what is left of the PIN: where it is."""

    token: Mapping[str, bytes]
    key: Mapping[str, bytes]
    module: str
    pin_source: str | None


def open_key(rest: str, passphrase: Passphrase) -> KeySigner:
    """The signer of a key on a token, which stays open; raises `AttestError`, `ImportError`."""
    import pkcs11

    reference = _parse(rest)
    with _told(f"PKCS#11 module {reference.module}"):
        module = pkcs11.lib(reference.module)
        tokens = list(module.get_tokens(token_flags=pkcs11.TokenFlag.TOKEN_INITIALIZED))
    token = _one_token(tokens, reference)
    origin = f"PKCS#11 token {token.label!r}"
    pin = _pin(reference.pin_source, origin, passphrase)
    with _told(origin):
        session = _logged_in(token, pin)
        try:
            return _signer(session, reference, origin)
        except BaseException:
            session.close()
            raise


def _logged_in(token: Token, pin: str) -> Session:
    """A session with its one try of the PIN. All sessions of a process are logged in together, by the first of them."""
    from pkcs11 import UserAlreadyLoggedIn

    try:
        return token.open(user_pin=pin)
    except UserAlreadyLoggedIn:
        return token.open()


def _signer(session: Session, reference: _Reference, origin: str) -> KeySigner:
    from pkcs11 import Attribute, ObjectClass

    private = _one_key(session, ObjectClass.PRIVATE_KEY, reference.key, origin)
    name = f"{origin}, key {str(private[Attribute.LABEL])!r}"
    same = {"id": private[Attribute.ID]} if private[Attribute.ID] else reference.key
    public = _public_key(_one_key(session, ObjectClass.PUBLIC_KEY, same, name), name)
    algorithm = algorithm_of(public, name)
    make = _signing(cast("SignMixin", private), algorithm)

    def sign(data: bytes) -> bytes:
        with _told(name):
            return make(data)

    return key_signer(public, name, sign, algorithm)


def _parse(rest: str) -> _Reference:
    """RFC 7512, 2.3. No message repeats the reference: a secret may have been put into it."""
    path, _, query = rest.partition("?")
    attributes = _attributes(path, ";", (*_TOKEN, *_OBJECT, "type"))
    options = _attributes(query, "&", ("module-path", "pin-source", "pin-value"))
    if "pin-value" in options:
        raise AttestError(
            "--key pkcs11: holds a PIN, and command lines are read by others",
            hint="pin-source=env:NAME or pin-source=file:/PATH, or no pin-source at a terminal; and change that PIN",
        )
    if attributes.get("type", b"private") != b"private":
        raise AttestError("--key pkcs11: names no private key", hint="leave out type=")
    key = {name: attributes[name] for name in _OBJECT if name in attributes}
    if not key:
        raise AttestError("--key pkcs11: does not say which key: object= or id= is needed", hint=_EXAMPLE)
    module = os.fsdecode(options["module-path"]) if "module-path" in options else os.environ.get("PYKCS11LIB", "")
    if not module:
        raise AttestError("--key pkcs11: does not say which module to load", hint=_EXAMPLE)
    source = options.get("pin-source")
    token = {name: attributes[name] for name in _TOKEN if name in attributes}
    return _Reference(token, key, module, None if source is None else os.fsdecode(source))


def _attributes(text: str, separator: str, known: tuple[str, ...]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in filter(None, text.split(separator)):
        name, equals, value = part.partition("=")
        if name not in known or not equals or name in found:
            what = name if name in known else "an attribute that is not known"
            raise AttestError(f"--key pkcs11: {what} is given twice, without value or wrongly", hint=_EXAMPLE)
        found[name] = unquote_to_bytes(value)
    return found


def _one_token(tokens: list[Token], reference: _Reference) -> Token:
    def fits(token: Token) -> bool:
        has = {
            "token": token.label.encode(),
            "serial": token.serial,
            "model": str(token.model).encode(),
            "manufacturer": str(token.manufacturer_id).encode(),
        }
        return all(has[name].rstrip() == value.rstrip() for name, value in reference.token.items())

    fitting = [token for token in tokens if fits(token)]
    if len(fitting) != 1:
        there = ", ".join(repr(token.label) for token in tokens) or "none"
        raise AttestError(
            f"--key pkcs11: {len(fitting)} tokens of the module {reference.module} fit; there are: {there}",
            hint="token=LABEL or serial=NUMBER of one of them",
        )
    return fitting[0]


def _pin(source: str | None, origin: str, passphrase: Passphrase) -> str:
    """The PIN; raises `AttestError`, with nothing of it in the message."""
    if source is None:
        return passphrase(f"PIN of {origin}")
    if source.startswith("env:"):
        return environment_value(source[4:], "pin-source=env:")
    path = source.removeprefix("file:").removeprefix("//")
    if not path.startswith("/"):
        raise AttestError(f"{origin}: pin-source is neither env:NAME nor file:/PATH", hint="pin-source=env:NAME")
    pin = read_secret(Path(path), _PIN_BYTES).decode("utf-8", "surrogateescape").strip("\r\n")
    if not pin:
        raise AttestError(f"{origin}: {path} is empty", hint="pin-source=file:/PATH of a file with the PIN")
    return pin


def _one_key(session: Session, kind: ObjectClass, wanted: Mapping[str, bytes], origin: str) -> Object:
    from pkcs11 import Attribute

    template: dict[Attribute, object] = {Attribute.CLASS: kind}
    if "id" in wanted:
        template[Attribute.ID] = wanted["id"]
    if "object" in wanted:
        template[Attribute.LABEL] = wanted["object"].decode("utf-8", "replace")
    found = list(session.get_objects(template))
    if len(found) != 1:
        what = kind.name.replace("_", " ").lower()
        raise AttestError(
            f"{origin}: {len(found)} keys are there where one {what} is needed",
            hint="pkcs11-tool --login --list-objects",
        )
    return found[0]


def _public_key(key: Object, origin: str) -> PublicKeyTypes:
    from pkcs11 import Attribute, KeyType
    from pkcs11.util.ec import encode_ec_public_key
    from pkcs11.util.rsa import encode_rsa_public_key

    kind = key[Attribute.KEY_TYPE]
    if kind == KeyType.EC:
        return load_der_public_key(encode_ec_public_key(cast("PublicKey", key)))
    if kind == KeyType.RSA:
        return load_der_public_key(encode_rsa_public_key(cast("PublicKey", key)))
    if kind == KeyType.EC_EDWARDS:
        return Ed25519PublicKey.from_public_bytes(key[Attribute.EC_POINT][-_ED25519_BYTES:])
    raise AttestError(f"{origin}: a key of the kind {KeyType(kind).name} is not accepted", hint="use ECDSA P-256")


def _signing(key: SignMixin, algorithm: str) -> Sign:
    from pkcs11 import MGF, Mechanism
    from pkcs11.util.ec import encode_ecdsa_signature

    if algorithm == ED25519:
        return lambda data: key.sign(data, mechanism=Mechanism.EDDSA)
    if algorithm == PSS:
        pss = (Mechanism.SHA256, MGF.SHA256, _SALT_BYTES)
        return lambda data: key.sign(data, mechanism=Mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=pss)
    return lambda data: encode_ecdsa_signature(key.sign(hashed(algorithm, data), mechanism=Mechanism.ECDSA))


@contextmanager
def _told(origin: str) -> Iterator[None]:
    from pkcs11 import PKCS11Error

    try:
        yield
    except PKCS11Error as error:
        name = type(error).__name__
        what, hint = _NAMES.get(name, (f"it refused or failed ({name})", "see the token's or module's manual"))
        raise AttestError(f"{origin}: {what}", hint=hint) from None
