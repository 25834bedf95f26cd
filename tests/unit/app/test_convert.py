"""Conversion from llmsa: what means the same is carried over, and everything else is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.app.convert import Converted, convert, render
from gate.config.settings import load_settings
from gate.errors import ConfigError
from gate.formats.predicates.privacy import fingerprint
from gate.formats.strict_yaml import loads
from tests.unit.config_cases import Files

RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
PROMPT = """\
system_prompt: ../app/system.txt
templates_dir: app/templates
tool_schemas_dir: ../app/tools
safety_policy: ../app/safety.yaml
"""
RULES = "path_rules:\n  prompt_attestation: ['app/**']\n"
PROJECT = "collectors:\n  prompt_attestation: configs/prompt.yaml\n" + RULES
GATE = "gates:\n  - {id: G001, trigger_paths: ['app/**'], required_attestations: [prompt_attestation], message: Look}\n"


def folder(root: Path, **files: str) -> Path:
    """An application with a prompt; keyword arguments are contents of `configs/<name>.yaml`."""
    contents = {"app/system.txt": "x", "app/templates/a": "x", "app/tools/a": "x", "app/safety.yaml": "x"}
    contents |= {f"configs/{name}.yaml": text for name, text in {"prompt": PROMPT, **files}.items()}
    for path, text in contents.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def converted(root: Path, *texts: str) -> Converted:
    sources = []
    for number, text in enumerate(texts):
        sources.append(root / f"source-{number}.yaml")
        sources[-1].write_text(text)
    return convert(root, sources)


def notes(root: Path, *texts: str) -> str:
    return "\n".join(converted(root, *texts).notes)


def problem(root: Path, *texts: str) -> str:
    with pytest.raises(ConfigError) as caught:
        converted(root, *texts)
    return str(caught.value)


def gates(*entries: str) -> str:
    return "gates:\n" + "".join(f"  - {entry}\n" for entry in entries)


def test_a_collector_keeps_its_keys_and_its_files(tmp_path: Path) -> None:
    labels = "sensitivity_labels: [pii_possible, '7']\n"
    found = converted(folder(tmp_path, prompt=labels + PROMPT), PROJECT)
    first, *lines = found.configs["prompt"].splitlines()
    assert first.startswith("# From configs/prompt.yaml of llmsa.")
    assert lines == [
        'sensitivity_labels: [pii_possible, "7"]',
        'system_prompt: "../app/system.txt"',
        'templates_dir: "../app/templates"',
        'tool_schemas_dir: "../app/tools"',
        'safety_policy: "../app/safety.yaml"',
    ]
    assert found.notes == []
    assert found.artifacts == {"prompt": ("prompt", "app")}
    assert [(gate.id, gate.trigger_paths, gate.required) for gate in found.gates] == [
        ("G001", ("app/**",), ("prompt",))
    ]


def test_the_configuration_can_be_loaded(tmp_path: Path) -> None:
    (folder(tmp_path) / ".llmsa" / "attestations").mkdir(parents=True)
    found = converted(tmp_path, PROJECT, GATE)
    text = render(found, "2027-02-19", "keys/ann.pub")
    assert "  # - {directory: .llmsa/attestations, format: llmsa}\n" in text
    settings = load_settings("gate.yaml", Files({"gate.yaml": text.encode(), "keys/ann.pub": b"x"}))
    assert settings.legacy_directories == ()
    assert settings.profile == "llm-application"
    assert settings.trust.signers["development"].claims == ("prompt",)
    assert settings.gates["G001"].message == "Look"
    (tmp_path / ".llmsa" / "attestations").rmdir()
    bare = render(converted(tmp_path, RULES), "2027-02-19", "keys/ann.pub")
    assert "llmsa/attestations" not in bare
    assert loads(bare.encode()).members()["gates"].items()


def test_gates_of_a_policy_take_the_place_of_path_rules(tmp_path: Path) -> None:
    policy = gates("{id: A, trigger_paths: [x], required_attestations: [slo_attestation, slo_attestation]}")
    found = converted(folder(tmp_path), PROJECT, policy)
    assert [(gate.id, gate.required, gate.message) for gate in found.gates] == [
        ("A", ("slo",), "A change here needs slo.")
    ]


def test_every_kind_of_value_is_written_as_it_was(tmp_path: Path) -> None:
    evaluation = (
        "eval_suite_id: 'yes'\ntestset: ../app/system.txt\nscoring_config: ../app/safety.yaml\n"
        "candidate_results: ../app/system.txt\nmetrics: {a b: 0.90, 'true': 3}\n"
        "thresholds: {a_min: 0.8, odd: 1}\nexpected_samples: 10\n"
    )
    project = "collectors: {eval_attestation: configs/eval.yaml}\n" + RULES
    found = converted(folder(tmp_path, eval=evaluation), project)
    text = found.configs["eval"]
    for line in (
        'eval_suite_id: "yes"',
        'metrics: {a b: 0.90, "true": 3}',
        "thresholds: {a_min: 0.8}",
        "expected_samples: 10",
    ):
        assert line in text.splitlines()
    said = "\n".join(found.notes)
    assert "the threshold 'odd' ends neither in _min nor in _max; llmsa ignored it" in said
    assert "metrics are read from the result files" in said


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (PROMPT + "note: x\n", "configs/prompt.yaml: 'note' has no counterpart and is left out"),
        (PROMPT.replace("system.txt", "none.txt"), "configs/prompt.yaml: app/none.txt is not there"),
        (PROMPT.replace("../app/system.txt", "../../x"), "'../../x' does not lie below the root"),
        (PROMPT.replace("system_prompt", "# "), "attest/prompt.yaml: system_prompt is needed and not in configs/"),
        (
            PROMPT + f"age_recipient: {RECIPIENT}\nencryption_recipient_fingerprint: mine\n",
            "encryption_recipient_fingerprint was not that of the recipient, and is now",
        ),
    ],
)
def test_what_is_not_the_same_in_a_collector_is_said(tmp_path: Path, config: str, said: str) -> None:
    assert said in notes(folder(tmp_path, prompt=config), PROJECT)


def test_a_right_fingerprint_is_kept(tmp_path: Path) -> None:
    word = fingerprint(RECIPIENT).removeprefix("sha256:")
    more = f"age_recipient: {RECIPIENT}\nencryption_recipient_fingerprint: {word}\n"
    found = converted(folder(tmp_path, prompt=PROMPT + more), PROJECT)
    assert found.notes == []
    assert f'encryption_recipient_fingerprint: "{fingerprint(RECIPIENT)}"' in found.configs["prompt"]


def test_a_corpus_lists_its_connectors_and_needs_a_real_digest(tmp_path: Path) -> None:
    corpus = (
        "corpus_snapshot_id: s\nconnector_configs: [../app/system.txt]\ndocument_manifest: ../app/system.txt\n"
        "chunking_config: ../app/system.txt\nembedding_model: e5\nembedding_input: ../app/system.txt\n"
        "index_builder_image_digest: IMAGE\nvector_index: ../app/system.txt\n"
    )
    project = "collectors: {corpus_attestation: configs/corpus.yaml}\n" + RULES
    said = notes(folder(tmp_path, corpus=corpus.replace("IMAGE", "sha256:placeholder")), project)
    assert "index_builder_image_digest 'sha256:placeholder' is no digest" in said
    assert "has to list its documents" in said
    found = converted(folder(tmp_path, corpus=corpus.replace("IMAGE", f"sha256:{'a' * 64}")), project)
    assert 'connector_configs: ["../app/system.txt"]' in found.configs["corpus"]
    assert len(found.notes) == 1


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("oidc_issuer: https://i\nidentity_regex: '^x'\n" + GATE, 'and "^x": a pattern trusts whoever matches it'),
        ("identity_regex: x\n" + GATE, "x: a pattern trusts whoever matches it"),
        ("plaintext_allowlist: [some-id]\n" + GATE, "plaintext_allowlist some-id: ids of statements were random"),
        ("version: 99\nengine: rego\n" + GATE, "the policy: 'engine' has no counterpart and is left out"),
        (GATE.replace("message", "note"), "gate G001: 'note' has no counterpart and is left out"),
        (GATE.replace("prompt_att", "banana_att"), "'banana_attestation' is no type of attestation"),
        (GATE.replace("[prompt_attestation]", "[]"), "gate G001 requires nothing, or of no path; it is left out"),
        (GATE.replace("trigger_paths", "note"), "gate G001 requires nothing, or of no path; it is left out"),
        (GATE.replace("required_attestations", "note"), "gate G001 requires nothing, or of no path; it is left out"),
        (GATE.replace("app/**", "**"), "gate G001: '**' now means files at any depth"),
        (GATE.replace("app/**", "refs/tags/v*"), "'refs/tags/v*' looks like a branch or tag"),
        (GATE.replace("app/**", "app/[ab]"), "gate G001: 'app/[ab]' is left out: "),
        (GATE + GATE.removeprefix("gates:\n"), "gate 'G001': its id is taken or no plain name"),
        (GATE.replace("id: G001", "id: a b"), "gate 'a b': its id is taken or no plain name"),
    ],
)
def test_what_is_not_the_same_in_a_policy_is_said(tmp_path: Path, policy: str, said: str) -> None:
    assert said in notes(folder(tmp_path), PROJECT, policy)


def test_a_gate_without_an_id_gets_one(tmp_path: Path) -> None:
    found = converted(folder(tmp_path), PROJECT, GATE.replace("id: G001, ", ""))
    assert [gate.id for gate in found.gates] == ["G001"]


def test_each_folder_of_a_type_is_an_artifact(tmp_path: Path) -> None:
    rules = "{prompt_attestation: ['app/**', 'none/**', 'app/tools/**', 'configs/*.yaml'], eval_attestation: [one.txt]}"
    (folder(tmp_path) / "one.txt").write_text("x")
    found = converted(tmp_path, f"path_rules: {rules}\n")
    assert found.artifacts == {
        "prompt": ("prompt", "app"),
        "prompt-2": ("prompt", "configs"),
        "eval": ("eval", "one.txt"),
    }
    assert found.notes == ["prompt: no artifact for path rule none: there are no files; name one in gate.yaml"]
    text = render(found, "2027-02-19", "keys/ann.pub")
    assert "  prompt-2: {kind: prompt, path: configs}\n  eval: {kind: evaluation, path: one.txt}\n" in text


def test_a_rule_that_names_no_folder_is_said(tmp_path: Path) -> None:
    found = converted(
        folder(tmp_path), "path_rules: {slo_attestation: ['**/*.yaml'], prompt_attestation: ['app/**']}\n"
    )
    assert found.artifacts == {"prompt": ("prompt", "app")}
    assert found.notes == ["slo: no artifact for path rule **: there is no folder that it names; name one in gate.yaml"]


@pytest.mark.parametrize("rules", ["{prompt_attestation: ['none/**', '**']}", "{}"])
def test_a_configuration_in_which_nothing_is_at_stake_is_not_proposed(tmp_path: Path, rules: str) -> None:
    (folder(tmp_path) / "none").mkdir()
    assert "nothing would be at stake" in problem(tmp_path, f"path_rules: {rules}\n", GATE)


def test_folders_inside_one_another_are_not_two_artifacts(tmp_path: Path) -> None:
    inner, outer = "['app/tools/**']", "['app/**']"
    rules = f"path_rules: {{prompt_attestation: {inner}, eval_attestation: {outer}, slo_attestation: {inner}}}\n"
    found = converted(folder(tmp_path), rules)
    assert found.artifacts == {"prompt": ("prompt", "app/tools")}
    assert [note.partition(":")[0] for note in found.notes] == ["eval", "slo"]
    assert "overlaps with the artifact of another type" in found.notes[0]


@pytest.mark.parametrize(
    ("texts", "text"),
    [
        (["x: 1\n"], "source-0.yaml is neither a configuration of llmsa (collectors) nor a policy (gates)"),
        (["[]\n"], "source-0.yaml:1:1: expected a mapping"),
        (["collectors: {prompt_attestation: configs/prompt.yaml}\n"], "neither path_rules nor gates"),
        (["collectors:\npath_rules: {banana: [x]}\n"], "neither path_rules nor gates"),
        (["path_rules: {prompt: ['[x]']}\n"], "neither path_rules nor gates"),
        (["collectors: {prompt: /etc/passwd}\n"], "source-0.yaml:1:22: '/etc/passwd' is no path below the root"),
        (["collectors: {banana: x}\ngates: []\n"], "neither path_rules nor gates"),
    ],
)
def test_what_cannot_be_converted_is_an_error(tmp_path: Path, texts: list[str], text: str) -> None:
    assert text in problem(folder(tmp_path), *texts)


def test_a_collector_that_is_no_yaml_is_an_error_with_its_place(tmp_path: Path) -> None:
    assert problem(folder(tmp_path, prompt="a: &x 1\n"), PROJECT).startswith("configs/prompt.yaml:1:4: ")
