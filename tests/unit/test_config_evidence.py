"""Evidence from registries in `gate.yaml`: an image with a digest, and nothing that opens more than it says."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from gate.config.settings import load_settings
from gate.formats import schema
from gate.model.registry import OciEvidence, RegistryAccess
from tests.unit.config_cases import BASE, FILES, SCHEMAS, Files, load, refused, text_of

IMAGE = "registry.example:5000/llm/server@sha256:" + "1" * 64


def configured(oci: Any, image: str = IMAGE) -> dict[str, Any]:
    value = copy.deepcopy(BASE)
    value["artifacts"]["server"] = {"kind": "container", "image": image}
    value["evidence"] = [{"oci": oci}]
    return value


def test_the_artifact_is_enough() -> None:
    value = configured({"artifact": "server"})
    assert load(text_of(value)).evidence_registries == (OciEvidence("server"),)
    assert schema.problem("config.json", value) is None


def test_everything_can_be_said() -> None:
    value = configured(
        {
            "artifact": "server",
            "repository": "other.example/evidence",
            "private": True,
            "ca": "keys/ann.pub",
            "token_host": "Auth.example:5001",
            "timeout_s": 600,
        }
    )
    value["evidence"] += [{"directory": "a"}, *value["evidence"]]
    settings = load_settings("gate.yaml", Files({**FILES, "gate.yaml": text_of(value)}))
    access = RegistryAccess(
        private=True, ca_path="keys/ann.pub", ca=b"ann's key", token_host="auth.example:5001", timeout_s=600
    )
    assert settings.evidence_registries == (OciEvidence("server", "other.example/evidence", access),)
    assert settings.evidence_directories == ("a",)
    assert schema.problem("config.json", value) is None


def test_s24_the_authority_of_a_registry_steers_the_gate() -> None:
    settings = load(text_of(configured({"artifact": "server", "ca": "own.yaml"})))
    assert settings.steering.files["own.yaml"] == "key"


@pytest.mark.parametrize(
    ("oci", "message"),
    [
        ({}, "needs the artifact"),
        ("server", "expected a mapping"),
        ({"artifact": "servr"}, "did you mean"),
        ({"artifact": "m"}, "is no image"),
        ({"artifact": "server", "image": "x"}, "unknown key"),
        ({"artifact": "server", "repository": "registry.example/x:1"}, "neither tag nor digest"),
        ({"artifact": "server", "repository": "Registry/../x"}, "not an image reference"),
        ({"artifact": "server", "insecure": "yes"}, "expected true or false"),
        ({"artifact": "server", "private": 1}, "expected true or false"),
        ({"artifact": "server", "insecure": True, "ca": "own.yaml"}, "no certificate to check"),
        ({"artifact": "server", "ca": "absent.pem"}, "there is no file"),
        ({"artifact": "server", "token_host": "https://auth.example"}, "expected a host"),
        ({"artifact": "server", "token_host": "a@b"}, "expected a host"),
        ({"artifact": "server", "timeout_s": 0}, "from 1 to 600"),
        ({"artifact": "server", "timeout_s": 601}, "from 1 to 600"),
        ({"artifact": "server", "timeout_s": True}, "from 1 to 600"),
    ],
)
def test_what_is_wrong_is_refused_at_its_place(oci: Any, message: str) -> None:
    assert message in refused(configured(oci))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("registry.example/llm/server:1.0", "has no digest, and a tag may change"),
        ("registry.example/llm/server", "has no digest"),
        ("registry.example/x@sha512:" + "1" * 128, "only sha256"),
        ("registry.example:0/x@sha256:" + "1" * 64, "there is no port"),
        ("no image", "not an image reference"),
    ],
)
def test_s40_an_image_that_is_not_pinned_has_no_evidence_in_a_registry(image: str, message: str) -> None:
    assert message in refused(configured({"artifact": "server"}, image))


def test_a_place_is_a_folder_or_a_registry() -> None:
    value = configured({"artifact": "server"})
    value["evidence"][0]["directory"] = "a"
    assert "a directory, or oci" in refused(value)
    assert schema.problem("config.json", value) is not None


def test_a_folder_of_another_format_is_read_as_nothing_else() -> None:
    value = copy.deepcopy(BASE)
    value["evidence"] = [
        {"directory": "a"},
        {"directory": "b/", "format": "llmsa"},
        {"directory": "b", "format": "llmsa"},
    ]
    settings = load(text_of(value))
    assert (settings.evidence_directories, settings.legacy_directories) == (("a", "b"), ("b",))
    assert schema.problem("config.json", value) is None
    assert load(text_of(BASE)).legacy_directories == ()
    value["evidence"].append({"directory": "b"})
    assert "'b' is named with and without a format" in refused(value)
    value = configured({"artifact": "server"})
    value["evidence"][0]["format"] = "llmsa"
    assert "a format is one of a directory" in refused(value)
    assert schema.problem("config.json", value) is not None


def test_the_schema_knows_the_keys_that_the_loader_reads() -> None:
    document = json.loads((SCHEMAS / "config.json").read_text())
    keys = document["properties"]["evidence"]["items"]["properties"]["oci"]["properties"]
    for key in keys:
        message = refused(configured({f"{key}_": "x"}))
        assert f"unknown key '{key}_'; did you mean {key!r}?" in message or message.count(key[:3])
    assert len(keys) == 7
