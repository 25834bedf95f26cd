"""Bills of materials that lie in evidence as they are: CycloneDX documents that are signed inside (JSF), no others.

A document without a statement around it and without a signature is refused with what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.formats.bundle import BundleError
from gate.formats.jsf import MEMBER, JsfError, SignedDocument, parse_signed
from gate.formats.predicates.sbom import is_bill
from gate.formats.strict_json import StrictJsonError, loads
from gate.model.settings import SignerSettings
from gate.verify.trust import Proof, TrustStore, Untrusted

# Bytes that no envelope has, since its payload is base64; what has them is looked at as a whole.
_MARKS: Final = (b'"bomFormat"', b'"spdxVersion"', b'"@context"')
_HINT: Final = (
    "sign a statement around it: `gate attest create --claim sbom --predicate FILE --subject ARTIFACT --key KEY`, "
    "or `cosign attest --type cyclonedx` (or spdxjson) for an image"
)


def open_enveloped(data: bytes, limit: int) -> SignedDocument | None:
    """The signed document in some bytes; `None` for what is no bill of materials. Raises `BundleError`."""
    if not any(mark in data for mark in _MARKS):
        return None
    try:
        value = loads(data, limit=limit)
    except StrictJsonError as error:
        raise BundleError("json", str(error)) from None
    if not isinstance(value, Mapping) or not is_bill(value):
        return None
    if MEMBER not in value or "bomFormat" not in value:
        raise BundleError("unsigned_bom", f"a bill of materials that nobody signed; {_HINT}")
    try:
        return parse_signed(value)
    except JsfError as error:
        raise BundleError(error.code, f"the signature in the bill of materials: {error}") from None


def prove_enveloped(document: SignedDocument, trust: TrustStore) -> Proof:
    """Who signed it; raises `Untrusted`. Each signature counts that a trusted key of its algorithm made."""
    found: dict[str, SignerSettings] = {}
    problem = Untrusted("none", "the document holds no signature")
    for signature in document.signatures:
        try:
            signers = trust.identify((signature.value,), signature.signed, signature.algorithm)
        except Untrusted as error:
            problem = error
            continue
        found.update({signer.name: signer for signer in signers})
    if not found:
        raise problem
    return Proof(tuple(found.values()))
