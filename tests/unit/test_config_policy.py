"""The sections `policy` and `engine` of `gate.yaml`: what is read, and each mistake at its place."""

from __future__ import annotations

import pytest

from gate.app.policy import load_policy
from gate.config.policy import is_policy_file, read_engine, read_policy, url_problem
from gate.errors import EvidenceError, PolicyError
from gate.formats.strict_yaml import YamlError, loads
from gate.model.settings import EngineSettings, PolicySettings, Steering
from gate.verify.trust import TrustStore
from tests.unit.config_cases import Files

FILES = {
    "policy/gate/controls/a/b/b.rego": b"1",
    "policy/docs/b.md": b"2",
    "policy/gate/profiles/p/data.json": b"3",
    "more/custom/a/b/b.rego": b"4",
    "more/deep/data.yaml": b"5",
    "policy.tar.gz": b"bundle",
    "policy.tar.gz.sigstore.json": b"envelope",
    "bare.tar.gz": b"bundle",
    "keys/ca.pem": b"ca",
}


NOBODY = TrustStore({}, {}, None, {}, frozenset(), frozenset(), frozenset(), 0)


def policy(text: str) -> PolicySettings:
    return read_policy(loads(text.encode()), Files(FILES))


def engine(text: str) -> EngineSettings:
    return read_engine(loads(text.encode()), Files(FILES))


def test_without_a_section_the_library_judges_in_the_embedded_engine() -> None:
    assert read_policy(None, Files(FILES)) == PolicySettings()
    assert read_engine(None, Files(FILES)) == EngineSettings()


def test_directories_are_read_with_what_counts_in_them() -> None:
    found = policy("{directories: [policy/, more], replaces: [scan.malware, scan.malware, custom.a.b]}")
    assert found.directories == ("policy", "more")
    assert found.replaces == ("scan.malware", "custom.a.b")
    assert sorted(found.files) == sorted(
        [
            "policy/gate/controls/a/b/b.rego",
            "policy/gate/profiles/p/data.json",
            "more/custom/a/b/b.rego",
            "more/deep/data.yaml",
        ]
    )
    assert found.paths == ()


def test_a_bundle_is_read_with_its_envelope() -> None:
    found = policy("{bundle: policy.tar.gz, serial: 3}")
    assert (found.bundle, found.envelope, found.serial) == (b"bundle", b"envelope", 3)
    assert found.paths == ("policy.tar.gz", "policy.tar.gz.sigstore.json")


@pytest.mark.parametrize("name", ["a.rego", "a/b.rego", "data.json", "a/data.yaml", "a/data.yml"])
def test_what_an_engine_or_a_bundle_would_load_counts(name: str) -> None:
    assert is_policy_file(name)
    assert not is_policy_file(f"{name}.bak")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "needs directories, or a bundle"),
        ("{directories: []}", "needs directories, or a bundle"),
        ("{replaces: [a.b]}", "needs directories, or a bundle"),
        ("{directory: [policy]}", "did you mean 'directories'?"),
        ("{directories: policy}", "expected a list"),
        ("{directories: [../policy]}", "not a relative path"),
        ("{directories: [/policy]}", "not a relative path"),
        ("{directories: [.]}", "not a relative path"),
        ("{directories: [nowhere]}", "no directory 'nowhere'"),
        ("{directories: [policy, policy/]}", "listed twice"),
        ("{directories: [policy, policy/gate]}", "lies in another"),
        ("{directories: [policy/gate, policy]}", "lies in another"),
        ("{directories: [policy], replaces: [signed]}", "ids of controls"),
        ("{directories: [policy], replaces: [a.b.c.d]}", "ids of controls"),
        ("{directories: [policy], replaces: [[a]]}", "expected text"),
        ("{directories: [policy], serial: 1}", "only a bundle has a serial"),
        ("{bundle: policy.tar.gz}", "needs the serial"),
        ("{bundle: policy.tar.gz, serial: 0}", "whole number from 1"),
        ("{bundle: policy.tar.gz, serial: true}", "whole number from 1"),
        ("{bundle: policy.tar.gz, serial: '1'}", "whole number from 1"),
        ("{bundle: policy.tar.gz, serial: 1, directories: [policy]}", "give it, or directories"),
        ("{bundle: policy.tar.gz, serial: 1, replaces: [a.b]}", "give it, or replaces"),
        ("{bundle: nowhere.tar.gz, serial: 1}", "no file 'nowhere.tar.gz'"),
    ],
)
def test_a_wrong_policy_is_refused(text: str, words: str) -> None:
    with pytest.raises((YamlError, EvidenceError)) as caught:
        policy(text)
    assert words in str(caught.value)


def test_the_engines_are_read() -> None:
    assert engine("{isolation: process}") == EngineSettings(isolated=True)
    assert engine("{name: regorus, isolation: none}") == EngineSettings(isolated=False)
    found = engine(
        "{name: opa, url: 'https://opa.example.com:8181/', ca: keys/ca.pem, token_file: /run/token, timeout_s: 30}"
    )
    assert found == EngineSettings("opa", None, "https://opa.example.com:8181", "keys/ca.pem", b"ca", "/run/token", 30)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{name: jq}", "not one of regorus, opa"),
        ("{name: opa}", "needs the url"),
        ("{url: 'https://a'}", "the engine regorus has no url"),
        ("{ca: keys/ca.pem}", "has no ca"),
        ("{token_file: x}", "has no token_file"),
        ("{name: opa, url: 'https://a', isolation: process}", "the engine opa has no isolation"),
        ("{name: opa, url: 'https://a', timeout_s: 0}", "from 1 to 300"),
        ("{name: opa, url: 'https://a', timeout_s: 301}", "from 1 to 300"),
        ("{name: opa, url: 'https://a', ca: nowhere.pem}", "no file 'nowhere.pem'"),
        ("{name: opa, url: 'http://a:8181'}", "this machine only"),
    ],
)
def test_a_wrong_engine_is_refused(text: str, words: str) -> None:
    with pytest.raises(YamlError) as caught:
        engine(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://a", "https://a:1/", "http://127.0.0.1:8181", "http://[::1]:1", "http://localhost"]
)
def test_an_address_is_scheme_host_and_port(url: str) -> None:
    assert url_problem(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "", "a", "ftp://a", "https://", "https://a:0", "https://a:99999", "https://a:x", "https://a/b", "https://a?b",
        "https://a#b", "https://u:p@a", "https://\u0430", "http://a", "http://127.0.0.2", "http://localhost.a", "https://[::1",
    ],
)  # fmt: skip
def test_anything_else_is_no_address(url: str) -> None:
    assert url_problem(url) is not None


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1?", "http://127.0.0.1#", "http://127.0.0.1/?", "ht\ntp://127.0.0.1", "https://a\tb", " http://127.0.0.1",
        "http://127.0.0.1\n", "http://user@127.0.0.1", "https://a/b", "https://a\\b", "http://127.0.0.1 ",
    ],
)  # fmt: skip
def test_an_address_is_scheme_host_and_port_and_nothing_else(text: str) -> None:
    assert url_problem(text) is not None


def test_what_looks_like_a_steering_path_steers() -> None:
    steering = Steering({"gate.yaml": "configuration", "keys/a.pub": "key"}, ("policy",))
    for path in ("policy", "policy/x.rego", "Policy/x.rego", "POLICY", "policy\u200b/x.rego", "\uff50olicy/x"):
        assert steering.role(path) == "policy", path
    assert steering.role("GATE.YAML") == "configuration"
    assert steering.role("Keys/A.pub") == "key"
    assert steering.role("policies/x.rego") is None
    assert "policy/x" in steering
    assert "other" not in steering
    assert 1 not in steering


def test_a_bundle_that_nobody_signed_is_read_as_such() -> None:
    assert policy("{bundle: bare.tar.gz, serial: 1}").envelope is None
    with pytest.raises(
        PolicyError, match=r"nothing signs the policy bundle: there is no bare\.tar\.gz\.sigstore\.json"
    ):
        load_policy(policy("{bundle: bare.tar.gz, serial: 1}"), NOBODY)
