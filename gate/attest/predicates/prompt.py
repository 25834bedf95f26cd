"""Prompts: every file that shapes what a model is told is a subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gate.attest.collector import Collected, Collector, Files, Found, optional_file
from gate.formats.predicates.prompt import CLAIM
from gate.formats.strict_yaml import Node
from gate.model.artifact import ArtifactKind


def _collect(fields: Mapping[str, Node], files: Files) -> Collected:
    system = files.file(fields["system_prompt"])
    templates, template_files = files.folder(fields["templates_dir"])
    tools, tool_files = files.folder(fields["tool_schemas_dir"])
    labels = fields["sensitivity_labels"].texts() if "sensitivity_labels" in fields else ()
    single = {
        "system_prompt": [system],
        "safety_policy": [files.file(fields["safety_policy"])],
        "render_config": optional_file(fields, "render_config", files),
        "test_suite": optional_file(fields, "test_suite", files),
    }
    _check_distinct(single, fields)
    return Collected(
        roles={**single, "templates": template_files, "tool_schemas": tool_files},
        members={"sensitivity_labels": list(labels)},
        folders={templates: "templates", tools: "tool_schemas"},
        main=system,
    )


def _check_distinct(single: Mapping[str, Sequence[Found]], fields: Mapping[str, Node]) -> None:
    """Raises `YamlError` for a file that stands for another: a prompt is no safety policy."""
    taken: dict[str, str] = {}
    for role, found in single.items():
        for item in found:
            if taken.setdefault(item.path, role) != role:
                raise fields[role].error(f"{item.path} is the {taken[item.path]} already")


_REQUIRED = ("system_prompt", "templates_dir", "tool_schemas_dir", "safety_policy")
COLLECTOR = Collector(
    claim=CLAIM,
    keys=(*_REQUIRED, "render_config", "test_suite", "sensitivity_labels"),
    required=_REQUIRED,
    collect=_collect,
    kind=ArtifactKind.PROMPT,
)
