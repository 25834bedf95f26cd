"""The `trust` section of `gate.yaml`: who may say what, and what is revoked (DOCUMENTS 1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gate.config.builders import read_builders, read_drafts
from gate.config.nodes import Source, claim, claim_problem, named, read, relative_path
from gate.formats import canonical_json
from gate.formats.rfc3339 import parse_duration, parse_time
from gate.formats.strict_yaml import Node, suggestion
from gate.model.digest import parse_digest, sha256_digest
from gate.model.json import JsonValue
from gate.model.settings import IdentitySettings, Revocations, SignerSettings, TrustSettings

# The thresholds of a control that counts people are given under the control's name.
_THRESHOLD_ALIASES: Final = {"approval.human": "approval"}


def read_trust(node: Node | None, source: Source, drafts: Node | None = None) -> TrustSettings:
    """The `trust` section, and `drafts`; without one nobody is trusted."""
    return _Trust(node, source).settings(read_drafts(drafts))


class _Trust:
    def __init__(self, node: Node | None, source: Source) -> None:
        self.node = node
        self.source = source
        self.fields = node.fields("signers", "thresholds", "sigstore", "revoked", "builders") if node else {}

    def settings(self, drafts: frozenset[str]) -> TrustSettings:
        signers = {name: self._signer(name, node) for name, node in named(self.fields.get("signers")).items()}
        sigstore = (
            self.fields["sigstore"].fields("trusted_root", "sha256", "max_age") if "sigstore" in self.fields else {}
        )
        root_path, root_sha256, root = self._trusted_root(sigstore)
        text: JsonValue = {
            "signers": {name: _signer_json(signer) for name, signer in signers.items()},
            "section": self.node.json() if self.node else None,
            **({"drafts": sorted(drafts)} if drafts else {}),
        }
        return TrustSettings(
            signers=signers,
            thresholds=self._thresholds(signers),
            revoked=self._revoked(signers),
            sigstore_trusted_root=root_path,
            sigstore_sha256=root_sha256,
            digest=sha256_digest(canonical_json.dumps(text)),
            sigstore_root=root,
            sigstore_max_age_s=_age(sigstore.get("max_age")),
            builders=read_builders(self.fields.get("builders"), signers),
            drafts=drafts,
        )

    def _signer(self, name: str, node: Node) -> SignerSettings:
        fields = node.fields("key", "scheme", "identity", "claims", "valid_from", "valid_until")
        if ("key" in fields) == ("identity" in fields):
            raise node.error(f"signer {name!r} needs a key or an identity, and not both")
        if "claims" not in fields or not fields["claims"].items():
            raise node.error(f"signer {name!r} needs the claims that it may speak for")
        for item in fields["claims"].items():
            claim(item, pattern=True)
        key = fields.get("key")
        valid_from_s = _day(fields["valid_from"], end=False) if "valid_from" in fields else None
        valid_until_s = _day(fields["valid_until"], end=True) if "valid_until" in fields else None
        if valid_from_s is not None and valid_until_s is not None and valid_until_s < valid_from_s:
            raise fields["valid_until"].error(f"signer {name!r} is never valid: valid_until is before valid_from")
        if "scheme" in fields and key is None:
            raise fields["scheme"].error("a scheme is given for keys only")
        return SignerSettings(
            name=name,
            claims=fields["claims"].texts(),
            key_path=relative_path(key) if key else None,
            key_pem=read(self.source, key, f"key of signer {name!r}") if key else None,
            identity=_identity(fields["identity"]) if "identity" in fields else None,
            scheme=fields["scheme"].text() if "scheme" in fields else None,
            valid_from_s=valid_from_s,
            valid_until_s=valid_until_s,
        )

    def _trusted_root(self, fields: Mapping[str, Node]) -> tuple[str | None, str | None, bytes | None]:
        if not fields:
            return None, None, None
        if "trusted_root" not in fields or "sha256" not in fields:
            raise self.fields["sigstore"].error("sigstore needs trusted_root and its sha256")
        data = read(self.source, fields["trusted_root"], "trusted_root")
        expected = fields["sha256"].text().removeprefix("sha256:")
        if sha256_digest(data) != f"sha256:{expected}":
            raise fields["sha256"].error(f"the trusted root's SHA-256 is {sha256_digest(data)}")
        return relative_path(fields["trusted_root"]), expected, data

    def _thresholds(self, signers: Mapping[str, SignerSettings]) -> Mapping[str, int]:
        found = {}
        for name, node in self.fields["thresholds"].members().items() if "thresholds" in self.fields else ():
            subject = _THRESHOLD_ALIASES.get(name, name)
            problem = claim_problem(subject)
            if problem is not None:
                raise node.error(problem)
            if subject in found:
                raise node.error(f"the threshold of {subject} is given twice")
            most = sum(signer.may_claim(subject) for signer in signers.values())
            if not isinstance(node.value, int) or isinstance(node.value, bool) or not 1 <= node.value <= most:
                raise node.error(f"the threshold of {name} must be a number from 1 to {most}, its signers")
            found[subject] = node.value
        return found

    def _revoked(self, signers: Mapping[str, SignerSettings]) -> Revocations:
        fields = self.fields["revoked"].fields("keys", "identities", "evidence") if "revoked" in self.fields else {}
        for node in fields["evidence"].items() if "evidence" in fields else ():
            if parse_digest(node.text()) is None:
                raise node.error("revoked evidence is named by sha256:<hex> of the evidence or its payload")
        # A name that is nobody's would revoke nothing, and nobody would notice.
        for node in fields["keys"].items() if "keys" in fields else ():
            if node.text() not in signers and parse_digest(node.text()) is None:
                raise node.error(
                    f"{node.text()[:80]!r} is neither a signer nor the sha256:<hex> of a public key"
                    f"{suggestion(node.text(), list(signers))}"
                )
        return Revocations(
            *(frozenset(fields[k].texts()) if k in fields else frozenset() for k in Revocations.__slots__)
        )


_BUILD: Final = (
    "source_repository",
    "source_repository_id",
    "source_ref",
    "source_digest",
    "build_trigger",
    "runner_environment",
)
# Scheme, host, owner, repository and workflow file, all before the first `*`; letters that no address of a job needs
# are left out, so that nothing in it is an escape.
_PINNED: Final = re.compile(
    r"https://[a-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9._-]+/[A-Za-z0-9._/-]*[A-Za-z0-9._-]+\.ya?ml@[^*]*"
)


def _identity(node: Node) -> IdentitySettings:
    fields = node.fields("issuer", "subject", "subject_pattern", "timestamps_only", *_BUILD)
    if "issuer" not in fields or ("subject" in fields) == ("subject_pattern" in fields):
        raise node.error("an identity needs an issuer, and a subject or a subject_pattern")
    if not fields["issuer"].text().startswith("https://"):
        raise fields["issuer"].error("the issuer must be an https address")
    pattern = _pattern(fields["subject_pattern"]) if "subject_pattern" in fields else None
    build = {name: fields[name].text() if name in fields else None for name in _BUILD}
    return IdentitySettings(
        issuer=fields["issuer"].text(),
        subject=fields["subject"].text() if pattern is None else None,
        subject_pattern=pattern,
        timestamps_only="timestamps_only" in fields and _flag(fields["timestamps_only"]),
        **build,
    )


def _pattern(node: Node) -> str:
    """A pattern of subjects that leaves open nothing but the ref (SECURITY 8)."""
    text = node.text()
    head, _, tail = text.partition("*")
    path = head.partition("://")[2].partition("@")[0].split("/")
    if not _PINNED.fullmatch(head) or len(path) < 4 or "**" in text or not tail.isprintable():
        raise node.error(
            "a subject_pattern pins scheme, host, owner, repository and workflow file before its first '*':"
            " https://github.com/acme/models/.github/workflows/release.yml@refs/tags/*"
        )
    return text


def _flag(node: Node) -> bool:
    if not isinstance(node.value, bool):
        raise node.error("expected true or false")
    return node.value


def _age(node: Node | None) -> int | None:
    if node is None:
        return None
    seconds = parse_duration(node.text())
    if seconds is None:
        raise node.error("expected a duration such as 30d, 12h or 90m")
    return seconds


def _signer_json(signer: SignerSettings) -> JsonValue:
    return {"key": None if signer.key_pem is None else sha256_digest(signer.key_pem)}


def _day(node: Node, *, end: bool) -> int:
    text = node.text()
    seconds = parse_time(text if "T" in text else f"{text}T{'23:59:59' if end else '00:00:00'}Z")
    if seconds is None:
        raise node.error("expected a date (2027-06-30) or an RFC 3339 time")
    return seconds
