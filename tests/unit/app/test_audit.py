"""What runs is judged as the webhook would judge it now, and what cannot be judged is never left out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Any, cast

import pytest

from gate.app.admission_judge import State
from gate.app.audit import Namespaces, audited
from gate.app.gather import silent
from gate.app.workspace import Workspace
from gate.errors import ClockError, EvidenceError, GateError, PolicyError, UnavailableError
from gate.formats import schema
from gate.formats.rfc3339 import format_time
from gate.formats.workloads.listing import Listed, Unlisted, read_listing
from gate.model.admission import Cause, ObjectKind
from gate.model.admission_settings import PlacesSettings
from gate.model.audit import Audit, AuditedObject, AuditProblem, Ground, Standing
from gate.model.digest import sha256_digest
from gate.model.waiver import Waiver
from gate.report.audit import audit_json, audit_summary, render_audit
from tests.support.admission import (
    APP,
    BUILDER,
    HOST,
    HOUR,
    IMAGE,
    OTHER,
    OTHER_IMAGE,
    FakeRegistries,
    World,
    annotated,
    break_glass,
    build_provenance,
    good,
    image_signature,
    pod,
    trust,
)
from tests.support.evidence import NOW_S, bundle, digest_of, make_key, provenance

GOOD = World()
"""Knows one image with everything that is asked for."""


def listed(*items: Any) -> list[Listed | Unlisted]:
    return list(read_listing(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)}).encode()))


def judged(
    world: World, *items: Any, namespaces: Iterable[str] = (), excluded: Iterable[str] = ()
) -> tuple[tuple[AuditedObject, ...], tuple[AuditProblem, ...], int]:
    state = cast("State", world.replace(recorder=None))
    return audited(state, listed(*items), Namespaces(frozenset(namespaces), frozenset(excluded)), silent)


def one(world: World, item: Any) -> AuditedObject:
    (found,), problems, _ = judged(world, item)
    assert not problems
    return found


def whole(world: World, *items: Any, **more: Any) -> Audit:
    objects, problems, left_out = judged(world, *items, **more)
    return Audit("list.json", NOW_S, "enforce", "webhook", digest_of("policy"), objects, problems, left_out)


def deployment(image: str = IMAGE) -> dict[str, Any]:
    made = pod(image)
    metadata = {"name": "app", "namespace": "payments"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": made}}


class TestStandings:
    def test_what_would_be_let_in(self) -> None:
        found = one(GOOD, pod(IMAGE))
        assert found.standing is Standing.ALLOWED
        assert found.cause is Cause.ALLOWED
        assert (found.grounds, found.reasons, found.message) == ((), (), "")
        assert [(image.reference, image.digest) for image in found.images] == [(IMAGE, APP)]
        assert found.label == "Pod/payments/app"
        assert one(GOOD, deployment()).standing is Standing.ALLOWED

    def test_nothing_is_recorded(self) -> None:
        audited(cast("State", GOOD), listed(pod(IMAGE), pod(OTHER_IMAGE)), Namespaces(), silent)
        assert GOOD.recorder is not None
        assert not GOOD.recorder.records

    def test_what_admission_missed(self) -> None:
        found = one(GOOD, pod(OTHER_IMAGE))
        assert found.standing is Standing.REFUSED
        assert found.grounds == (Ground.MISSED,)
        assert "container.signed" in {reason.control for reason in found.reasons}
        assert found.decision is not None

    @pytest.mark.parametrize("image", [f"{HOST}/team/app:1", f"{HOST}/team/app", f"elsewhere.test/app@{APP}"])
    def test_a_tag_and_an_unknown_registry_are_refused(self, image: str) -> None:
        found = one(GOOD, pod(image))
        assert (found.standing, found.cause) == (Standing.REFUSED, Cause.REFERENCE)
        assert found.grounds == (Ground.MISSED,)
        assert found.decision is None

    def test_what_is_revoked_now(self) -> None:
        for settings in (trust(revoked_keys=("builder",)), trust(revoked_evidence=(sha256_digest(image_signature()),))):
            found = one(GOOD.replace(trust=settings), pod(IMAGE))
            assert found.standing is Standing.REFUSED
            assert found.grounds == (Ground.REVOKED,)

    def test_a_key_that_has_expired(self) -> None:
        old = dataclasses.replace(trust().signers["builder"], valid_until_s=NOW_S - 1)
        settings = dataclasses.replace(trust(), signers={**trust().signers, "builder": old})
        found = one(GOOD.replace(trust=settings), pod(IMAGE))
        assert found.standing is Standing.REFUSED
        assert found.grounds == (Ground.EXPIRED,)

    def test_an_exception_that_holds_and_one_that_has_run_out(self) -> None:
        world = GOOD.replace(registries=FakeRegistries({APP: ()}))
        item = pod(IMAGE, annotations=annotated(break_glass()))
        found = one(world, item)
        assert (found.standing, found.cause) == (Standing.EXCUSED, Cause.BREAK_GLASS)
        assert "INC-7" in found.message
        assert "the shop is down" in found.message
        late = one(world.replace(clock=NOW_S + 2 * HOUR), item)
        assert late.standing is Standing.REFUSED
        assert late.grounds == (Ground.EXPIRED,)

    @pytest.mark.parametrize(
        ("error", "cause"),
        [
            (UnavailableError("down"), Cause.REGISTRY),
            (EvidenceError("broken"), Cause.EVIDENCE),
            (PolicyError("no"), Cause.POLICY),
        ],
    )
    def test_what_could_not_be_found_out_is_not_judged(self, error: GateError, cause: Cause) -> None:
        found = one(GOOD.replace(registries=FakeRegistries(error=error)), pod(IMAGE))
        assert (found.standing, found.cause) == (Standing.UNJUDGED, cause)
        assert str(error) in found.message

    def test_a_clock_that_is_not_believed_judges_nothing(self) -> None:
        found = one(GOOD.replace(clock_error=ClockError("jumped")), pod(IMAGE))
        assert (found.standing, found.cause) == (Standing.UNJUDGED, Cause.CLOCK)

    def test_a_bug_is_told_of_one_object_alone(self) -> None:
        class Broken(FakeRegistries):
            def resolve(self, reference: str, ends_at: float) -> Any:
                if reference == OTHER_IMAGE:
                    raise RuntimeError("secret")
                return super().resolve(reference, ends_at)

        first, second = judged(GOOD.replace(registries=Broken({APP: good()})), pod(OTHER_IMAGE), pod(IMAGE))[0]
        assert (first.standing, first.cause) == (Standing.UNJUDGED, Cause.BUG)
        assert "secret" not in first.message
        assert second.standing is Standing.ALLOWED

    @pytest.mark.parametrize(
        "item",
        [
            pod(),
            {**pod(IMAGE), "spec": None},
            {**pod(IMAGE), "apiVersion": "v2"},
            {**pod(IMAGE), "kind": "Node"},
            {**pod(IMAGE), "apiVersion": "x.example/v1", "kind": "Thing"},
            {**pod(IMAGE), "apiVersion": "apps/v1beta1", "kind": "Deployment"},
        ],
    )
    def test_what_is_not_understood_is_not_judged(self, item: Any) -> None:
        found = one(GOOD, item)
        assert (found.standing, found.cause) == (Standing.UNJUDGED, Cause.OBJECT)

    @pytest.mark.parametrize(
        "kind", [("v1", "Service"), ("v1", "ConfigMap"), ("networking.k8s.io/v1", "NetworkPolicy")]
    )
    def test_kinds_that_bring_no_image(self, kind: tuple[str, str]) -> None:
        (found,), _, _ = judged(GOOD, {"apiVersion": kind[0], "kind": kind[1], "metadata": {"name": "x"}})
        assert (found.standing, found.cause) == (Standing.EMPTY, None)

    def test_a_listing_of_nothing_that_brings_an_image_is_a_problem(self) -> None:
        empty = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
        assert whole(GOOD, empty).exit_code == 3
        assert whole(GOOD, empty, pod(IMAGE)).exit_code == 0

    def test_a_cluster_that_lists_nothing_was_not_judged(self) -> None:
        objects, problems, _ = audited(cast("State", GOOD.replace(recorder=None)), [], Namespaces(), silent)
        assert not objects
        assert [item.problem for item in problems] == ["nothing that it lists brings an image, so nothing was judged"]

    def test_configured_kinds(self) -> None:
        place = PlacesSettings(ObjectKind("x.example", "v1", "Thing"), "thingies", images=("spec.image",))
        world = GOOD.replace(admission=dataclasses.replace(GOOD.admission, places=(place,)))
        item = {"apiVersion": "x.example/v1", "kind": "Thing", "metadata": {"name": "x"}, "spec": {"image": IMAGE}}
        found = one(world, item)
        assert found.cause is not Cause.OBJECT
        assert found.images[0].digest == APP

    def test_a_tag_that_is_looked_up_has_the_digest_that_was_judged(self) -> None:
        image = f"{HOST}/team/app:1"
        world = GOOD.replace(registries=FakeRegistries({APP: good()}, {image: APP}))
        found = one(world.replace(controls={"container.signed": "enforce"}), pod(image))
        assert [(item.reference, item.digest) for item in found.images] == [(image, APP)]
        assert found.notes

    @pytest.mark.parametrize(
        "lists", [("containers", "containerStatuses"), ("initContainers", "initContainerStatuses")]
    )
    @pytest.mark.parametrize(
        ("runs", "standing"),
        [
            (f"{HOST}/team/app@{APP}", Standing.ALLOWED),
            (f"docker-pullable://mirror.test/app@{APP}", Standing.ALLOWED),
            ("", Standing.ALLOWED),
            (None, Standing.ALLOWED),
            (f"{HOST}/team/app@{OTHER}", Standing.UNJUDGED),
            (OTHER, Standing.UNJUDGED),
        ],
    )
    def test_a_tag_that_was_moved_since_says_nothing_about_what_runs(
        self, lists: tuple[str, str], runs: str | None, standing: Standing
    ) -> None:
        image = f"{HOST}/team/app:1"
        world = GOOD.replace(registries=FakeRegistries({APP: good()}, {image: APP}))
        world = world.replace(controls={"container.signed": "enforce"})
        item = pod(IMAGE)
        item["spec"][lists[0]] = [{"name": "tagged", "image": image}]
        item["status"] = {lists[1]: [{"name": "tagged", "imageID": runs}, {"name": "another", "imageID": OTHER}]}
        found = one(world, item)
        assert found.standing is standing
        if standing is Standing.UNJUDGED:
            assert (found.cause, found.reasons) == (Cause.REFERENCE, ())
            assert OTHER in found.message
            assert APP in found.message
            assert whole(world, item).exit_code == 3

    def test_an_exception_for_what_a_tag_is_now_excuses_nothing_that_ran_before(self) -> None:
        image = f"{HOST}/team/app:1"
        item = pod(image, annotations=annotated(break_glass()))
        item["status"] = {"containerStatuses": [{"name": "c0", "imageID": f"{HOST}/team/app@{OTHER}"}]}
        world = GOOD.replace(registries=FakeRegistries({}, {image: APP}), controls={"container.signed": "enforce"})
        assert one(world, item).standing is Standing.UNJUDGED
        item["status"] = "Running"
        assert one(world, item).standing is Standing.EXCUSED

    @pytest.mark.parametrize("kind", ["containers", "volumes"])
    def test_an_image_whose_name_looks_like_a_secret_is_judged(self, kind: str) -> None:
        image = f"{HOST}/team/ghp_{'a' * 30}@{APP}"
        volumes = [{"name": "m", "image": {"reference": image}}] if kind == "volumes" else []
        controls = {"artifact.signed": "enforce", "container.signed": "enforce"}
        found = one(GOOD.replace(controls=controls), {**pod(image), "spec": pod(image)["spec"] | {"volumes": volumes}})
        assert (found.standing, found.message) == (Standing.ALLOWED, "")
        assert {item.digest for item in found.images} == {APP}

    def test_what_a_digest_names_is_what_runs(self) -> None:
        item = pod(IMAGE)
        item["status"] = {"containerStatuses": [{"name": "c0", "imageID": "sha256:" + "0" * 64}]}
        assert one(GOOD, item).standing is Standing.ALLOWED

    def test_a_stale_control_is_an_expiry(self) -> None:
        controls = {**GOOD.controls, "evidence.fresh": "enforce"}
        limits = {"evidence.fresh": {"build.provenance": HOUR, "accept_stated": True}}
        world = GOOD.replace(controls=controls, parameters=limits, clock=NOW_S + 4000 * 24 * HOUR)
        timed = bundle(provenance({"app": APP}, finishedOn=format_time(NOW_S - 60)), BUILDER)
        found = one(world.replace(registries=FakeRegistries({APP: (image_signature(), timed)})), pod(IMAGE))
        assert found.standing is Standing.REFUSED
        assert found.grounds == (Ground.EXPIRED,)

    def test_what_is_revoked_about_another_image_is_no_ground(self) -> None:
        attached = FakeRegistries({APP: (image_signature(OTHER), build_provenance())})
        found = one(GOOD.replace(registries=attached, trust=trust(revoked_keys=("release",))), pod(IMAGE))
        assert found.standing is Standing.REFUSED
        assert found.grounds == (Ground.MISSED,)

    def test_a_waiver_that_has_run_out(self) -> None:
        found = one(Waived(registries=FakeRegistries({APP: (build_provenance(),)})), pod(IMAGE))
        assert found.standing is Standing.REFUSED
        assert found.grounds == (Ground.EXPIRED,)


class Waived(World):
    """With a waiver for a missing signature, until an hour ago."""

    def at(self, now_s: int) -> Workspace:
        times = now_s - 9 * HOUR, now_s - HOUR
        found = Waiver("w", "container.signed", APP, None, "a reason that is long enough", "T-1", "ann", "bob", *times)
        return dataclasses.replace(super().at(now_s), waivers={"w": found})


class TestListing:
    def test_namespaces(self) -> None:
        other = pod(OTHER_IMAGE)
        other["metadata"]["namespace"] = "other"
        objects, problems, left_out = judged(GOOD, pod(IMAGE), other, namespaces=("payments",))
        assert [item.namespace for item in objects] == ["payments"]
        assert (problems, left_out) == ((), 1)

    def test_a_namespace_may_be_left_out(self) -> None:
        other = pod(OTHER_IMAGE)
        other["metadata"]["namespace"] = "kube-system"
        objects, problems, left_out = judged(GOOD, pod(IMAGE), other, excluded=("kube-system", "typo"))
        assert [item.namespace for item in objects] == ["payments"]
        assert (problems, left_out) == ((), 1)

    def test_when_all_is_left_out_nothing_was_judged(self) -> None:
        objects, problems, left_out = judged(GOOD, pod(IMAGE), excluded=("payments",))
        assert (objects, left_out) == ((), 1)
        assert problems[0].problem == "all that it lists is in namespaces that are left out, so nothing was judged"

    def test_a_namespace_of_nothing_is_a_problem(self) -> None:
        found = whole(GOOD, pod(IMAGE), namespaces=("typo",))
        assert found.problems[0].problem == "it lists nothing in typo"
        assert found.exit_code == 3

    @pytest.mark.parametrize(
        ("items", "code"),
        [
            ((pod(IMAGE),), 0),
            ((pod(OTHER_IMAGE),), 13),
            ((pod(OTHER_IMAGE), pod()), 13),
            ((pod(OTHER_IMAGE), "x"), 13),
            ((pod(IMAGE), pod()), 3),
            ((pod(IMAGE), "x"), 3),
            ((), 3),
        ],
    )
    def test_exit_codes(self, items: tuple[Any, ...], code: int) -> None:
        assert whole(GOOD, *items).exit_code == code

    def test_progress_is_told_of_every_object(self) -> None:
        told: list[int] = []

        class Telling:
            def __call__(self, _what: str, items: int = 0, /) -> Any:
                told.append(items)
                return self

            def __enter__(self) -> Any:
                return told.append

            def __exit__(self, *_: object) -> None: ...

        audited(cast("State", GOOD), listed(pod(IMAGE), pod(IMAGE)), Namespaces(), cast("Any", Telling()))
        assert told == [2, 1, 1]


class TestReport:
    ITEMS = (
        pod(IMAGE),
        pod(OTHER_IMAGE),
        deployment(OTHER_IMAGE),
        pod(f"{HOST}/team/app:1"),
        pod(),
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}},
        "x",
    )

    def test_the_document_fits_its_schema_and_counts(self) -> None:
        found = whole(GOOD, *self.ITEMS)
        value = audit_json(found)
        assert schema.problem("audit.json", value) is None
        assert value["counts"] == {"allowed": 1, "excused": 0, "refused": 3, "unjudged": 1, "empty": 1}
        images = {item["image"]: item for item in cast("list[dict[str, Any]]", value["images"])}
        assert images[APP]["standing"] == "allowed"
        assert images[OTHER] == {
            "image": OTHER,
            "references": [OTHER_IMAGE],
            "standing": "refused",
            "objects": ["items[1]", "items[2]"],
        }
        assert images[f"{HOST}/team/app:1"]["standing"] == "refused"
        assert json.loads(render_audit("json", found)) == value

    def test_an_image_twice_in_an_object_is_one_image(self) -> None:
        (image,) = cast("list[Any]", audit_json(whole(GOOD, pod(IMAGE, IMAGE)))["images"])
        assert image["objects"] == ["items[0]"]

    def test_the_text_says_what_is_wrong_and_where(self) -> None:
        text = render_audit("text", whole(GOOD, *self.ITEMS))
        for words in (
            "AUDIT  list.json",
            "NOT LISTED  items[6]: it is no object",
            "REFUSED, admission missed it: 3 objects",
            "container.signed",
            "fix: ",
            "Deployment/payments/app",
            "NOT JUDGED: 1 object",
            "6 objects: 3 refused, 1 unjudged, 1 allowed, 1 empty; 1 gap in the listing.   exit 13",
        ):
            assert words in text
        assert audit_summary(whole(GOOD, pod(IMAGE))) == "1 object: 1 allowed.   exit 0"
        assert audit_summary(whole(GOOD, "x")) == "0 objects: nothing judged; 1 gap in the listing.   exit 3"

    def test_what_is_the_same_is_told_once(self) -> None:
        text = render_audit("text", whole(GOOD, *[pod(OTHER_IMAGE)] * 14))
        assert text.count("container.signed") == 1
        assert text.count("Pod/payments/app") == 10
        assert "and 4 more objects like these; --format json has all" in text

    def test_a_dry_run_and_other_namespaces_are_told(self) -> None:
        found = dataclasses.replace(whole(GOOD, pod(IMAGE)), mode="dry-run", left_out=2)
        text = render_audit("text", found)
        assert "the webhook runs in the mode dry-run" in text
        assert "2 objects of other namespaces were left out" in text

    def test_all_grounds_are_told(self) -> None:
        known = trust(revoked_keys=("release",))
        old = dataclasses.replace(trust().signers["builder"], valid_until_s=NOW_S - 1)
        settings = dataclasses.replace(known, signers={**known.signers, "builder": old})
        found = whole(GOOD.replace(trust=settings), pod(IMAGE))
        assert found.objects[0].grounds == (Ground.REVOKED, Ground.EXPIRED)
        text = render_audit("text", found)
        assert "REFUSED, what it rests on is revoked now: 1 object" in text
        assert "also: what it rests on has expired" in text

    def test_s34_names_from_a_cluster_are_escaped(self) -> None:
        item = pod(OTHER_IMAGE)
        item["metadata"]["name"] = "x\x1b[31m\u202ey"
        text = render_audit("text", whole(GOOD, item))
        assert "x\\x1b[31m\\u202ey" in text
        assert text.replace("\n", "").isprintable()


def test_the_mode_of_the_webhook_changes_no_standing() -> None:
    assert make_key("stranger") != BUILDER
    only = FakeRegistries({APP: (build_provenance(),)})
    assert one(GOOD.replace(registries=only), pod(IMAGE)).standing is Standing.REFUSED
