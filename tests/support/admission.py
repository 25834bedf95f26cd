"""A webhook's world without network and disk: reviews, a registry of what is attached, a log in memory, a state."""

from __future__ import annotations

import base64
import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from gate.app.admission_judge import Judgement, State, judge_review
from gate.app.workspace import Workspace
from gate.collect.admission import Fetched, Resolved, TagError, UnknownRegistryError
from gate.errors import GateError
from gate.evaluate.interface import Engine
from gate.formats.image_reference import parse_image
from gate.formats.rfc3339 import format_time
from gate.model.admission import ObjectKind, Operation, Review
from gate.model.admission_settings import AdmissionRegistry, AdmissionSettings, BreakGlassSettings
from gate.model.artifact import ArtifactKind
from gate.model.control import Mode, Profile
from gate.model.decision import Decision
from gate.model.digest import Digest
from gate.model.document import InputDocument
from gate.model.evidence import Evidence
from gate.model.json import JsonObject
from gate.model.settings import ArtifactSettings, RecordSettings, Settings, TrustSettings
from gate.verify.trust import build_trust_store
from tests.support.cases import Scene, embedded, packaged, profile_of, settings_of
from tests.support.evidence import (
    NOW_S,
    SigningKey,
    bundle,
    digest_of,
    encode,
    make_key,
    provenance,
    signer,
    statement,
    trust_settings,
)

HOST: Final = "registry.test"
APP: Final = digest_of("app")
OTHER: Final = digest_of("other")
IMAGE: Final = f"{HOST}/team/app@{APP}"
OTHER_IMAGE: Final = f"{HOST}/team/other@{OTHER}"
NAMESPACE: Final = "payments"
HOUR: Final = 3600
BUILDER: Final = make_key("builder")
BREAKER: Final = make_key("breaker")
POD: Final = ObjectKind("", "v1", "Pod")


def trust(**more: Any) -> TrustSettings:
    """Whom the webhook trusts."""
    return trust_settings(
        signer("release", claims=("artifact.signature", "test.result", "scan.report")),
        signer("builder", claims=("build.*",)),
        signer("breaker", claims=("admission.break_glass",)),
        signer("unlisted", claims=("admission.break_glass",)),
        **more,
    )


# -- what is asked -----------------------------------------------------------------------------------------------------


def restricted() -> dict[str, Any]:
    """A security context that no control minds."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container(image: str = IMAGE, name: str = "app") -> dict[str, Any]:
    """A container of a pod."""
    limits = {"cpu": "1", "memory": "1Gi"}
    return {"name": name, "image": image, "securityContext": restricted(), "resources": {"limits": limits}}


def pod(*images: str, annotations: Mapping[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    """A pod of some images."""
    containers = [container(image, f"c{number}") for number, image in enumerate(images)]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "app", "namespace": NAMESPACE, "annotations": dict(annotations or {})},
        "spec": {"containers": containers, "automountServiceAccountToken": False, **spec},
    }


def review(item: Mapping[str, Any] | None = None, **more: Any) -> Review:
    """A request to make an object: a pod of one image."""
    values: dict[str, Any] = {
        "uid": "u-1",
        "kind": POD,
        "resource": "pods",
        "sub_resource": "",
        "operation": Operation.CREATE,
        "namespace": NAMESPACE,
        "name": "app",
        "user": "ann",
        "groups": (),
        "dry_run": False,
        "object": pod(IMAGE) if item is None else item,
    }
    return Review(**(values | more))


def body(item: Mapping[str, Any] | None = None, uid: str = "u-1") -> bytes:
    """The same as an API server sends it."""
    return encode(
        {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": uid,
                "kind": {"group": "", "version": "v1", "kind": "Pod"},
                "resource": {"group": "", "version": "v1", "resource": "pods"},
                "requestKind": {"group": "", "version": "v1", "kind": "Pod"},
                "requestResource": {"group": "", "version": "v1", "resource": "pods"},
                "name": "app",
                "namespace": NAMESPACE,
                "operation": "CREATE",
                "userInfo": {"username": "ann", "groups": ["dev"]},
                "object": pod(IMAGE) if item is None else item,
                "oldObject": None,
                "dryRun": False,
                "options": None,
            },
        }
    )


# -- evidence ----------------------------------------------------------------------------------------------------------


def image_signature(digest: Digest = APP, key: SigningKey | None = None, name: str = "app") -> bytes:
    """A signature of an image, as cosign makes one."""
    payload = encode(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}],
            "predicateType": "https://sigstore.dev/cosign/sign/v1",
            "predicate": {},
        }
    )
    return bundle(payload, *filter(None, [key]))


def build_provenance(digest: Digest = APP, key: SigningKey = BUILDER, name: str = "app") -> bytes:
    """Provenance of an image."""
    return bundle(provenance({name: digest}), key)


def scanned(digest: Digest = APP, **more: Any) -> bytes:
    """A test of an image that passed."""
    return bundle(statement("test.result", {"app": digest}, **more))


def good(digest: Digest = APP, name: str = "app") -> tuple[bytes, ...]:
    """All that the tests' profile wants of an image."""
    return image_signature(digest, name=name), build_provenance(digest, name=name)


def break_glass(
    images: Sequence[Digest] = (APP,), key: SigningKey = BREAKER, payload_of: Any = None, **changes: Any
) -> bytes:
    """A signed exception: for an hour, in one namespace, for some images."""
    predicate = {
        "depends_on": [],
        "roles": {"images": sorted(images)},
        "folders": {},
        "privacy": {"mode": "hash_only"},
        "namespace": NAMESPACE,
        "reason": "the shop is down",
        "ticket": "INC-7",
        "approver": "ann",
        "created": format_time(NOW_S - 60),
        "expires": format_time(NOW_S - 60 + HOUR),
    } | changes
    payload = statement("admission.break_glass", {digest: digest for digest in images}, predicate=predicate)
    return bundle(payload if payload_of is None else payload_of(payload), key)


def annotated(data: bytes) -> dict[str, str]:
    """The annotation of an object that carries an exception."""
    return {"gate/break-glass": base64.b64encode(data).decode("ascii")}


# -- the state ---------------------------------------------------------------------------------------------------------


@dataclass
class FakeRegistries:
    """What is attached to images by digest, and errors instead of it."""

    attached: Mapping[Digest, Sequence[bytes]] = field(default_factory=dict)
    tags: Mapping[str, Digest] = field(default_factory=dict)
    error: GateError | None = None
    errors: Mapping[Digest, GateError] = field(default_factory=dict)
    last_seen: frozenset[Digest] = frozenset()
    host: str = HOST
    asked: list[str] = field(default_factory=list)
    deadlines: list[float] = field(default_factory=list)

    def resolve(self, reference: str, ends_at: float) -> Resolved:
        self.deadlines.append(ends_at)
        found = parse_image(reference)
        if found.repository.registry != self.host:
            raise UnknownRegistryError(f"{reference}: {found.repository.registry} is not configured")
        if found.digest is not None:
            return Resolved(found.repository, found.digest)
        if reference not in self.tags:
            raise TagError(f"{reference} has no digest")
        return Resolved(found.repository, self.tags[reference], was_tag=True)

    def counts(self) -> Mapping[str, int]:
        return {}

    def close(self) -> None:
        """Nothing is open."""

    def fetched(self, resolved: Resolved, ends_at: float) -> Fetched:
        self.asked.append(resolved.reference)
        self.deadlines.append(ends_at)
        error = self.errors.get(resolved.digest, self.error)
        if error is not None:
            raise error
        data = self.attached.get(resolved.digest, ())
        items = tuple(Evidence(f"{resolved.reference}#{number}", item) for number, item in enumerate(data))
        return Fetched(items, {}, 0.0, is_last_seen=resolved.digest in self.last_seen)


@dataclass
class FakeRecorder:
    """A log in memory."""

    records: list[tuple[Decision, InputDocument]] = field(default_factory=list)
    error: GateError | None = None
    known: GateError | None = None

    def check(self) -> None:
        if self.known is not None:
            raise self.known

    def record(self, _bundle: Any, decision: Decision, document: InputDocument, at_s: int, ends_at: float) -> object:
        assert at_s >= NOW_S
        assert ends_at > 0
        if self.error is not None:
            raise self.error
        self.records.append((decision, document))
        return object()


@dataclass(frozen=True)
class World:
    """A state. `replace` gives a changed copy; `judge` asks it."""

    registries: FakeRegistries = field(default_factory=lambda: FakeRegistries({APP: good()}))
    recorder: FakeRecorder | None = field(default_factory=FakeRecorder)
    admission: AdmissionSettings = field(
        default_factory=lambda: AdmissionSettings(
            registries={HOST: AdmissionRegistry()}, break_glass=BreakGlassSettings(("breaker",), max_s=4 * HOUR)
        )
    )
    trust: TrustSettings = field(default_factory=trust)
    record: RecordSettings | None = field(default_factory=lambda: RecordSettings(sqlite="log.db"))
    profile: str = "webhook"
    controls: Mapping[str, str] = field(
        default_factory=lambda: {
            "artifact.pinned": "enforce",
            "container.provenance": "enforce",
            "container.signed": "enforce",
            "deploy.image_pinned": "enforce",
            "deploy.restricted": "enforce",
            "evidence.accepted": "enforce",
        }
    )
    parameters: Mapping[str, JsonObject] | None = None
    evidence: tuple[Evidence, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    engine: Engine = field(default_factory=embedded)
    clock: int = NOW_S
    clock_error: GateError | None = None
    root: Path = Path("/nonexistent")

    def replace(self, **changes: Any) -> World:
        return dataclasses.replace(self, **changes)

    @property
    def scene(self) -> Scene:
        return Scene(evidence=(), gates=(), trust=self.trust)

    @property
    def settings(self) -> Settings:
        configured = ArtifactSettings("another", ArtifactKind.WEIGHTS, None, IMAGE, None)
        found = dataclasses.replace(settings_of(self.scene), artifacts={"another": configured})
        return dataclasses.replace(found, evidence_directories=(), record=self.record, admission=self.admission)

    def now_s(self) -> int:
        if self.clock_error is not None:
            raise self.clock_error
        return self.clock

    def at(self, now_s: int) -> Workspace:
        named = {name: Mode(mode) for name, mode in self.controls.items()}
        known = profile_of(self.scene).parameters if self.parameters is None else self.parameters
        parameters = {name: values for name, values in known.items() if name in named}
        return Workspace(
            root=self.root,
            repository=None,
            range=None,
            settings=self.settings,
            bundle=packaged(),
            profile=Profile(self.profile, named, parameters),
            trust=build_trust_store(self.trust, now_s),
            waivers={},
            now_s=now_s,
        )

    def judge(self, asked: Review | None = None, **more: Any) -> Judgement:
        return judge_review(cast("State", self), asked or review(), time.monotonic() + 10, **more)
