"""S30: whatever a registry says of the tags of cosign and of an index, only 404 means that nothing is there."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from gate.collect import oci
from gate.collect.oci import read_attached
from gate.collect.registry.client import Bounds, Client
from gate.errors import EvidenceError
from gate.formats.oci import INDEX, MANIFEST
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Evidence
from gate.model.registry import OciEvidence, RegistryAccess
from gate.model.settings import Limits
from tests.support.hostile_registry import BUNDLE, Handler, HostileRegistry, described, encode
from tests.support.layouts import ENVELOPE, SIGNATURE, SIMPLE_SIGNING, STATEMENT, b64, simple_signing
from tools.scenario_evidence import envelope, key, provenance

LIMITS: Final = Limits(evidence_bytes=1 << 16, evidence_count=5)
DOCKER: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
TAGS: Final = (".sig", ".att", ".sbom")
ABOUT: Final = [{"name": "app", "digest": {"sha256": "1" * 64}}]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Few pauses, and no credentials of whoever runs the tests."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setattr(
        oci,
        "open_client",
        lambda target, limits: Client(target, bounds=Bounds(limits.evidence_count, 20, (0.01, 0.02))),
    )


@pytest.fixture
def registry() -> Iterator[HostileRegistry]:
    with HostileRegistry() as running:
        running.listed.clear()
        yield running


def collect(registry: HostileRegistry, **access: Any) -> tuple[list[Evidence], dict[str, str]]:
    source = OciEvidence("server", None, RegistryAccess(**{"timeout_s": 2, **access}))
    return read_attached(Path(), source, registry.reference, LIMITS)


def tag(registry: HostileRegistry, suffix: str, data: bytes, kind: str = MANIFEST) -> Digest:
    registry.manifests[registry.image.replace(":", "-") + suffix] = data, kind
    return sha256_digest(data)


def holding(*layers: dict[str, Any], **members: Any) -> bytes:
    """A manifest as cosign writes one."""
    config = described(b"{}", "application/vnd.oci.image.config.v1+json")
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": list(layers)}
    return encode({**document, **members})


def layer(registry: HostileRegistry, data: bytes, kind: str, **annotations: str) -> dict[str, Any]:
    registry.blobs[sha256_digest(data)] = data
    return {**described(data, kind), "annotations": annotations}


def signed(registry: HostileRegistry, name: str = "builder", digest: str = "") -> dict[str, Any]:
    payload = simple_signing(digest or registry.image)
    return layer(registry, payload, SIMPLE_SIGNING, **{SIGNATURE: b64(key(name).sign(payload))})


@dataclass(frozen=True)
class Case:
    """What is wrong, and what the error says of it."""

    name: str
    prepare: Callable[[HostileRegistry], object]
    message: str


def says(suffix: str, *answer: Any, **headers: Any) -> Callable[[HostileRegistry], object]:
    """Answers one tag in its own way."""

    def prepare(registry: HostileRegistry) -> None:
        registry.behave = lambda asked: asked.name.endswith(suffix) and asked.say(*answer, **headers)

    return prepare


def tagged(suffix: str, *members: Callable[[HostileRegistry], dict[str, Any]], **more: Any) -> Callable[..., object]:
    def prepare(registry: HostileRegistry) -> None:
        tag(registry, suffix, holding(*(member(registry) for member in members), **more))

    return prepare


def lying(**changes: Any) -> Callable[[HostileRegistry], dict[str, Any]]:
    return lambda registry: {**signed(registry), **changes}


def silent(registry: HostileRegistry) -> None:
    registry.behave = lambda asked: asked.name.endswith(".sig") and (asked.registry.ended.wait(30) or True)


def unreadable_index(registry: HostileRegistry) -> None:
    data = encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": {}})
    registry.manifests[sha256_digest(data)] = data, INDEX
    registry.image = sha256_digest(data)


def large(registry: HostileRegistry) -> None:
    tag(registry, ".att", holding(*(layer(registry, b"%d" % n, ENVELOPE) for n in range(6))))


CASES: Final = [
    *(
        Case(f"{suffix}: status {status}", says(suffix, status), f"HTTP status {status}")
        for suffix, status in itertools.product(TAGS, (201, 302, 400, 405, 410, 429, 500, 503))
    ),
    *(Case(f"{suffix}: status 403", says(suffix, 403), "is refused") for suffix in TAGS),
    *(Case(f"{suffix}: status 401", says(suffix, 401), "no authorization that the gate knows") for suffix in TAGS),
    *(
        Case(f"{suffix}: HTML with status 200", says(suffix, 200, b"<html>", "text/html"), "content type 'text/html'")
        for suffix in TAGS
    ),
    Case("no JSON", says(".sig", 200, b"junk", MANIFEST), "not strict JSON"),
    Case("nothing", says(".sig", 200, b"", MANIFEST), "not strict JSON"),
    Case(
        "more bytes than a manifest may have",
        says(".att", 200, b" " * ((4 << 20) + 1), MANIFEST),
        "more than the 4194304",
    ),
    Case("an encoding", says(".att", 200, b"x", MANIFEST, Content_Encoding="gzip"), "which nobody asked for"),
    Case("silence", silent, "in time"),
    Case("a manifest that says it is an index", tagged(".sig", mediaType=INDEX), "not a document of the type"),
    Case("a manifest that says it is Docker's", tagged(".sig", mediaType=DOCKER), "not a document of the type"),
    Case("layers that are no list", tagged(".sig", layers={}), "no list of layers"),
    Case("a key twice", says(".sig", 200, b'{"schemaVersion":2,"layers":[],"layers":[]}', MANIFEST), "not strict JSON"),
    Case("a layer with a path for a digest", tagged(".sig", lying(digest="sha256:../../x")), "has no sha256 digest"),
    Case("a layer without size", tagged(".sig", lying(size=None)), "has no size"),
    Case("a layer of another size", tagged(".sig", lying(size=5)), "more than the 5"),
    Case("a layer that is not there", tagged(".sig", lying(digest="sha256:" + "7" * 64)), "HTTP status 404"),
    Case("a layer of a petabyte", tagged(".att", lying(size=1 << 50)), "more than the 65536"),
    Case("annotations that are no texts", tagged(".sig", lying(annotations={SIGNATURE: 5})), "no texts"),
    Case("no signature", tagged(".sig", lying(annotations={})), "attached as cosign attaches signatures"),
    Case("a second signature that is none", tagged(".sig", signed, lying(annotations={})), r"layers\[1\]"),
    Case("a signature that is no base64", tagged(".att", lying(annotations={SIGNATURE: "?"})), "not base64"),
    Case("more attestations than are allowed", large, "more than 5 pieces of evidence"),
    Case("an image's index that is none", unreadable_index, "manifests is not a list"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_s30_an_attachment_that_cannot_be_read_is_exit_3(registry: HostileRegistry, case: Case) -> None:
    case.prepare(registry)
    with pytest.raises(EvidenceError, match=case.message) as caught:
        collect(registry)
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)


def test_404_for_everything_is_no_evidence_and_no_error(registry: HostileRegistry) -> None:
    registry.manifests.clear()
    assert collect(registry) == ([], {})
    asked = [path.rpartition("/")[2].removeprefix(registry.image.replace(":", "-")) for _, path in registry.requests]
    assert asked == [registry.image, ".sig", ".att", ".sbom", registry.image]


def test_all_that_is_attached_is_found_whatever_comes_first(registry: HostileRegistry) -> None:
    statement = envelope(provenance(ABOUT), key("builder"))
    registry.attach(BUNDLE)
    one, two = signed(registry), signed(registry, "release")
    images = tag(registry, ".sig", holding(one, layer(registry, b"x", "text/html"), two))
    tag(registry, ".att", holding(layer(registry, statement, ENVELOPE), mediaType=DOCKER), DOCKER)
    sbom = tag(registry, ".sbom", holding())
    found, skipped = collect(registry)
    payload = simple_signing(registry.image)
    assert [item.message for item in found] == [None, payload, payload, None]
    assert [found[0].data, found[3].data] == [BUNDLE, statement]
    assert found[1].origin == f"{registry.host}/team/app@{images}#layers[0]"
    assert json.loads(found[1].data)["messageSignature"]["signature"] == one["annotations"][SIGNATURE]
    assert skipped == {
        f"{registry.host}/team/app@{images}#layers[1]": "not a signature but 'text/html'",
        f"{registry.host}/team/app@{sbom}": (
            "an SBOM that nobody signed is no evidence: sign it (gate sign, cosign attest)"
        ),
    }


def test_a_signature_that_refers_to_the_image_is_found_once(registry: HostileRegistry) -> None:
    """As cosign's experimental mode stores it, beside the tag."""
    item = signed(registry)
    subject = described(registry.manifests[registry.image][0], MANIFEST)
    kind = "application/vnd.dev.cosign.artifact.sig.v1+json"
    registry.store(holding(item, subject=subject, artifactType=kind))
    registry.listed[registry.image][0]["artifactType"] = "application/x"
    tag(registry, ".sig", holding(item))
    (found,), skipped = collect(registry)
    assert found.message == simple_signing(registry.image)
    (reason,) = skipped.values()
    assert reason.startswith("the same evidence as ")


def test_what_refers_to_another_image_is_left_out(registry: HostileRegistry) -> None:
    other = {**described(b"other", MANIFEST)}
    data = holding(signed(registry), subject=other)
    registry.listed[registry.image] = [described(data, MANIFEST)]
    registry.manifests[sha256_digest(data)] = data, MANIFEST
    found, skipped = collect(registry)
    assert (found, list(skipped.values())) == ([], ["its subject is another manifest"])


def test_the_index_of_an_image_holds_evidence_only_where_it_is_signed(registry: HostileRegistry) -> None:
    statement = provenance(ABOUT)
    item = envelope(statement, key("builder"))
    layers = [layer(registry, data, STATEMENT) for data in (statement, item)]
    inner = holding(*layers)
    registry.manifests[sha256_digest(inner)] = inner, MANIFEST
    marks = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": registry.image}
    image = described(registry.manifests[registry.image][0], MANIFEST)
    for kind in (INDEX, DOCKER_LIST):
        entries = [image, {**described(inner, MANIFEST), "annotations": marks}]
        data = encode({"schemaVersion": 2, "mediaType": kind, "manifests": entries})
        registry.manifests[sha256_digest(data)] = data, kind
        registry.image = sha256_digest(data)
        found, skipped = collect(registry)
        assert [item.data for item in found] == [item]
        (reason,) = skipped.values()
        assert reason.startswith("a statement that nobody signed is no evidence")


def test_a_tag_that_moves_between_two_looks_is_looked_up_once(registry: HostileRegistry) -> None:
    first = holding(signed(registry))
    tag(registry, ".sig", first)

    def move(asked: Handler) -> bool:
        if asked.name.endswith(".att"):
            tag(registry, ".sig", holding(signed(registry, "stranger")))
        return False

    registry.behave = move
    (found,), _ = collect(registry)
    assert found.origin.startswith(f"{registry.host}/team/app@{sha256_digest(first)}#")
