"""Certificates of a Sigstore authority: whom they name, and when they lived. Nothing here proves that they hold.

Source: sigstore/fulcio, certificate-specification.md and oid-info.md.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gate.formats.certificate_material import CertificateMaterial
from gate.model.evidence import BuildIdentity

if TYPE_CHECKING:
    from cryptography import x509

_FULCIO: Final = "1.3.6.1.4.1.57264.1"
_ISSUER_V1: Final = f"{_FULCIO}.1"
_USER_NAME: Final = f"{_FULCIO}.7"
_ISSUER: Final = f"{_FULCIO}.8"
_BUILD: Final = {
    "source_repository": f"{_FULCIO}.12",
    "source_repository_id": f"{_FULCIO}.15",
    "source_ref": f"{_FULCIO}.14",
    "source_digest": f"{_FULCIO}.13",
    "build_trigger": f"{_FULCIO}.20",
    "runner_environment": f"{_FULCIO}.11",
    "build_signer_uri": f"{_FULCIO}.9",
    "build_signer_digest": f"{_FULCIO}.10",
    "build_config_uri": f"{_FULCIO}.18",
}


class KeylessError(Exception):
    """No trusted identity made the signature. `code` is the reason word of the rejection, without `keyless_`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class CertificateIdentity:
    """Whom a certificate names, and the job that it was issued to."""

    issuer: str
    subject: str
    build: BuildIdentity = field(default_factory=BuildIdentity)

    @property
    def who(self) -> tuple[str, str]:
        """What makes two of them one person: issuer and subject, whatever the job."""
        return self.issuer, self.subject


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps the warnings of libraries about odd certificates: no verdict may depend on what becomes of a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@quiet()
def read_certificate(material: CertificateMaterial) -> x509.Certificate:
    """The certificate of a bundle; raises `KeylessError`."""
    from cryptography import x509

    try:
        return x509.load_der_x509_certificate(material.certificate)
    except Exception as error:  # the library documents no closed set; whatever it raises, there is no certificate
        raise KeylessError("certificate", f"the certificate cannot be read: {short_text(error)}") from error


def life_of(certificate: x509.Certificate) -> tuple[int, int]:
    """When a certificate begins and ends, in seconds since 1970."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return int(begins.timestamp()), int(ends.timestamp())


@quiet()
def identity_of(certificate: x509.Certificate) -> CertificateIdentity:
    """Whom a certificate names; raises `KeylessError` unless that is one subject and one issuer."""
    try:
        return _identity(certificate)
    except KeylessError:
        raise
    except Exception as error:  # as above: extensions are parsed when they are asked for
        raise KeylessError("certificate", f"the certificate cannot be read: {short_text(error)}") from error


def _identity(certificate: x509.Certificate) -> CertificateIdentity:
    from cryptography import x509
    from cryptography.hazmat import asn1

    extensions = certificate.extensions
    names = list(extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    if len(names) != 1:
        raise KeylessError("identity", f"the certificate names {len(names)} subjects")
    values = {e.oid.dotted_string: e.value.value for e in extensions if isinstance(e.value, x509.UnrecognizedExtension)}
    texts = {oid: asn1.decode_der(str, values[oid]) for oid in (_ISSUER, *_BUILD.values()) if oid in values}
    issuers = {texts[_ISSUER]} if _ISSUER in texts else set[str]()
    if _ISSUER_V1 in values:
        issuers.add(values[_ISSUER_V1].decode("utf-8"))
    if len(issuers) != 1:
        raise KeylessError("issuer", f"the certificate names {len(issuers)} issuers")
    build = BuildIdentity(**{name: texts.get(oid) for name, oid in _BUILD.items()})
    return CertificateIdentity(issuers.pop(), _subject(names[0]), build)


def _subject(name: x509.GeneralName) -> str:
    from cryptography import x509
    from cryptography.hazmat import asn1

    if isinstance(name, x509.RFC822Name | x509.UniformResourceIdentifier):
        return name.value
    if isinstance(name, x509.OtherName) and name.type_id.dotted_string == _USER_NAME:
        return asn1.decode_der(str, name.value)
    raise KeylessError("identity", "the certificate names neither an e-mail address nor a URI nor a user")


def short_text(error: Exception) -> str:
    """What an error says, in one line that fits a report, without what a parser says of its own insides."""
    text = " ".join(str(error).partition("ParseError")[0].split()).rstrip(" :(")
    return text[:200] or type(error).__name__
