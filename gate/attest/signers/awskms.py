"""Keys in AWS KMS: `awskms:KEY`, where KEY is a key id, an alias (`alias/NAME`) or the ARN of either.

Credentials and region are those of the AWS command line; the region of an ARN goes first. The digest alone is sent.
Needs `kms:GetPublicKey` and `kms:Sign` on the key, and nothing else.
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

_KEY: Final = re.compile(r"[A-Za-z0-9:/_-]{1,2048}")
_CONNECT_S: Final = 5
_READ_S: Final = 15
_ATTEMPTS: Final = 3
_PERMISSIONS: Final = "allow kms:GetPublicKey and kms:Sign on this key to the identity that signs"
_CREDENTIALS: Final = "aws sts get-caller-identity"
_CODES: Final = {
    "DisabledException": ("the key is disabled", "aws kms enable-key --key-id KEY"),
    "KMSInvalidStateException": (
        "the key cannot be used in its state, such as pending deletion",
        "aws kms describe-key",
    ),
    "KeyUnavailableException": ("the key is not available at the moment", "try again"),
    "NotFoundException": ("there is no such key in this account and region", "aws kms list-aliases; see AWS_REGION"),
    "InvalidArnException": ("this is not the ARN of a key or alias", "aws kms list-aliases"),
    "AccessDeniedException": ("access is denied", _PERMISSIONS),
    "UnsupportedOperationException": ("it is not an asymmetric key for signing", "ECC_NIST_P256 with SIGN_VERIFY"),
    "InvalidKeyUsageException": ("it is not an asymmetric key for signing", "ECC_NIST_P256 with SIGN_VERIFY"),
    "ThrottlingException": (f"too many requests, also after {_ATTEMPTS} attempts", "try again later"),
    "ExpiredTokenException": ("the credentials have expired", _CREDENTIALS),
    "UnrecognizedClientException": ("the credentials are not valid", _CREDENTIALS),
    "InvalidClientTokenId": ("the credentials are not valid", _CREDENTIALS),
    "InvalidSignatureException": ("the credentials are not valid", _CREDENTIALS),
}
_FAILURES: Final = {
    "NoCredentialsError": ("there are no credentials", _CREDENTIALS),
    "PartialCredentialsError": ("the credentials are incomplete", _CREDENTIALS),
    "NoRegionError": ("no region is set", "AWS_REGION, or give the ARN of the key"),
    "ProfileNotFound": ("there is no such profile", "see AWS_PROFILE"),
}


def open_key(rest: str, _passphrase: Passphrase) -> KeySigner:
    """The signer of a key; asks the service for the public one. Raises `AttestError`, `ImportError`."""
    import boto3  # noqa: F401 - missing, it is to be named
    from securesystemslib.signer import AWSSigner

    key = rest.removeprefix("///")
    if not _KEY.fullmatch(key) or key.startswith("/"):
        raise AttestError(
            "--key awskms: is followed by a key id, an alias or an ARN", hint="awskms:alias/NAME; AWS_ENDPOINT_URL_KMS"
        )
    origin = f"AWS KMS, {key}"
    with _told(origin), _session(key):
        uri, public = AWSSigner.import_(key)
        service = AWSSigner.from_priv_key_uri(uri, public)

    def sign(data: bytes) -> bytes:
        with _told(origin):
            return bytes.fromhex(service.sign(data).signature)

    return library_signer(public, origin, sign)


@contextmanager
def _session(key: str) -> Iterator[None]:
    """Clients that are made within answer or fail in bounded time; the process's own default is left as it was."""
    import boto3
    import botocore.session
    from botocore.config import Config

    session = botocore.session.get_session()
    retries = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
    session.set_default_client_config(Config(connect_timeout=_CONNECT_S, read_timeout=_READ_S, retries=retries))
    if key.startswith("arn:"):
        session.set_config_variable("region", (key.split(":") + [""] * 3)[3])
    before = boto3.DEFAULT_SESSION
    try:
        boto3.setup_default_session(botocore_session=session)
        yield
    finally:
        boto3.DEFAULT_SESSION = before


@contextmanager
def _told(origin: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError
    from securesystemslib.exceptions import UnsupportedAlgorithmError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code"))
        what, hint = _CODES.get(code, (f"the service refused ({code})", "see the AWS KMS documentation of this code"))
        raise AttestError(f"{origin}: {what}", hint=hint) from None
    except BotoCoreError as error:
        name = type(error).__name__
        what, hint = _FAILURES.get(name, (f"the service cannot be asked ({name})", "see network, region and proxy"))
        raise AttestError(f"{origin}: {what}", hint=hint) from None
    except (UnsupportedAlgorithmError, KeyError):
        # A key for encryption has no signing algorithms at all.
        what, hint = _CODES["InvalidKeyUsageException"]
        raise AttestError(f"{origin}: {what}", hint=hint) from None
