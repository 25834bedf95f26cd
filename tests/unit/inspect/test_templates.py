"""Chat templates: the same text gets the same answer wherever it is."""

from __future__ import annotations

import gzip
import json

import pytest

from gate.model.digest import sha256_digest
from gate.model.scan import FileInspection, Severity, Template
from tests.support import samples
from tests.support.looking import is_clean, look, rules

GOOD = [
    "{{ messages }}",
    "{%- set ns = namespace(found=false) %}{% set ns.found = true %}{{ ns.found }}",
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message.content | trim }}{% endfor %}",
    "{% if tools is not none %}{{ tools | tojson(indent=4) }}{% endif %}{{ raise_exception('no') }}",
    "Environment: ipython. This is important; do it yourself. It includes what extends from it.",
    "{{ messages | selectattr('role', 'equalto', 'user') | list }}{{ '[INST]' ~ x['tool_calls'][0] }}",
    "{% macro f() %}{{ caller(1) }}{% endmacro %}{% call(x) f() %}{{ x }}{% endcall %}{{ strftime_now('%d %b %Y') }}",
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
        assert list(found.templates.values()) == [Template(sha256_digest(template.encode()))]


@pytest.mark.parametrize("template", BAD)
def test_templates_that_reach_out_are_findings(template: str) -> None:
    for found in everywhere(template):
        assert found.inspected
        assert {(f.rule, f.severity) for f in found.findings} == {
            ("template.unsafe", Severity.HIGH),
            ("template.present", Severity.NONE),
        }
        (held,) = found.templates.values()
        assert held.problems


def test_templates_that_cannot_be_read_are_not_inspected() -> None:
    for name in ("chat_template.txt", "chat_template.jinja"):
        assert not look(name, b"{{ x }}\x00").inspected
        assert not look(name, b"{{ x }}\xff").inspected
        assert not look(name, b"{{ x }}" * 10, json_bytes=20).inspected


def test_a_template_in_a_document_with_doubled_keys() -> None:
    found = look("tokenizer_config.json", b'{"chat_template": {"a": "{{ x.__class__ }}", "a": ["ok", 1]}}')
    assert "template.unsafe" in rules(found)


def test_each_template_of_a_file_has_its_place() -> None:
    settings = {
        "chat_template": [
            {"name": "default", "template": "a"},
            {"name": "tool", "template": "b"},
            "c",
            {"x": ["d", 1]},
        ],
        "processor": {"chat_template": {"e": "e", "f": "{{ x|attr('y') }}"}},
        "default_chat_template": "g",
    }
    found = look("tokenizer_config.json", json.dumps(settings).encode())
    assert {name: template.digest for name, template in found.templates.items()} == {
        f"{name}": sha256_digest(text)
        for name, text in {
            "chat_template/default": b"a", "chat_template/tool": b"b", "chat_template": b"c", "chat_template/x": b"d",
            "chat_template/e": b"e", "chat_template/f": b"{{ x|attr('y') }}", "default_chat_template": b"g",
        }.items()
    }  # fmt: skip
    assert found.templates["chat_template/f"].problems == ("the filter attr",)
    twice = look(
        "a.json", json.dumps([{"chat_template": "a"}, {"chat_template": "b"}, {"chat_template": "a"}]).encode()
    )
    assert sorted(twice.templates) == ["chat_template", "chat_template#2", "chat_template#3"]


def test_templates_in_archives_are_handed_on() -> None:
    packed = samples.zip_bytes(
        {"a/chat_template.jinja": b"{{ x }}", "tokenizer_config.json": b'{"chat_template": "y"}'}
    )
    found = look("x.zip", packed)
    assert is_clean(found)
    assert {name: template.digest for name, template in found.templates.items()} == {
        "a/chat_template.jinja: chat_template": sha256_digest(b"{{ x }}"),
        "tokenizer_config.json: chat_template": sha256_digest(b"y"),
    }
    assert list(look("chat_template.jinja.gz", gzip.compress(b"{{ x }}")).templates) == ["chat_template"]


def test_templates_beyond_the_limits_are_not_inspected() -> None:
    long = "x" * 200_000
    assert look("chat_template.jinja", long.encode()).inspected
    assert not look("chat_template.jinja", (long * 2).encode()).inspected
    assert not look("a.json", json.dumps([{"chat_template": long}] * 6).encode()).inspected
    assert not look("a.json", json.dumps([{"chat_template": "x"}] * 101).encode()).inspected
    assert look("a.json", json.dumps([{"chat_template": "x"}] * 100).encode()).inspected


def test_a_template_with_half_a_character_is_judged_too() -> None:
    found = look("a.json", b'{"chat_template": "\\ud800"}')
    assert rules(found) == {"json.invalid", "template.present"}
