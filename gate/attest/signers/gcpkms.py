"""Keys in Google Cloud KMS: `gcpkms:projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/V`.

A version is named because an asymmetric key has no primary one. Credentials are the application default ones. The
digest alone is sent. Needs `roles/cloudkms.publicKeyViewer` and `roles/cloudkms.signer` on the key, and nothing else.
Google's client asks again while the service is unavailable, for at most a minute.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from gate.attest.signers import Passphrase
from gate.attest.signers.key import KeySigner
from gate.attest.signers.library import library_signer
from gate.errors import AttestError

_NAME: Final = re.compile(
    r"(projects/[^/?#]+/locations/[^/?#]+/keyRings/[^/?#]+/cryptoKeys/[^/?#]+)/(?:cryptoKeyVersions|versions)/([0-9]+)"
)
_PERMISSIONS: Final = "grant roles/cloudkms.publicKeyViewer and roles/cloudkms.signer on this key"
_AGAIN: Final = "try again later; see network and proxy"
_LOGIN: Final = "gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS"
_CODES: Final = {
    "NotFound": ("there is no such key version", "gcloud kms keys versions list"),
    "PermissionDenied": ("access is denied", _PERMISSIONS),
    "Forbidden": ("access is denied", _PERMISSIONS),
    "Unauthenticated": ("the credentials are not valid", _LOGIN),
    "FailedPrecondition": ("the key version is disabled or destroyed", "gcloud kms keys versions enable"),
    "InvalidArgument": ("it is not a key version for asymmetric signing", "EC_SIGN_P256_SHA256"),
    "ResourceExhausted": ("too many requests: the quota is used up", "try again later"),
    "ServiceUnavailable": ("the service cannot be reached", _AGAIN),
    "DeadlineExceeded": ("the service did not answer in time", _AGAIN),
    "RetryError": ("the service cannot be reached", _AGAIN),
}


def open_key(rest: str, _passphrase: Passphrase) -> KeySigner:
    """The signer of a key version; asks the service for the public key. Raises `AttestError`, `ImportError`."""
    import google.cloud.kms  # noqa: F401 - missing, it is to be named
    from securesystemslib.signer import GCPSigner

    match = _NAME.fullmatch(rest.lstrip("/"))
    if match is None:
        raise AttestError(
            "--key gcpkms: is followed by the full name of a key version",
            hint="gcpkms:projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/1",
        )
    name = f"{match[1]}/cryptoKeyVersions/{match[2]}"
    origin = f"Google Cloud KMS, {name}"
    with _told(origin):
        uri, public = GCPSigner.import_(name)
        service = GCPSigner.from_priv_key_uri(uri, public)

    def sign(data: bytes) -> bytes:
        with _told(origin):
            return bytes.fromhex(service.sign(data).signature)

    return library_signer(public, origin, sign)


@contextmanager
def _told(origin: str) -> Iterator[None]:
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from securesystemslib.exceptions import UnsupportedAlgorithmError

    try:
        yield
    except GoogleAPIError as error:
        name = type(error).__name__
        what, hint = _CODES.get(name, (f"the service refused ({name})", "see the service's documentation"))
        raise AttestError(f"{origin}: {what}", hint=hint) from None
    except GoogleAuthError as error:
        raise AttestError(f"{origin}: there are no usable credentials ({type(error).__name__})", hint=_LOGIN) from None
    except UnsupportedAlgorithmError:
        raise AttestError(
            f"{origin}: the algorithm of this key is not accepted", hint="EC_SIGN_P256_SHA256 or EC_SIGN_P384_SHA384"
        ) from None
