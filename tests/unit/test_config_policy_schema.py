"""The sections `policy` and `engine` of `gate.yaml`: what is read, what is refused, and that the schema agrees."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.config.policy import url_problem
from gate.config.settings import load_settings
from gate.errors import ConfigError
from gate.model.settings import EngineSettings, PolicySettings, Settings
from tests.unit.config_cases import BASE, FILES, SCHEMAS, Files, text_of
from tests.unit.test_config import agreed

URL = "https://opa.example:8181"
MORE = {
    "policy/custom/a/b/b.rego": b"package custom.a.b\n",
    "policy/custom/a/b/notes.txt": b"no policy",
    "shared/policy/gate/profiles/own/data.json": b"{}",
    "policy.tar.gz": b"bundle",
    "policy.tar.gz.sigstore.json": b"envelope",
    "alone.tar.gz": b"bundle",
    "keys/opa-ca.crt": b"ca",
}


def load(section: str, value: Any) -> Settings:
    return load_settings("gate.yaml", Files({**FILES, **MORE, "gate.yaml": text_of({**BASE, section: value})}))


GOOD: list[tuple[str, Any, Any]] = [
    (
        "policy",
        {"directories": ["policy", "shared/policy"], "replaces": ["scan.malware", "custom.a.b", "scan.malware"]},
        PolicySettings(
            ("policy", "shared/policy"),
            ("scan.malware", "custom.a.b"),
            {
                "policy/custom/a/b/b.rego": b"package custom.a.b\n",
                "shared/policy/gate/profiles/own/data.json": b"{}",
            },
        ),
    ),
    (
        "policy",
        {"bundle": "policy.tar.gz", "serial": 999_999_999_999_999},
        PolicySettings(bundle_path="policy.tar.gz", bundle=b"bundle", envelope=b"envelope", serial=999_999_999_999_999),
    ),
    ("engine", {}, EngineSettings()),
    (
        "engine",
        {"name": "regorus", "isolation": "process", "timeout_s": 300},
        EngineSettings("regorus", True, timeout_s=300),
    ),
    ("engine", {"isolation": "none", "timeout_s": 1}, EngineSettings(isolated=False, timeout_s=1)),
    ("engine", {"name": "opa", "url": "http://127.0.0.1:8181/"}, EngineSettings("opa", url="http://127.0.0.1:8181")),
    ("engine", {"name": "opa", "url": "http://[::1]"}, EngineSettings("opa", url="http://[::1]")),
    ("engine", {"name": "opa", "url": "https://[2001:db8::1]:1"}, EngineSettings("opa", url="https://[2001:db8::1]:1")),
    (
        "engine",
        {"name": "opa", "url": URL, "ca": "keys/opa-ca.crt", "token_file": "/run/secrets/t"},
        EngineSettings("opa", url=URL, ca_path="keys/opa-ca.crt", ca=b"ca", token_file="/run/secrets/t"),
    ),
]


@pytest.mark.parametrize(("section", "value", "expected"), GOOD)
def test_good_sections_are_read_and_fit_the_schema(section: str, value: Any, expected: Any) -> None:
    assert getattr(load(section, value), section) == expected
    assert agreed({**BASE, section: value})


OPA = {"name": "opa", "url": URL}
BAD: list[tuple[str, Any, str]] = [
    ("policy", None, ""),
    ("policy", [], ""),
    ("policy", {}, "policy needs directories, or a bundle"),
    ("policy", {"directories": []}, "policy needs directories, or a bundle"),
    ("policy", {"directories": "policy"}, ""),
    ("policy", {"directories": ["../policy"]}, ""),
    ("policy", {"directories": ["policy"], "serial": 1}, "only a bundle has a serial"),
    ("policy", {"directories": ["policy"], "replaces": ["malware"]}, "ids of controls"),
    ("policy", {"directories": ["policy"], "replaces": ["a.b.c.d"]}, "ids of controls"),
    ("policy", {"directories": ["policy"], "replaces": [1]}, ""),
    ("policy", {"replaces": ["scan.malware"]}, "policy needs directories"),
    ("policy", {"bundle": "policy.tar.gz"}, "a bundle needs the serial"),
    ("policy", {"bundle": "policy.tar.gz", "serial": 0}, "a whole number from 1 to"),
    ("policy", {"bundle": "policy.tar.gz", "serial": 10**15}, "no number the gate reads"),
    ("policy", {"bundle": "policy.tar.gz", "serial": True}, "a whole number from 1 to"),
    ("policy", {"bundle": "policy.tar.gz", "serial": "1"}, "a whole number from 1 to"),
    ("policy", {"bundle": "policy.tar.gz", "serial": 1, "directories": ["policy"]}, "give it, or directories"),
    ("policy", {"bundle": "policy.tar.gz", "serial": 1, "replaces": ["a.b"]}, "give it, or replaces"),
    ("policy", {"directory": ["policy"]}, "did you mean 'directories'?"),
    ("engine", None, ""),
    ("engine", "opa", ""),
    ("engine", {"name": "cedar"}, ""),
    ("engine", {"name": "opa"}, "needs the url"),
    ("engine", {"url": URL}, "the engine regorus has no url"),
    ("engine", {"ca": "keys/opa-ca.crt"}, "the engine regorus has no ca"),
    ("engine", {"name": "regorus", "token_file": "t"}, "the engine regorus has no token_file"),
    ("engine", {**OPA, "isolation": "process"}, "the engine opa has no isolation"),
    ("engine", {"isolation": "thread"}, ""),
    ("engine", {**OPA, "token_file": ""}, ""),
    ("engine", {**OPA, "ca": "/etc/ca.crt"}, ""),
    ("engine", {**OPA, "timeout_s": 0}, "a whole number from 1 to 300"),
    ("engine", {**OPA, "timeout_s": 301}, "a whole number from 1 to 300"),
    ("engine", {**OPA, "timeout_s": "5s"}, "a whole number from 1 to 300"),
    ("engine", {**OPA, "timeout": 5}, "did you mean 'timeout_s'?"),
    *(
        ("engine", {"name": "opa", "url": url}, message)
        for url, message in (
            ("", ""),
            ("opa.example", "expected https://"),
            ("unix:///run/opa.sock", "expected https://"),
            ("https://", "expected https://"),
            ("https://opa.example/v1", "scheme, host and port only"),
            ("https://opa.example?x", "scheme, host and port only"),
            ("https://opa.example#x", "scheme, host and port only"),
            ("https://token@opa.example", "scheme, host and port only"),
            ("http://opa.example", "http is for this machine only"),
            ("http://127.0.0.1.example", "http is for this machine only"),
            ("https://opa.example:x", "not an address"),
            ("https://[::1", "not an address"),
        )
    ),
]
# What a schema cannot say: which files there are, and the range of a port.
BEYOND: list[tuple[str, Any, str]] = [
    ("policy", {"directories": ["nowhere"]}, "there is no directory 'nowhere'"),
    ("policy", {"directories": ["policy", "policy"]}, "listed twice, or lies in another"),
    ("policy", {"directories": ["policy/custom", "policy"]}, "listed twice, or lies in another"),
    ("policy", {"bundle": "gone.tar.gz", "serial": 1}, "there is no file 'gone.tar.gz'"),
    ("engine", {**OPA, "ca": "keys/gone.crt"}, "keys/gone.crt"),
    ("engine", {"name": "opa", "url": "https://opa.example:0"}, "expected https://"),
    ("engine", {"name": "opa", "url": "https://opa.example:65536"}, "not an address"),
    ("engine", {"name": "opa", "url": "https://öpa.example"}, "scheme, host and port only"),
]


@pytest.mark.parametrize(("section", "value", "message"), [*BAD, *BEYOND])
def test_s18_bad_sections_are_refused_where_they_stand(section: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(section, value)
    assert str(caught.value).startswith("gate.yaml:")
    assert message in str(caught.value)


@pytest.mark.parametrize(("section", "value", "message"), BAD)
def test_the_schema_refuses_the_same(section: str, value: Any, message: str) -> None:
    assert not agreed({**BASE, section: value}), message


@pytest.mark.parametrize(("section", "value", "message"), BEYOND)
def test_the_schema_cannot_say_everything(section: str, value: Any, message: str) -> None:
    assert agreed({**BASE, section: value}), message


@pytest.mark.parametrize(
    ("section", "keys"),
    [
        ("policy", {"directories", "replaces", "bundle", "serial"}),
        ("engine", {"name", "isolation", "url", "ca", "token_file", "timeout_s"}),
    ],
)
def test_the_schema_knows_the_keys(section: str, keys: set[str]) -> None:
    part = json.loads((SCHEMAS / "config.json").read_text())["properties"][section]
    assert part["properties"].keys() == keys
    assert part["additionalProperties"] is False


def test_the_files_of_both_sections_steer_the_gate() -> None:
    engine = {"name": "opa", "url": URL, "ca": "keys/opa-ca.crt"}
    assert load("engine", engine).steering.files["keys/opa-ca.crt"] == "key"
    bundle = load("policy", {"bundle": "policy.tar.gz", "serial": 1}).steering.files
    assert {bundle["policy.tar.gz"], bundle["policy.tar.gz.sigstore.json"]} == {"policy"}
    steering = load("policy", {"directories": ["policy"]}).steering
    assert "policy/new.rego" in steering
    assert "policies/new.rego" not in steering


@pytest.mark.parametrize("url", ["https://opa.example", "http://localhost:1", "http://127.0.0.1"])
def test_addresses_that_are_fine(url: str) -> None:
    assert url_problem(url) is None
