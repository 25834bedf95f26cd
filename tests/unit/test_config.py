"""`gate.yaml`: every key is read, every mistake is refused at its place, and the schema agrees."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from gate.config.settings import load_settings
from gate.errors import ConfigError
from gate.formats import schema, strict_yaml
from gate.model.artifact import ArtifactKind
from gate.model.digest import sha256_digest
from gate.model.settings import (
    ArtifactSettings,
    GateSettings,
    IdentitySettings,
    Limits,
    ReportSettings,
    Revocations,
    Settings,
    Target,
)
from tests.unit.config_cases import (
    BAD,
    BAD_VALUES,
    BASE,
    BEYOND_SCHEMA,
    DIGEST,
    EXAMPLE,
    FILES,
    KEYS,
    ROOT_OF_TRUST,
    SCHEMAS,
    Files,
    changed,
    load,
    refused,
    text_of,
)


@pytest.fixture(scope="module")
def example() -> Settings:
    text = EXAMPLE.decode().replace(
        "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356",
        sha256_digest(ROOT_OF_TRUST).removeprefix("sha256:"),
    )
    return load(text)


class TestExample:
    def test_the_whole_example_is_read(self, example: Settings) -> None:
        assert (example.path, example.source) == ("gate.yaml", "merge base 1234")
        assert (example.target, example.environment, example.profile) == (Target.DEPLOYMENT, "production", "baseline")
        assert example.artifacts["house-style"] == ArtifactSettings(
            "house-style", ArtifactKind.ADAPTER, "models/house-style", None, "summarizer"
        )
        assert example.artifacts["server"].path is None
        assert str(example.artifacts["server"].image).startswith("registry.example/llm/server@sha256:")
        assert example.evidence_directories == (".gate/attestations",)
        assert example.reports[0] == ReportSettings("modelscan", "reports/modelscan.json", "summarizer")
        assert example.reports[1] == ReportSettings("sarif", "reports/*.sarif", None)
        message = "Prompt changes need a prompt and an evaluation attestation."
        assert example.gates == {"G001": GateSettings("G001", ("app/**",), ("prompt", "eval"), message)}
        assert example.parameters == {
            "evidence.fresh": {"eval": 30 * 86400},
            "scan.vulnerabilities": {"max_severity": "medium"},
        }
        assert (example.waivers_path, example.waivers) == ("waivers.yaml", b"version: 1\n")
        assert example.allow_empty_diff is False
        assert example.limits == Limits(evidence_bytes=1 << 20, evidence_count=10_000)
        assert example.profile_text is None

    def test_the_trust_section_is_read(self, example: Settings) -> None:
        release, builder, pipeline = (example.trust.signers[name] for name in ("release", "builder", "pipeline"))
        assert (release.key_path, release.key_pem) == ("keys/release.pub", b"release key")
        assert (release.valid_from_s, release.valid_until_s) == (1767225600, 1814399999)
        assert (builder.scheme, builder.claims) == ("rsa-pss-sha256", ("build.*",))
        assert pipeline.identity == IdentitySettings(
            "https://token.actions.githubusercontent.com",
            "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main",
            "https://github.com/acme/app",
        )
        assert pipeline.key_pem is None
        assert example.trust.thresholds == {"approval": 2}
        assert len(example.trust.revoked.keys) == 1
        assert example.trust.sigstore_trusted_root == "trust/trusted_root.json"

    def test_s24_the_files_that_steer_the_gate_are_known_by_their_role(self, example: Settings) -> None:
        assert example.steering.files == {
            "gate.yaml": "configuration",
            "keys/release.pub": "key",
            "keys/builder.pub": "key",
            "keys/ann.pub": "key",
            "keys/ben.pub": "key",
            "waivers.yaml": "waivers",
            "trust/trusted_root.json": "trust_root",
        }

    def test_little_is_needed_and_the_rest_is_strict(self) -> None:
        settings = load("version: 1\ntarget: fine-tuning\nartifacts: {m: {kind: dataset, path: data}}\n")
        assert (settings.target, settings.environment, settings.profile) == (Target.FINE_TUNING, "default", "baseline")
        assert (settings.evidence_directories, settings.reports, settings.gates, settings.parameters) == (
            (),
            (),
            {},
            {},
        )
        assert (settings.waivers_path, settings.waivers, settings.profile_text) == (None, None, None)
        assert (settings.allow_empty_diff, settings.limits) == (False, Limits())
        assert (settings.trust.signers, settings.trust.thresholds, settings.trust.sigstore_trusted_root) == (
            {},
            {},
            None,
        )
        assert settings.steering.files == {"gate.yaml": "configuration"}


class TestS24Source:
    def test_s24_everything_is_read_through_the_source(self) -> None:
        value = changed("waivers", "waivers.yaml") | {"profile": "profiles/own.yaml"}
        source = Files({**FILES, "ci/gate.yaml": text_of(value)})
        settings = load_settings("ci/gate.yaml", source)
        assert sorted(source.read_paths) == [
            "ci/gate.yaml",
            "keys/ann.pub",
            "keys/ben.pub",
            "profiles/own.yaml",
            "waivers.yaml",
        ]
        assert settings.profile_text == FILES["profiles/own.yaml"]
        assert settings.steering.files["profiles/own.yaml"] == "profile"

    def test_s24_a_missing_configuration_is_an_error_with_a_hint(self) -> None:
        with pytest.raises(ConfigError, match=r"there is no gate.yaml in merge base 1234") as caught:
            load_settings("gate.yaml", Files({}))
        assert "gate init" in caught.value.hint

    @pytest.mark.parametrize(
        ("path", "new"),
        [
            ("trust/signers/ann/key", "keys/none.pub"),
            ("waivers", "none.yaml"),
            ("profile", "none.yaml"),
            ("trust/sigstore", {"trusted_root": "none.json", "sha256": "0" * 64}),
        ],
    )
    def test_s24_a_file_that_is_named_must_be_in_the_source(self, path: str, new: Any) -> None:
        assert "in merge base 1234" in refused(changed(path, new))

    def test_the_age_of_a_trusted_root_is_a_duration(self) -> None:
        root = {"trusted_root": "trust/trusted_root.json", "sha256": sha256_digest(ROOT_OF_TRUST)[7:]}
        assert "expected a duration such as 30d" in refused(changed("trust/sigstore", root | {"max_age": "soon"}))

    def test_s24_a_slash_at_the_end_does_not_hide_a_file_from_judgement(self) -> None:
        value = changed("waivers", "waivers.yaml/") | {"profile": "profiles/own.yaml//"}
        value["trust"] |= {
            "sigstore": {"trusted_root": "trust/trusted_root.json/", "sha256": sha256_digest(ROOT_OF_TRUST)}
        }
        value["trust"]["signers"]["ann"]["key"] = "keys/ann.pub/"
        assert load(text_of(value)).steering.files == {
            "gate.yaml": "configuration",
            "keys/ann.pub": "key",
            "keys/ben.pub": "key",
            "waivers.yaml": "waivers",
            "profiles/own.yaml": "profile",
            "trust/trusted_root.json": "trust_root",
        }

    @pytest.mark.parametrize("profile", ["strict", "llm-application", "baseline"])
    def test_a_profile_is_a_name_unless_it_looks_like_a_path(self, profile: str) -> None:
        assert load(text_of(changed("profile", profile))).profile_text is None
        assert load(text_of(changed("profile", "own.yaml"))).profile_text == FILES["own.yaml"]


def misspellings(word: str) -> set[str]:
    """The word with its last character left out, changed or doubled, and two of its characters swapped."""
    return {word[:-1], word[:-1] + "_", word + word[-1], word[1] + word[0] + word[2:]} - {word}


class TestS18UnknownKeys:
    @pytest.mark.parametrize(("section", "key"), [(section, key) for section, keys in KEYS.items() for key in keys])
    def test_s18_a_key_misspelt_by_one_character_is_refused_with_the_right_one(self, section: str, key: str) -> None:
        for wrong in misspellings(key):
            inner: Any = {wrong: "x"}
            if section == "trust/signers/ann/identity":
                inner = {"ann": {"claims": ["review"], "identity": inner}}
                value = changed("trust", {"signers": inner})
            elif section.endswith("/0"):
                value = changed(section.partition("/")[0], [inner])
            elif section:
                value = changed(section, inner)
            else:
                value = BASE | inner
            message = refused(value)
            assert f"unknown key {wrong!r}; did you mean " in message
            assert f"did you mean {key!r}?" in message or message.count(key[:3])

    def test_s18_the_place_of_an_unknown_key_is_given(self) -> None:
        text = (
            "version: 1\ntarget: training\ngates:\n- id: G1\n  trigger_paths: [a]\n  required_attestation: [prompt]\n"
        )
        message = "gate.yaml:6:3: unknown key 'required_attestation'; did you mean 'required_attestations'?"
        assert refused(text) == message


class TestBadValues:
    @pytest.mark.parametrize(
        ("path", "new"), BAD, ids=[f"{path}={value!r}"[:90].encode("unicode_escape").decode() for path, value in BAD]
    )
    def test_s18_every_bad_value_is_refused_with_its_place(self, path: str, new: Any) -> None:
        refused(changed(path, new))

    @pytest.mark.parametrize("number", [1, 2])
    @pytest.mark.parametrize("name", ["approval", "approval.human"])
    def test_s03_a_threshold_is_between_one_and_the_number_of_signers(self, number: int, name: str) -> None:
        assert load(text_of(changed("trust/thresholds", {name: number}))).trust.thresholds == {"approval": number}
        message = refused(changed("trust/thresholds", {name: 3}))
        assert f"the threshold of {name} must be a number from 1 to 2, its signers" in message

    def test_s03_one_claim_has_one_threshold(self) -> None:
        assert "given twice" in refused(changed("trust/thresholds", {"approval": 2, "approval.human": 1}))

    def test_s07_a_revoked_key_that_is_nobodys_is_refused(self) -> None:
        assert "did you mean 'ann'?" in refused(changed("trust/revoked", {"keys": ["anne"]}))
        settings = load(
            text_of(changed("trust/revoked", {"keys": ["ann", DIGEST], "identities": ["s"], "evidence": [DIGEST]}))
        )
        revoked = settings.trust.revoked
        assert revoked == Revocations(frozenset({"ann", DIGEST}), frozenset({"s"}), frozenset({DIGEST}))

    def test_s07_a_window_that_never_opens_is_refused(self) -> None:
        value = changed("trust/signers/ann/valid_from", "2027-01-02")
        value["trust"]["signers"]["ann"]["valid_until"] = "2027-01-01"
        assert "is never valid" in refused(value)
        value["trust"]["signers"]["ann"]["valid_until"] = "2027-01-02"
        ann = load(text_of(value)).trust.signers["ann"]
        assert (ann.valid_until_s or 0) - (ann.valid_from_s or 0) == 86399
        value["trust"]["signers"]["ann"]["valid_until"] = "2027-01-02T00:00:00+00:00"
        assert load(text_of(value)).trust.signers["ann"].valid_until_s == ann.valid_from_s

    def test_s18_duplicated_names_are_refused(self) -> None:
        gate = BASE["gates"][0]
        assert "occurs twice" in refused(changed("gates", [gate, gate]))
        for text in (
            "version: 1\nversion: 1\n",
            "artifacts: {m: {kind: weights, path: a}, m: {kind: weights, path: b}}\n",
            "trust: {signers: {a: {key: k, claims: [prompt]}, a: {key: l, claims: [eval]}}}\n",
            "trust: {thresholds: {approval: 2, approval: 1}}\n",
        ):
            assert "duplicate key" in refused(text)

    @pytest.mark.parametrize("rest", [{}, {"artifacts": {}}, {"gates": []}, {"artifacts": {}, "gates": []}], ids=str)
    def test_s25_a_configuration_that_judges_nothing_is_refused(self, rest: dict[str, Any]) -> None:
        assert "nothing to judge" in refused({"version": 1, "target": "training"} | rest)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "- a",
            "text",
            "version: 1\ntarget: &t training",
            "version: 1\n<<: {}",
            "version: !!int 1",
            "version: 1\n---\nversion: 1",
            "# x\u2028version: 1",
            "%YAML 1.1\n---\nversion: 1",
            "version: 01",
            "version: 1.0",
            "version: 0x1",
        ],
    )
    def test_s18_what_is_not_the_subset_of_yaml_is_refused(self, text: str) -> None:
        refused(text)

    @pytest.mark.parametrize(
        ("text", "size"),
        [
            (1, 1),
            (4096, 4096),
            ("64", 64),
            ("1B", 1),
            ("64KiB", 65536),
            ("2MiB", 2 << 20),
            ("1GiB", 1 << 30),
            ("1023GiB", 1023 << 30),
            ("007", 7),
        ],
    )
    def test_a_limit_is_a_number_or_a_size(self, text: Any, size: int) -> None:
        assert load(text_of(changed("limits", {"files": text}))).limits == Limits(files=size)

    def test_repetitions_that_change_nothing_are_dropped(self) -> None:
        value = changed("evidence", [{"directory": "a"}, {"directory": "a/"}]) | {"on_empty_diff": "allow"}
        value["gates"] = [BASE["gates"][0] | {"required_attestations": ["prompt", "prompt"]}]
        settings = load(text_of(value))
        assert settings.evidence_directories == ("a",)
        assert settings.gates["G1"].required_attestations == ("prompt",)
        assert settings.allow_empty_diff is True

    def test_parameters_of_freshness_that_are_no_claims_are_kept(self) -> None:
        value = changed("parameters", {"evidence.fresh": {"eval": "12h", "default": 5}})
        assert load(text_of(value)).parameters == {"evidence.fresh": {"eval": 43200, "default": 5}}


class TestTrustDigest:
    @pytest.mark.parametrize(
        ("path", "new"),
        [
            ("trust/thresholds", {"approval": 2}),
            ("trust/revoked", {"keys": ["ann"]}),
            ("trust/signers/ann/claims", ["approval"]),
            ("trust/signers/ann/valid_until", "2027-01-01"),
            ("trust/signers/ann/key", "keys/ben.pub"),
        ],
    )
    def test_s41_everything_about_trust_changes_its_digest(self, path: str, new: Any) -> None:
        assert load(text_of(changed(path, new))).trust.digest != load(text_of(BASE)).trust.digest

    def test_s41_other_bytes_of_a_key_change_the_digest(self) -> None:
        files = {**FILES, "gate.yaml": text_of(BASE)}
        one = load_settings("gate.yaml", Files(files)).trust.digest
        other = load_settings("gate.yaml", Files({**files, "keys/ann.pub": b"another"})).trust.digest
        assert one != other
        assert load(text_of(BASE | {"environment": "x"})).trust.digest == one

    def test_s07_a_signer_speaks_for_its_claims_only(self) -> None:
        signers = load(text_of(BASE)).trust.signers
        assert signers["ann"].may_claim("review")
        assert not signers["ben"].may_claim("review")
        assert not signers["ann"].may_claim("prompt")


def agreed(value: Any) -> bool:
    """What the schema says, and that both implementations of it say the same."""
    problem = schema.problem("config.json", value)
    document = json.loads((SCHEMAS / "config.json").read_text())
    if "\\n" not in json.dumps(value):  # before which the other implementation lets a pattern end
        assert jsonschema.Draft202012Validator(document).is_valid(value) == (problem is None)
    return problem is None


class TestSchemaOfTheConfiguration:
    GOOD = (
        [BASE, strict_yaml.loads(EXAMPLE).json()]
        + [changed("limits", {"files": text}) for text in (1, "64", "1B", "64KiB", "1GiB")]
        + [changed("artifacts", {"m": {"kind": kind.value, "path": "a b/c.d"}}) for kind in ArtifactKind]
        + [changed("trust/thresholds", {name: 2}) for name in ("approval", "approval.human")]
        + [changed("gates/0/trigger_paths", [glob]) for glob in ("**", "*", "a/**/b", "a?.txt", "**/x")]
    )

    @pytest.mark.parametrize("value", GOOD[2:], ids=range(len(GOOD) - 2))
    def test_the_loader_and_the_schema_read_the_same_good_configurations(self, value: Any) -> None:
        assert load(text_of(value)).artifacts
        assert agreed(value)

    @pytest.mark.parametrize("value", GOOD[:2], ids=["base", "example"])
    def test_the_examples_fit_the_schema(self, value: Any) -> None:
        assert agreed(value)

    @pytest.mark.parametrize("path", BAD_VALUES)
    def test_the_loader_and_the_schema_refuse_the_same_bad_configurations(self, path: str) -> None:
        accepted = [value for value in BAD_VALUES[path] if agreed(changed(path, value))]
        assert accepted == BEYOND_SCHEMA.get(path, [])

    @pytest.mark.parametrize("section", KEYS)
    def test_the_schema_knows_the_keys_that_the_loader_reads(self, section: str) -> None:
        part: Any = json.loads((SCHEMAS / "config.json").read_text())
        for step in section.split("/") if section else ():
            part = (
                part["items"]
                if step == "0"
                else part["properties"].get(step)
                if "properties" in part
                else part["additionalProperties"]
            )
        assert part["properties"].keys() == set(KEYS[section])
        assert part["additionalProperties"] is False
