"""The section `admission` of `gate.yaml`: what is read, what is refused, and that the schema agrees."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from gate.formats import schema
from gate.model.admission import ObjectKind
from gate.model.admission_settings import (
    AdmissionLimits,
    AdmissionMode,
    AdmissionRegistry,
    AdmissionSettings,
    BreakGlassSettings,
    Outage,
    PlacesSettings,
    Tags,
)
from gate.model.digest import hex_of, sha256_digest
from gate.model.registry import RegistryAccess
from gate.model.settings import Settings
from tests.unit.config_cases import BASE, EXAMPLE, ROOT_OF_TRUST, SCHEMAS, load, refused, text_of

RAY = {"api_version": "ray.io/v1", "kind": "RayCluster", "resource": "rayclusters", "pods": ["spec.a.*.template"]}


def with_admission(admission: Any, **more: Any) -> dict[str, Any]:
    return {**copy.deepcopy(BASE), "admission": admission, **more}


def admission_of(settings: Settings) -> AdmissionSettings:
    assert settings.admission is not None
    return settings.admission


def test_without_the_section_nothing_is_served() -> None:
    assert load(text_of(BASE)).admission is None


def test_s40_what_is_not_said_is_the_strict_way() -> None:
    value = with_admission({})
    assert schema.problem("config.json", value) is None
    found = admission_of(load(text_of(value)))
    assert found == AdmissionSettings()
    assert (found.mode, found.tags, found.outage) == (AdmissionMode.ENFORCE, Tags.REFUSE, Outage.REFUSE)
    assert found.registries == {}


def test_a_webhook_alone_needs_neither_artifacts_nor_gates() -> None:
    value: dict[str, Any] = {"version": 1, "target": "deployment", "admission": {}}
    assert schema.problem("config.json", value) is None
    assert load(text_of(value)).artifacts == {}


def test_the_section_of_the_example_is_read() -> None:
    text = EXAMPLE.decode().replace(
        "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356", hex_of(sha256_digest(ROOT_OF_TRUST))
    )
    found = admission_of(load(text))
    assert found.registries == {
        "registry.example": AdmissionRegistry(RegistryAccess(timeout_s=10)),
        "registry.internal:5000": AdmissionRegistry(
            RegistryAccess(private=True, timeout_s=5), "registry.internal:5000/evidence/images"
        ),
    }
    pods = ("spec.headGroupSpec.template", "spec.workerGroupSpecs?.*.template")
    assert found.places == (PlacesSettings(ObjectKind("ray.io", "v1", "RayCluster"), "rayclusters", pods),)
    assert (found.outage, found.last_seen_s, found.listing_s) == (Outage.LAST_SEEN, 1800, 30)
    assert found.break_glass == BreakGlassSettings(("ann", "ben"), 4 * 3600, ("payments", "search"))
    assert (found.cache_bytes, found.limits) == (64 << 20, AdmissionLimits())


def test_everything_can_be_said() -> None:
    value = with_admission(
        {
            "mode": "dry-run",
            "tags": "resolve",
            "registries": {
                "docker.io": {},
                "localhost:5000": {"insecure": True},
                "[::1]:5000": {},
                "r.example": {"ca": "own.yaml", "token_host": "Auth.example", "evidence": "docker.io/acme/evidence"},
            },
            "places": [{**RAY, "images": ["spec.image?"], "models": ["spec.models.*"]}],
            "outage": "last-seen",
            "last_seen": "7d",
            "listing": "0s",
            "cache": "1MiB",
            "limits": {
                "body": "64KiB",
                "images": 1000,
                "concurrent": 1,
                "queue": 0,
                "deadline": "29s",
                "connections": 1,
            },
        }
    )
    assert schema.problem("config.json", value) is None
    settings = load(text_of(value))
    found = admission_of(settings)
    assert (found.mode, found.tags) == (AdmissionMode.DRY_RUN, Tags.RESOLVE)
    assert found.registries["r.example"] == AdmissionRegistry(
        RegistryAccess(ca_path="own.yaml", ca=b"controls: {}\n", token_host="auth.example", timeout_s=10),
        "docker.io/acme/evidence",
    )
    assert (found.last_seen_s, found.listing_s, found.cache_bytes) == (7 * 86400, 0, 1 << 20)
    assert found.limits == AdmissionLimits(64 << 10, 1000, 1, 0, 29, 1)
    assert settings.steering.role("own.yaml") == "key"


BAD: list[tuple[Any, str, bool]] = [
    (None, "expected a mapping", False),
    ({"modus": "enforce"}, "did you mean 'mode'", False),
    ({"mode": "audit"}, "not one of enforce, dry-run", False),
    ({"mode": True}, "expected text", False),
    ({"tags": "allow"}, "not one of refuse, resolve", False),
    ({"outage": "allow"}, "not one of refuse, last-seen", False),
    ({"last_seen": "1h"}, "unless outage is last-seen", False),
    ({"outage": "refuse", "last_seen": "1h"}, "unless outage is last-seen", False),
    ({"outage": "last-seen", "last_seen": "8d"}, "from 1 to 604800", True),
    ({"outage": "last-seen", "last_seen": "0s"}, "from 1 to 604800", True),
    ({"outage": "last-seen", "last_seen": 3600}, "expected text", False),
    ({"listing": "11m"}, "from 0 to 600", True),
    ({"listing": "-1s"}, "expected a duration", False),
    ({"cache": "1KiB"}, "expected a size from 1048576", True),
    ({"cache": "5GiB"}, "expected a size from 1048576", True),
    ({"cache": "many"}, "expected a positive number", False),
    ({"cache": True}, "expected a positive number", False),
    ({"registries": []}, "expected a mapping", False),
    ({"registries": {"registry": {}}}, "is not a registry such as", False),
    ({"registries": {"": {}}}, "is not a registry such as", False),
    ({"registries": {"*": {}}}, "is not a registry such as", False),
    ({"registries": {"*.example": {}}}, "is not a registry such as", False),
    ({"registries": {"R.example": {}}}, "what is written like that is in 'r.example'", False),
    ({"registries": {"index.docker.io": {}}}, "what is written like that is in 'docker.io'", True),
    ({"registries": {"https://r.example": {}}}, "is not a registry such as", False),
    ({"registries": {"r.example/team": {}}}, "is not a registry such as", False),
    ({"registries": {"r.example:0": {}}}, "is not a registry such as", True),
    ({"registries": {"r.example:70000": {}}}, "is not a registry such as", True),
    ({"registries": {"r.example": None}}, "expected a mapping", False),
    ({"registries": {"r.example": {"privat": True}}}, "did you mean 'private'", False),
    ({"registries": {"r.example": {"insecure": 1}}}, "expected true or false", False),
    ({"registries": {"r.example": {"insecure": True, "ca": "own.yaml"}}}, "give ca, or insecure", False),
    ({"registries": {"r.example": {"ca": "missing.pem"}}}, "there is no file", True),
    ({"registries": {"r.example": {"ca": "../own.yaml"}}}, "not a relative path", False),
    ({"registries": {"r.example": {"token_host": "https://a"}}}, "expected a host", False),
    ({"registries": {"r.example": {"timeout_s": 0}}}, "from 1 to 600", False),
    ({"registries": {"r.example": {"evidence": "r.example/a@sha256:" + "0" * 64}}}, "neither tag nor digest", True),
    ({"registries": {"r.example": {"evidence": "other.example/a"}}}, "is not one of registries", True),
    ({"places": {}}, "expected a list", False),
    ({"places": [{}]}, "needs 'api_version'", False),
    ({"places": [{**RAY, "kind": "rayCluster"}]}, "is not a kind such as", False),
    ({"places": [{**RAY, "resource": "Rays"}]}, "is not a resource", False),
    ({"places": [{**RAY, "api_version": "v1"}]}, "expected a group and a version", False),
    ({"places": [{**RAY, "api_version": "ray.io/1"}]}, "expected a group and a version", False),
    ({"places": [{**RAY, "api_version": "Ray.io/v1"}]}, "expected a group and a version", False),
    ({"places": [{**RAY, "pods": []}]}, "needs pods, images or models", False),
    ({"places": [{**RAY, "pods": ["spec..a"]}]}, "is not a path such as", False),
    ({"places": [{**RAY, "pods": ["$.spec"]}]}, "is not a path such as", False),
    ({"places": [{**RAY, "pods": ["spec[0]"]}]}, "is not a path such as", False),
    ({"places": [{**RAY, "pods": ["*?"]}]}, "is not a path such as", False),
    ({"places": [{**RAY, "pods": ["a" + ".a" * 16]}]}, "is not a path such as", False),
    ({"places": [RAY, RAY]}, "is here twice", True),
    ({"break_glass": {"signers": ["ann"]}}, "may not speak for", False),
    ({"limits": {"bodies": 1}}, "unknown key", False),
    ({"limits": {"body": "1KiB"}}, "expected a size from 65536", True),
    ({"limits": {"images": 0}}, "from 1 to 1000", False),
    ({"limits": {"concurrent": True}}, "from 1 to 256", False),
    ({"limits": {"queue": -1}}, "from 0 to 10000", False),
    ({"limits": {"deadline": "30s"}}, "from 1 to 29", True),
    ({"limits": {"deadline": 4}}, "expected text", False),
    ({"limits": {"connections": "9"}}, "from 1 to 65536", False),
]


@pytest.mark.parametrize(("admission", "message", "beyond_schema"), BAD, ids=range(len(BAD)))
def test_what_is_wrong_is_refused_at_its_place(admission: Any, message: str, beyond_schema: bool) -> None:
    value = with_admission(admission)
    assert message in refused(value)
    assert (schema.problem("config.json", value) is None) == beyond_schema


def test_the_schema_knows_the_keys_that_the_loader_reads() -> None:
    value = with_admission({"registries": {"r.example": {"x": 1}}})
    assert "known are ca, evidence, insecure, private, timeout_s, token_host" in refused(value)
    value = with_admission({"places": [{"x": 1}]})
    assert "known are api_version, images, kind, models, pods, resource" in refused(value)
    document = json.loads((SCHEMAS / "config.json").read_text())["properties"]["admission"]["properties"]
    registry, place = document["registries"]["additionalProperties"], document["places"]["items"]
    assert sorted(registry["properties"]) == ["ca", "evidence", "insecure", "private", "timeout_s", "token_host"]
    assert sorted(place["properties"]) == ["api_version", "images", "kind", "models", "pods", "resource"]


def with_exceptions(exception: Any, **more: Any) -> dict[str, Any]:
    value = with_admission({"break_glass": exception}, **more)
    value["trust"]["signers"]["ann"]["claims"].append("admission.break_glass")
    return value


RECORD = {"record": {"sqlite": "a.db"}}
BAD_EXCEPTIONS: list[tuple[Any, str, bool]] = [
    (None, "expected a mapping", False),
    ({}, "needs the signers", False),
    ({"signers": []}, "needs the signers", False),
    ({"signers": ["anne"]}, "did you mean 'ann'", True),
    ({"signers": ["ben"]}, "may not speak for admission.break_glass", True),
    ({"signers": ["ann"], "maximum": "1h"}, "unknown key", False),
    ({"signers": ["ann"], "max": "25h"}, "from 60 to 86400", True),
    ({"signers": ["ann"], "max": "59s"}, "from 60 to 86400", True),
    ({"signers": ["ann"], "namespaces": []}, "expected at least one", False),
    ({"signers": ["ann"], "namespaces": ["*"]}, "is not a namespace", False),
    ({"signers": ["ann"], "namespaces": ["Prod"]}, "is not a namespace", False),
]


@pytest.mark.parametrize(("exception", "message", "beyond_schema"), BAD_EXCEPTIONS, ids=range(len(BAD_EXCEPTIONS)))
def test_who_may_make_exceptions_is_checked(exception: Any, message: str, beyond_schema: bool) -> None:
    value = with_exceptions(exception, **RECORD)
    assert message in refused(value)
    assert (schema.problem("config.json", value) is None) == beyond_schema


def test_exceptions_are_made_only_where_they_are_recorded() -> None:
    value = with_exceptions({"signers": ["ann", "ann"]}, **RECORD)
    assert schema.problem("config.json", value) is None
    found = admission_of(load(text_of(value)))
    assert found.break_glass == BreakGlassSettings(("ann",), 4 * 3600, ())
    value = with_exceptions({"signers": ["ann"]})
    assert "add the section record" in refused(value)
    assert schema.problem("config.json", value) is not None
