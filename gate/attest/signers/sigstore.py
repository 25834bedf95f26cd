"""Keyless signatures: `sigstore:` makes a key for minutes, and lets a certificate authority say whose it is.

    sigstore:                       the public-good instance of Sigstore
    sigstore:?trust_config=FILE     a private instance: its client trust configuration (JSON)

The identity is that of the CI job (GitHub, GitLab, Buildkite, CircleCI, Google Cloud), else of whoever logs in with a
browser, which needs a terminal. The instance is reached when something is signed, and not before. Every bundle is
verified by the library, for the very identity in its certificate, before it is returned.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from gate.attest.files import read_file
from gate.errors import AttestError

if TYPE_CHECKING:
    from sigstore.models import Bundle, ClientTrustConfig
    from sigstore.oidc import IdentityToken
    from sigstore.sign import Signer

_CONFIG_BYTES: Final = 1 << 20
_SESSION_S: Final = 300  # a certificate lives for ten minutes
_CLIENT_ID: Final = "sigstore"
_PARAMETER: Final = "trust_config"
Terminal = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class _Session:
    """A certificate, good for some minutes, and the instance that gave it."""

    signer: Signer
    trust: ClientTrustConfig
    opened: float


class KeylessSigner:
    """An identity of one Sigstore instance; `config` is its trust configuration, `None` for the public-good one.

    One certificate serves for the statements of a few minutes; its key never leaves the process.
    """

    def __init__(self, config: Path | None, has_terminal: Terminal) -> None:
        self.config = config
        self._has_terminal = has_terminal
        self._session: _Session | None = None

    def sign_statement(self, payload: bytes) -> bytes:
        """The bundle v0.3 around a statement, whose bytes are signed as they are; raises `AttestError`."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of libraries, about odd certificates
                return self._sign(payload)
        except (AttestError, ImportError):
            raise
        except Exception as error:  # the library documents no closed set; whatever it raises, nothing is signed
            text = " ".join(str(error).split())[:300]
            raise AttestError(
                f"--key sigstore: cannot sign: {text or type(error).__name__}",
                hint="the instance has to be reachable, and the identity one that it accepts",
            ) from error

    def _sign(self, payload: bytes) -> bytes:
        from sigstore.dsse import Statement

        statement = Statement(payload)
        if self._session is None or monotonic() - self._session.opened > _SESSION_S:
            self._session = self._open()
        bundle = self._session.signer.sign_dsse(statement)
        _check(bundle, self._session.trust, payload)
        return bundle.to_json().encode("utf-8")

    def _open(self) -> _Session:
        from sigstore.sign import SigningContext

        trust, opened = self._trust(), monotonic()
        with SigningContext.from_trust_config(trust).signer(self._token(trust)) as signer:
            return _Session(signer, trust, opened)

    def _trust(self) -> ClientTrustConfig:
        from sigstore.models import ClientTrustConfig

        if self.config is None:
            return ClientTrustConfig.production()
        text = read_file(self.config, _CONFIG_BYTES).decode("utf-8", "replace")
        try:
            return ClientTrustConfig.from_json(text)
        except ValueError as error:
            raise AttestError(
                f"{self.config} is not the client trust configuration of a Sigstore instance",
                hint="JSON with trustedRoot and signingConfig, from whoever runs the instance",
            ) from error

    def _token(self, trust: ClientTrustConfig) -> IdentityToken:
        from sigstore.oidc import IdentityToken, Issuer, detect_credential

        ambient = detect_credential(_CLIENT_ID)
        if ambient is not None:
            return IdentityToken(ambient, client_id=_CLIENT_ID)
        if not self._has_terminal():
            raise AttestError(
                "--key sigstore: no identity: no credential of a CI job, and no terminal to log in from",
                hint="in GitHub Actions: permissions: {id-token: write}",
            )
        return Issuer(trust.signing_config.get_oidc_url()).identity_token(client_id=_CLIENT_ID)


def open_keyless(rest: str, base: Path, has_terminal: Terminal = sys.stdin.isatty) -> KeylessSigner:
    """The signer for what follows `sigstore:`; raises `AttestError`. Relative paths start at `base`."""
    import sigstore.sign  # noqa: F401 - a missing extra is told before anything is hashed

    parameters = parse_qsl(rest.removeprefix("?"), keep_blank_values=True)
    if rest and (not rest.startswith("?") or [name for name, value in parameters if value] != [_PARAMETER]):
        raise AttestError(
            "--key sigstore: what follows it is not known", hint=f"sigstore: or sigstore:?{_PARAMETER}=FILE"
        )
    return KeylessSigner(base / parameters[0][1] if parameters else None, has_terminal)


def _check(bundle: Bundle, trust: ClientTrustConfig, payload: bytes) -> None:
    """That the bundle verifies, for whom its own certificate names, over exactly the payload."""
    from cryptography.x509 import SubjectAlternativeName
    from sigstore.verify import Verifier
    from sigstore.verify.policy import Identity

    names = bundle.signing_certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    (subject,) = (name.value for name in names)
    _, signed = Verifier(trusted_root=trust.trusted_root).verify_dsse(bundle, Identity(identity=subject))
    if signed != payload:
        raise AttestError("the own signature is over other bytes; nothing was written")
