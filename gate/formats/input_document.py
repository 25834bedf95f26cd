"""The input document read back into the facts that a decision is made from (`urn:gate:input:v1`, DOCUMENTS 2)."""

from __future__ import annotations

from typing import Final

from gate.formats import canonical_json, schema
from gate.formats.checked import Checked
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.admission import AdmissionFacts, BreakGlass, ImageUse, ObjectKind, Operation, Role
from gate.model.artifact import Artifact, ArtifactFile, ArtifactKind
from gate.model.change import ChangeSet, ChangeSource, ChangeStatus, FileChange, FileSide
from gate.model.control import Mode, Profile
from gate.model.digest import Digest, parse_digest, sha256_digest
from gate.model.document import InputDocument
from gate.model.evidence import (
    Concern,
    Rejected,
    SignerIdentity,
    Stage,
    Statement,
    Subject,
    TimeSource,
    Verified,
    VerifiedSet,
)
from gate.model.json import JsonObject
from gate.model.reuse import Summary
from gate.model.settings import BuilderSettings
from gate.model.waiver import Waiver

MAX_BYTES: Final = 64 << 20
_STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"


class InputDocumentError(ValueError):
    """The bytes are no input document."""


def read_input_document(data: bytes, *, limit: int = MAX_BYTES) -> InputDocument:
    """The document in some bytes, checked against its schema; raises `InputDocumentError`."""
    try:
        value = loads_object(data, limit=limit)
    except StrictJsonError as error:
        raise InputDocumentError(f"no JSON: {error}") from None
    problem = schema.problem("input.json", value)
    if problem is not None:
        raise InputDocumentError(f"it does not fit its schema: {problem}")
    try:
        canonical = canonical_json.dumps(value)
    except canonical_json.CanonicalJsonError as error:
        raise InputDocumentError(f"it has no canonical form: {error}") from None
    document = InputDocument(value, canonical, sha256_digest(canonical))
    try:
        InputFacts(document).read()
    except ValueError as error:
        raise InputDocumentError(str(error)) from None
    return document


class InputFacts:
    """What a document that fits its schema says, in the types that deciding uses.

    Nothing is computed: what the document does not hold (contents, predicates beyond their form) has no say.
    """

    def __init__(self, document: InputDocument) -> None:
        self._root = Checked(document.value)

    def read(self) -> tuple[object, ...]:
        """All of them; raises `ValueError` for what the schema lets through and no fact can be, such as a key."""
        told = (self.now_s, self.context, self.profile, self.skipped, self.artifacts, self.change)
        return (*told, self.evidence, self.waivers, self.reuse, self.builders, self.admission)

    @property
    def now_s(self) -> int:
        """The time of the decision, in seconds since 1970."""
        return self._root.object("context").number("now_s")

    @property
    def context(self) -> JsonObject:
        """Target and environment."""
        context = self._root.object("context")
        return {"target": context.text("target"), "environment": context.text("environment")}

    @property
    def profile(self) -> Profile:
        """The profile with its parameters."""
        profile = self._root.object("profile")
        return Profile(
            profile.text("name"),
            {name: Mode(control.text("mode")) for name, control in profile.members("controls")},
            {name: values.value for name, values in self._root.members("parameters")},
        )

    @property
    def artifacts(self) -> dict[str, Artifact]:
        """What asks for admission, by name."""
        return {name: _artifact(name, item) for name, item in self._root.members("artifacts")}

    @property
    def change(self) -> ChangeSet:
        """What changed; the folders of deleted files are not told."""
        change = self._root.object("change")
        return ChangeSet(
            ChangeSource(change.text("status")),
            change.maybe_text("base"),
            change.maybe_text("merge_base"),
            change.maybe_text("head"),
            change.maybe_text("tree"),
            change.flag("dirty"),
            {path: _file_change(item) for path, item in change.members("files")},
            {},
        )

    @property
    def evidence(self) -> VerifiedSet:
        """What was verified and what was rejected, both sorted by digest."""
        verified = [_verified(_key(name), item) for name, item in self._root.members("attestations")]
        rejected = [rejected_of(_key(name), item) for name, item in self._root.members("rejected")]
        return VerifiedSet(
            tuple(sorted(verified, key=lambda item: item.payload)),
            tuple(sorted(rejected, key=lambda item: item.evidence)),
        )

    @property
    def waivers(self) -> dict[str, Waiver]:
        """The waivers by id."""
        return {name: _waiver(name, item) for name, item in self._root.members("waivers")}

    @property
    def reuse(self) -> tuple[Summary, ...]:
        """What verification summaries are good for, sorted by artifact and digest."""
        if not self._root.has("reuse"):
            return ()
        found = [
            _summary(_key(statement), artifact, item)
            for artifact in self._root.object("reuse").value
            for statement, item in self._root.object("reuse").members(artifact)
        ]
        return tuple(sorted(found, key=lambda item: (item.artifact, item.statement)))

    @property
    def builders(self) -> tuple[BuilderSettings, ...]:
        """The builders that the configuration knows."""
        if not self._root.has("builders"):
            return ()
        return tuple(
            BuilderSettings(item.text("id"), item.texts("signers"), item.number("level"))
            for _, item in self._root.members("builders")
        )

    @property
    def admission(self) -> AdmissionFacts | None:
        """What an API server asks; `None` where none does."""
        return admission_of(self._root.object("admission")) if self._root.has("admission") else None

    @property
    def skipped(self) -> dict[str, str]:
        """What was not checked, and why."""
        return self._root.texts_by_name("skipped")


def _key(text: str) -> Digest:
    found = parse_digest(text)
    if found is None:
        raise ValueError("no digest where one has to be")
    return found


def _artifact(name: str, item: Checked) -> Artifact:
    return Artifact(
        name=name,
        kind=ArtifactKind(item.text("kind")),
        path=item.maybe_text("path"),
        reference=item.maybe_text("reference"),
        mutable_reference=item.flag("mutable_reference"),
        base=item.maybe_text("base"),
        digest=item.maybe_digest("digest"),
        files={
            path: ArtifactFile(file.maybe_digest("digest"), file.number("bytes"), file.text("format"))
            for path, file in item.members("files")
        },
    )


def _file_change(item: Checked) -> FileChange:
    return FileChange(
        ChangeStatus(item.text("status")), _side(item.maybe_object("old")), _side(item.maybe_object("new"))
    )


def _side(item: Checked | None) -> FileSide | None:
    return None if item is None else FileSide(item.text("mode"), item.maybe_digest("digest"))


def _verified(payload: Digest, item: Checked) -> Verified:
    subjects = tuple(Subject(subject.text("name"), _key(digest)) for digest, subject in item.members("subjects"))
    is_named = item.has("resources") and item.maybe_object("resources") is not None
    signed_at = item.object("signed_at")
    source = TimeSource(signed_at.text("source"))
    return Verified(
        payload=payload,
        evidence=item.digest("evidence"),
        origin=item.text("origin"),
        statement=Statement(
            claim=item.text("claim"),
            predicate_type=item.text("predicate_type"),
            subjects=subjects,
            resources=tuple(Subject(*pair) for pair in item.digests_by_name("resources").items())
            if is_named
            else subjects,
            exhaustive=False,
            depends_on=item.digests("depends_on"),
            stated_at_s=item.maybe_number("stated_at_s"),
            facts=item.object("facts").value,
            predicate=item.object("predicate").value,
            statement_type=item.text("statement_type") if "statement_type" in item.value else _STATEMENT_TYPE,
        ),
        signers=tuple(map(signer_of, item.objects("signers"))),
        artifacts=item.texts("artifacts"),
        ancestors=item.digests("ancestors"),
        signed_at_s=None if source is TimeSource.NONE else signed_at.number("at_s"),
        time_source=source,
        log_included=item.object("log").flag("included"),
    )


def signer_of(item: Checked) -> SignerIdentity:
    """A signer, as decisions list them too."""
    return SignerIdentity(
        item.text("name"),
        item.text("kind"),
        item.maybe_digest("spki"),
        item.maybe_text("issuer"),
        item.maybe_text("subject"),
    )


def rejected_of(evidence: Digest, item: Checked) -> Rejected:
    """Rejected evidence, as decisions list it too."""
    return Rejected(
        evidence=evidence,
        origin=item.text("origin"),
        stage=Stage(item.text("stage")),
        code=item.text("code"),
        detail=item.text("detail"),
        claimed=item.maybe_text("claimed"),
        concern=Concern(item.text("concern")),
        artifacts=item.texts("artifacts"),
    )


def admission_of(item: Checked) -> AdmissionFacts:
    """What an API server asks, as decisions tell it too."""
    kind, glass = item.object("kind"), item.maybe_object("break_glass")
    return AdmissionFacts(
        operation=Operation(item.text("operation")),
        kind=ObjectKind(kind.text("group"), kind.text("version"), kind.text("kind")),
        resource=item.text("resource"),
        sub_resource=item.text("sub_resource"),
        namespace=item.maybe_text("namespace"),
        name=item.maybe_text("name"),
        dry_run=item.flag("dry_run"),
        images={
            place: ImageUse(image.text("reference"), Role(image.text("role")), image.text("artifact"))
            for place, image in item.members("images")
        },
        last_seen=item.texts("last_seen"),
        unread=item.texts_by_name("unread"),
        break_glass=None if glass is None else _break_glass(glass),
    )


def _break_glass(item: Checked) -> BreakGlass:
    return BreakGlass(
        evidence=item.digest("evidence"),
        statement=item.maybe_digest("statement"),
        signers=item.texts("signers"),
        namespace=item.maybe_text("namespace"),
        reason=item.maybe_text("reason"),
        ticket=item.maybe_text("ticket"),
        approver=item.maybe_text("approver"),
        created_s=item.maybe_number("created_s"),
        expires_s=item.maybe_number("expires_s"),
        problems=item.texts("problems"),
    )


def _summary(statement: Digest, artifact: str, item: Checked) -> Summary:
    """A summary; it stands for nothing where an older document does not say what else is here."""
    problems = item.texts("problems")
    if not item.has("here"):
        return Summary(statement, item.maybe_text("verifier"), artifact, (), (*problems, "what is here is not told"))
    here = frozenset(item.texts("here"))
    return Summary(statement, item.maybe_text("verifier"), artifact, item.texts("controls"), problems, here)


def _waiver(name: str, item: Checked) -> Waiver:
    """A waiver; it is never in force where an older document does not say since when, and who is behind it."""
    if not item.has("created_s"):
        expires_s = item.number("expires_s")
        words = (item.text("control"), item.digest("artifact"), item.maybe_text("finding"))
        return Waiver(name, *words, "", "", "", "", expires_s, expires_s, "an older document does not tell enough")
    return Waiver(
        id=name,
        control=item.text("control"),
        artifact=item.digest("artifact"),
        finding=item.maybe_text("finding"),
        reason=item.text("reason"),
        ticket=item.text("ticket"),
        owner=item.text("owner"),
        approver=item.text("approver"),
        created_s=item.number("created_s"),
        expires_s=item.number("expires_s"),
        problem=item.maybe_text("problem"),
    )
