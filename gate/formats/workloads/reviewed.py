"""What an object asks for at admission: its workloads, as its manifest would tell them, and every image in it.

Kinds and versions are exact: what is not known is a problem, and so are an object without any image and a field whose
type is wrong (SECURITY 39). Nothing that an object says of itself makes it pass: no annotation, owner or deletion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from gate.formats.image_reference import parse_image
from gate.formats.workloads.fields import Fields
from gate.formats.workloads.kinds import COMPONENTS, FRAMEWORKS, places_of
from gate.formats.workloads.kubernetes import owner_of, read_object, templates_of, workload_of
from gate.formats.workloads.models import GROUP as KSERVE
from gate.formats.workloads.models import POD_ANNOTATION, model_reference, model_sources
from gate.formats.workloads.places import values_at
from gate.model.admission import Asked, ObjectKind, Review, Reviewed, Role
from gate.model.admission_settings import AdmissionLimits, PlacesSettings
from gate.model.json import JsonObject, JsonValue
from gate.model.workload import Workload, told_apart

ORIGIN: Final = "admission review"
BREAK_GLASS: Final = "gate/break-glass"
"""The annotation of an object that holds a signed exception, in base64."""
BREAK_GLASS_CHARACTERS: Final = 4 * -(-(64 << 10) // 3)
_POD: Final = ObjectKind("", "v1", "Pod")
_WHOLE_PODS: Final = frozenset({"ephemeralcontainers", "resize"})
"""Subresources of pods whose object is the pod with all that it would have then."""
_TEMPLATED: Final = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"})
_KINDS: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("", "v1"): frozenset({"Pod", "PodTemplate", "ReplicationController"}),
    ("apps", "v1"): _TEMPLATED,
    ("batch", "v1"): frozenset({"Job", "CronJob"}),
    ("argoproj.io", "v1alpha1"): frozenset({"Rollout"}),
    ("jobset.x-k8s.io", "v1alpha2"): frozenset({"JobSet"}),
    ("kubeflow.org", "v1"): frozenset({"MPIJob", "PyTorchJob", "TFJob"}),
    ("kubeflow.org", "v2beta1"): frozenset({"MPIJob"}),
    ("leaderworkerset.x-k8s.io", "v1"): frozenset({"LeaderWorkerSet"}),
    ("ray.io", "v1"): frozenset({"RayCluster", "RayJob", "RayService"}),
    ("ray.io", "v1alpha1"): frozenset({"RayCluster", "RayJob", "RayService"}),
    ("serving.knative.dev", "v1"): frozenset({"Configuration", "Revision", "Service"}),
    (KSERVE, "v1beta1"): frozenset({"InferenceService"}),
    (KSERVE, "v1alpha1"): frozenset(
        {
            "ClusterServingRuntime",
            "ClusterStorageContainer",
            "LocalModelCache",
            "LocalModelNamespaceCache",
            "ServingRuntime",
            "TrainedModel",
        }
    ),
}
"""The kinds that are judged, by group and version; the resource of each is its name in lower case with an `s`."""
_SERVERS: Final = ("model", *FRAMEWORKS, "alibi", "art")
"""Members of a component of an inference service that are containers, with an image of their own if they say so."""
_COMMANDS: Final = 1 << 17
"""Characters of all commands in an object; a longer single argument would start nothing on Linux."""
_CONTAINERS: Final = ("containers", "initContainers", "ephemeralContainers")


def judged_kinds() -> tuple[ObjectKind, ...]:
    """Every kind that is judged without being configured."""
    return tuple(ObjectKind(*key, kind) for key, kinds in _KINDS.items() for kind in sorted(kinds))


def resource_of(kind: ObjectKind) -> str:
    """The name of the resource of such a kind."""
    return f"{kind.kind.lower()}s"


def read_reviewed(review: Review, places: Sequence[PlacesSettings], most: int = AdmissionLimits().images) -> Reviewed:
    """What a request asks for; never raises. Of more images than `most` no facts are read, and that is a problem."""
    configured = [item for item in places if item.kind == review.kind and item.resource == review.resource]
    known = review.kind.kind in _KINDS.get((review.kind.group, review.kind.version), frozenset())
    problem = _not_judged(review, known, bool(configured))
    if problem:
        return Reviewed({}, (), (problem,))
    found = _Found()
    fields = Fields(_named(review), "", found.problems)
    if known:
        _ask_known(found, review.kind, fields)
    for item in configured:
        _ask_configured(found, item, fields)
    break_glass = _break_glass(fields)
    if not found.asked and not found.problems:
        found.problems.append("it asks for no image, so nothing says what would run")
    workloads: Mapping[str, Workload] = {}
    if len(found.asked) > most:
        found.problems.append(f"it asks for {len(found.asked)} images, more than the {most} allowed")
    elif found.characters > _COMMANDS:
        found.problems.append(f"its commands have {found.characters} characters, more than the {_COMMANDS} looked at")
    else:
        workloads = told_apart(
            [*_known_workloads(review.kind, known, fields), *_configured_workloads(configured, fields)]
        )
    problems = [*found.problems, *(problem for workload in workloads.values() for problem in workload.problems)]
    return Reviewed(workloads, tuple(found.asked), tuple(dict.fromkeys(problems)), break_glass)


def _not_judged(review: Review, known: bool, configured: bool) -> str | None:
    """Why what is asked is none of what is judged."""
    if review.sub_resource and not (
        (review.kind, review.resource) == (_POD, "pods") and review.sub_resource in _WHOLE_PODS
    ):
        return f"{review.resource}/{review.sub_resource} is not judged, and could bring in what nobody looked at"
    if known and review.resource != resource_of(review.kind):
        return f"objects of the kind {review.kind} are not those of the resource {review.resource}"
    if not known and not configured:
        return f"objects of the kind {review.kind} could carry images, and the gate does not know where"
    return None


def _named(review: Review) -> JsonObject:
    """The object with the name and namespace that the request gives it, where it has none itself."""
    metadata = review.object.get("metadata")
    if not isinstance(metadata, Mapping):
        return review.object
    given: dict[str, JsonValue] = {}
    if review.namespace and not metadata.get("namespace"):
        given["namespace"] = review.namespace
    if review.name and not metadata.get("name"):
        given["name"] = review.name
    return {**review.object, "metadata": {**metadata, **given}} if given else review.object


class _Found:
    """The images so far, each at a place of its own."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.problems: list[str] = []
        self.characters = 0
        """Of commands and their arguments, which take time to be understood."""
        self._places: set[str] = set()

    def image(self, value: JsonValue, place: str, role: Role) -> None:
        try:
            reference = model_reference(value) if role is Role.MODEL else value
            if not isinstance(reference, str) or not reference:
                self.problems.append(f"{place} names no image, so whoever makes the pod chooses one")
                return
            parse_image(reference)
        except ValueError as error:
            self.problems.append(f"{place}: {error}")
            return
        self.asked.append(Asked(reference, self._own(place), role))

    def _own(self, place: str) -> str:
        """Names of members can make two places look the same."""
        number, own = 1, place
        while own in self._places:
            number += 1
            own = f"{place}#{number}"
        self._places.add(own)
        return own


def _ask_known(found: _Found, kind: ObjectKind, fields: Fields) -> None:
    templates = [] if kind.group == KSERVE else templates_of(fields, kind.group, kind.kind) or []
    for template in templates:
        _ask_pod(found, template.part("spec"))
        _ask_annotation(found, template.part("metadata").part("annotations"))
    if kind.group == KSERVE:
        _ask_kserve(found, kind.kind, fields)


def _ask_pod(found: _Found, spec: Fields) -> None:
    for name in _CONTAINERS:
        for item in spec.parts(name):
            found.image(item.value.get("image"), f"{item.place}.image", Role.CONTAINER)
            found.characters += sum(map(len, [*item.texts("command"), *item.texts("args")]))
    for item in spec.parts("volumes"):
        if item.has("image"):
            image = item.part("image")
            found.image(image.value.get("reference"), f"{image.place}.reference", Role.VOLUME)


def _ask_annotation(found: _Found, annotations: Fields) -> None:
    """A model that KServe puts into a pod because the pod says so."""
    if annotations.has(POD_ANNOTATION):
        found.image(annotations.value[POD_ANNOTATION], f"{annotations.place}[{POD_ANNOTATION}]", Role.MODEL)


def _ask_kserve(found: _Found, kind: str, fields: Fields) -> None:
    spec = fields.part("spec")
    pods = [spec.part(name) for name in COMPONENTS] if kind == "InferenceService" else [spec]
    for pod in pods:
        _ask_pod(found, pod)
        _ask_annotation(found, pod.part("annotations"))
        _ask_pod(found, pod.part("workerSpec"))
        for name in _SERVERS:
            part = pod.part(name) if isinstance(pod.value.get(name), Mapping) else Fields({}, "", found.problems)
            if part.has("image"):
                found.image(part.value["image"], f"{part.place}.image", Role.CONTAINER)
    if kind == "ClusterStorageContainer":
        found.image(spec.part("container").value.get("image"), "spec.container.image", Role.CONTAINER)
    _ask_annotation(found, fields.part("metadata").part("annotations"))
    for place, uri in model_sources(spec.value):
        found.image(uri, place, Role.MODEL)


def _ask_configured(found: _Found, item: PlacesSettings, fields: Fields) -> None:
    for paths, role in ((item.images, Role.CONTAINER), (item.models, Role.MODEL)):
        for path in paths:
            for place, value in values_at(fields.value, path, found.problems):
                found.image(value, place, role)
    for template in _pods_at(item, fields, found.problems):
        _ask_pod(found, template.part("spec"))
        _ask_annotation(found, template.part("metadata").part("annotations"))


def _pods_at(item: PlacesSettings, fields: Fields, problems: list[str]) -> list[Fields]:
    return [
        Fields(value, place, problems) for path in item.pods for place, value in values_at(fields.value, path, problems)
    ]


def _known_workloads(kind: ObjectKind, known: bool, fields: Fields) -> list[Workload]:
    """As their manifest would tell them; kinds that bring models alone have none."""
    if not known or places_of(kind.group, kind.kind) is None:
        return []
    return read_object(fields.value, ORIGIN)


def _configured_workloads(configured: Iterable[PlacesSettings], fields: Fields) -> list[Workload]:
    templates = [template for item in configured for template in _pods_at(item, fields, [])]
    return [workload_of(owner_of(fields, ORIGIN), template) for template in templates]


def _break_glass(fields: Fields) -> str | None:
    value = fields.part("metadata").part("annotations").text(BREAK_GLASS)
    if value is not None and len(value) > BREAK_GLASS_CHARACTERS:
        fields.problems.append(f"the annotation {BREAK_GLASS} is longer than {BREAK_GLASS_CHARACTERS} characters")
        return None
    return value or None
