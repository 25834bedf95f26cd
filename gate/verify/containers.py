"""The containers of evidence: DSSE envelopes, signed CycloneDX documents, and where gate.yaml says so, llmsa's bundles.

Whether an item is llmsa's is what the configuration says of the place where it lay, never what it looks like. So an
envelope that does not verify is not tried as the weaker form, and a bundle of llmsa counts nowhere else. A CycloneDX
document says so itself, and what says so is nothing else.
"""

from __future__ import annotations

from gate.formats.bundle import Container, parse_container
from gate.formats.intoto import parse_statement
from gate.formats.jsf import SignedDocument
from gate.formats.llmsa import LegacyBundle, parse_legacy, read_legacy
from gate.formats.message import MessageSignature, read_message
from gate.formats.predicates import PLAIN, Reading, read_statement
from gate.formats.predicates.sbom import read_enveloped
from gate.model.evidence import Evidence, Statement
from gate.verify.enveloped import open_enveloped, prove_enveloped
from gate.verify.trust import Proof, TrustStore, Untrusted

Opened = Container | LegacyBundle | SignedDocument
_LEGACY_ALGORITHM = "ed25519"


def open_container(item: Evidence, limit: int) -> Opened:
    """The container of an item, in the form of its place; raises `BundleError`."""
    if item.is_legacy:
        return parse_legacy(item.data, limit=limit)
    return open_enveloped(item.data, limit) or parse_container(item.data, limit=limit, message=item.message)


def signed_payload(container: Opened) -> bytes:
    """What the signatures speak of; for a signed file, a text that stands for it."""
    if isinstance(container, SignedDocument):
        return container.content
    return container.payload if isinstance(container, LegacyBundle) else container.content.payload


def prove(container: Opened, trust: TrustStore) -> Proof:
    """Who signed it; raises `Untrusted`. In the legacy form only Ed25519 keys of the configuration sign."""
    if isinstance(container, SignedDocument):
        return prove_enveloped(container, trust)
    if not isinstance(container, LegacyBundle):
        return trust.prove(container)
    if not container.is_hash_right:
        raise Untrusted("statement_hash", "the payload does not have the statement_hash that the metadata says")
    return Proof(trust.identify(container.signatures, container.payload, _LEGACY_ALGORITHM))


def read_payload(container: Opened, limit: int, reading: Reading = PLAIN) -> Statement:
    """The statement in a container that was proved; raises `StatementError`. `reading` is what gate.yaml adds."""
    if isinstance(container, SignedDocument):
        return read_enveloped(container.document)
    if isinstance(container, LegacyBundle):
        return read_legacy(container.payload, limit=limit)
    if isinstance(container.content, MessageSignature):
        return read_message(container.content)
    return read_statement(parse_statement(container.envelope.payload, limit=limit), reading)
