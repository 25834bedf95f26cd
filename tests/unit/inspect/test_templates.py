"""Chat templates: the same text gets the same answer wherever it is."""

from __future__ import annotations

import json

import pytest

from gate.model.scan import FileInspection, Severity
from tests.support.looking import is_clean, look, rules

GOOD = [
    "{{ messages }}",
    "{%- set ns = namespace(found=false) %}{% set ns.found = true %}{{ ns.found }}",
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message.content | trim }}{% endfor %}",
    "{% if tools is not none %}{{ tools | tojson(indent=4) }}{% endif %}{{ raise_exception('no') }}",
    "Environment: ipython. This is important; do it yourself. It includes what extends from it.",
    "{{ messages | selectattr('role', 'equalto', 'user') | list }}{{ '[INST]' ~ x['tool_calls'][0] }}",
    "{%call(x) f()%}{%endcall%}{{ messages[loop.index0 + 1] }}{{ strftime_now('%d %b %Y') }}",
]
BAD = [
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ x['_' ~ '_class_' ~ '_'] }}",
    "{{ x['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "{{ x['\\u005f'] }}",
    "{{ '%c%c' % (95, 95) }}",
    "{{ x | attr(name) }}",
    "{{ x |attr (name) }}",
    "{{ attr(x, name) }}",
    "{% import 'x' as y %}",
    "{%- from 'x' import y %}",
    "{%include name %}",
    "{%+ extends 'x' %}",
    "{{ self.x }}",
    "{{ lipsum }}",
    "{{ joiner(x) }}",
    "{{ namespace.mro }}",
    "{{ namespace['mro'] }}",
    "{{ x.gi_frame.f_globals }}",
]


def everywhere(template: str) -> list[FileInspection]:
    inside = json.dumps({"chat_template": template}).encode()
    named = json.dumps({"chat_template": [{"name": "default", "template": template}]}).encode()
    files = {
        "tokenizer_config.json": inside, "processor.json": named, "chat_template.json": inside,
        "chat_template.txt": template.encode(), "chat_template.jinja": template.encode(), "x.j2": template.encode(),
        "additional_chat_templates/tool.jinja": template.encode(),
    }  # fmt: skip
    return [look(name, data) for name, data in files.items()]


@pytest.mark.parametrize("template", GOOD)
def test_ordinary_templates_are_only_mentioned(template: str) -> None:
    for found in everywhere(template):
        assert is_clean(found), found
        assert rules(found) == {"template.present"}


@pytest.mark.parametrize("template", BAD)
def test_templates_that_reach_out_are_findings(template: str) -> None:
    for found in everywhere(template):
        assert found.inspected
        assert [(f.rule, f.severity) for f in found.findings] == [
            ("template.unsafe", Severity.HIGH),
            ("template.present", Severity.NONE),
        ]


def test_templates_that_cannot_be_read_are_not_inspected() -> None:
    for name in ("chat_template.txt", "chat_template.jinja"):
        assert not look(name, b"{{ x }}\x00").inspected
        assert not look(name, b"{{ x }}\xff").inspected
        assert not look(name, b"{{ x }}" * 10, json_bytes=20).inspected


def test_a_template_in_a_document_with_doubled_keys() -> None:
    found = look("tokenizer_config.json", b'{"chat_template": {"a": "{{ x.__class__ }}", "a": ["ok", 1]}}')
    assert "template.unsafe" in rules(found)
