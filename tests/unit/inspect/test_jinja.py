"""What a template may do, and what it may not, by its syntax tree."""

from __future__ import annotations

import pytest

from gate.inspect.jinja import template_problems

# One of several lines is one template.
# ruff: noqa: ISC004, E501
HARMLESS = [
    "",
    "plain __text__ with os.system and |attr in it",
    "{{ '__tool__' ~ x }}",
    "{% set _ = x.y %}{% set a, b = x, y %}{{ a ~ b }}",
    "{% for message in messages[1:] if message.role != 'system' %}{% if loop.first %}{{ messages[loop.index0 - 1].role }}"
    "{% elif loop.last %}{% continue %}{% else %}{% break %}{% endif %}{% endfor %}",
    "{% set ns = namespace(n=0, text='') %}{% set ns.text = ns.text + x.split('</think>')[-1].lstrip('\\n') %}"
    "{% set ns.n = ns.n + 1 %}{{ messages[ns.n] }}{{ ns.n % 2 == 0 }}{{ loop.index0 % 2 }}",
    "{% macro keys(one, handled) %}{% for key in one %}{% if key not in handled %}{{ one[key] | tojson }}{% endif %}"
    "{% endfor %}{% endmacro %}{{ keys(tool.parameters, ['type', 'name']) }}",
    "{% for key, value in x.items() %}{{ other[key] }}{% endfor %}{% for key in x | dictsort %}{{ y[key] }}{% endfor %}",
    "{% for key in ['a', 'b'] %}{{ x[key] }}{% endfor %}{% for i in range(3) %}{{ x[i] }}{% endfor %}",
    "{% set last = messages | length - 1 %}{{ messages[last] }}{{ messages[-1] }}{{ messages[x | int] }}",
    "{% set role = 'a' if x else y.get('b', 'c') %}{{ names[role] }}{{ names[role or 'a'] }}{{ names[not x] }}",
    "{% set content %}text{% endset %}{{ content | trim }}{% filter upper %}a{% endfilter %}",
    "{% with a = x %}{{ y[a] }}{{ y[{'a': 'b'}['a']] }}{{ y[x.a['b'].c] }}{% endwith %}",
    "{% set _ = x.value.append(y if y.get('z') else 'a') %}{% set _ = x.update({'b': false}) %}{{ x.extend([1]) }}",
    "{% set days = {'Monday': 1} %}{{ days[strftime_now('%A')] }}{{ x[strftime_now('%d.%m.')] }}",
    "{% generation %}{{ message.content }}{% endgeneration %}{{ raise_exception('no') }}",
    "{{ messages | map(attribute='role') | list }}{{ x | map('upper') | join(',') }}{{ x | sort(false, attribute='a') }}",
    "{{ messages | selectattr('role', 'equalto', 'user') | first }}{{ x | groupby('a.b') }}{{ x | default('', true) }}",
    "{{ dict(a=1) }}{{ x is defined and x is not none and x is divisibleby(2) }}{{ (1, [2], -x, +y, x // 2, x * 2) }}",
    "{{ names[dict(a='b')] }}{{ names[dict(x)] }}{{ bos_token + message.bos_token }}{{ x[1 if y else 0] }}",
    "{% macro m(a='x') %}{{ n[a] }}{% endmacro %}{{ m('y', b=2) }}{% call(z) m() %}{{ n[z] }}{% endcall %}",
]


@pytest.mark.parametrize("template", HARMLESS)
def test_what_chat_templates_do_is_harmless(template: str) -> None:
    assert template_problems(template) == ()


BUILT = "a subscript that is put together, or comes from the template's own words"
REFUSED = [
    ("{% include 'x' %}", "the construct Include"),
    ("{% import 'x' as y %}", "the construct Import"),
    ("{% from 'x' import y %}", "the construct FromImport"),
    ("{% extends 'x' %}", "the construct Extends"),
    ("{% block a %}{% endblock %}", "the construct Block"),
    ("{{ 2 ** 99 }}", "the construct Pow"),
    ("{{ x.__class__ }}", "the attribute __class__"),
    ("{{ x._y }}", "the attribute _y"),
    ("{{ x['\\x5f\\x5fclass__'] }}", "the attribute __class__"),
    ("{% set ns._x = 1 %}", "the attribute _x"),
    ("{{ x.gi_frame }}", "the attribute gi_frame"),
    ("{{ x['mro'] }}", "the attribute mro"),
    ("{{ lipsum }}", "the name lipsum as a value"),
    ("{{ self.body() }}", "the name self as a value"),
    ("{{ namespace.mro }}", "the name namespace as a value"),
    ("{% set range = 1 %}", "the name range as a value"),
    ("{{ __import__ }}", "the name __import__ as a value"),
    ("{{ url_for() }}", "a call of url_for"),
    ("{% set f = x %}{{ f() }}", "a call of f"),
    ("{% macro f() %}{% endmacro %}{% set f = x %}{{ f() }}", "a call of f"),
    ("{{ x() () }}", "a call of what is no name"),
    ("{{ x['get']() }}", "a call of what is no name"),
    ("{{ x.format(1) }}", "a call of the method format"),
    ("{{ x.pop() }}", "a call of the method pop"),
    ("{{ x.append('__class__') }}", "a call of the method append with what the template makes up"),
    ("{{ x.append('_' ~ y) }}", "a call of the method append with what the template makes up"),
    ("{{ x.update({'a': '__class__'}) }}", "a call of the method update with what the template makes up"),
    ("{{ x.update(__class__=1) }}", "a call of the method update with what the template makes up"),
    ("{{ x.update(a='__class__') }}", "a call of the method update with what the template makes up"),
    ("{{ x[strftime_now('__class__')] }}", BUILT),
    ("{{ x[strftime_now('mro')] }}", BUILT),
    ("{{ x[strftime_now(y)] }}", BUILT),
    ("{{ x[strftime_now('%A', y)] }}", BUILT),
    ("{% call x.popen() %}{% endcall %}", "a call of the method popen"),
    ("{{ range(*x) }}", "a call with arguments that are put together"),
    ("{{ dict(**x) }}", "a call with arguments that are put together"),
    ("{{ x | attr('y') }}", "the filter attr"),
    ("{{ x | format(1) }}", "the filter format"),
    ("{% filter pprint %}{% endfilter %}", "the filter pprint"),
    ("{% set x | xmlattr %}{% endset %}", "the filter xmlattr"),
    ("{{ x | join(*y) }}", "a filter with arguments that are put together"),
    ("{{ x | map('attr', 'y') }}", "the filter attr"),
    ("{{ x | map('map', 'attr', 'y') }}", "the filter map"),
    ("{{ x | map(y) }}", "the filter map with a name that is put together"),
    ("{{ x | map(attribute='__class__') }}", "the attribute __class__"),
    ("{{ x | map(attribute='a.__class__') }}", "the attribute a.__class__"),
    ("{{ x | sort(attribute='a,_b') }}", "the attribute a,_b"),
    ("{{ x | selectattr('__class__') }}", "the attribute __class__"),
    ("{{ x | groupby(y) }}", "the filter groupby with a name that is put together"),
    ("{{ x is filter }}", "the test filter"),
    ("{{ x is divisibleby(*y) }}", "the test divisibleby"),
    ("{{ '%c' % 95 }}", "text that is put together by %"),
    ("{{ ('%' ~ 'c') % 95 }}", "text that is put together by %"),
    ("{{ x['_' ~ y] }}", BUILT),
    ("{{ x['_' + y] }}", BUILT),
    ("{{ x['a' * 2] }}", BUILT),
    ("{{ x[y % z] }}", BUILT),
    ("{{ x[y | replace('a', '_')] }}", BUILT),
    ("{{ x[y.replace('a', '_')] }}", BUILT),
    ("{{ x['a'[0:]] }}", BUILT),
    ("{{ x[y | int('__class__')] }}", BUILT),
    ("{{ x[bos_token] }}", BUILT),
    ("{{ x[y.eos_token] }}", BUILT),
    ("{{ x[y[0].eos_token] }}", BUILT),
    ("{{ x[y.get('z', '__class__')] }}", BUILT),
    ("{{ x[y | default('__class__')] }}", BUILT),
    ("{{ x['a' if y else '__class__'] }}", BUILT),
    ("{% for k in ['a', '__class__'] %}{{ x[k] }}{% endfor %}", BUILT),
    ("{% for k in dict(__class__=1) %}{{ x[k] }}{% endfor %}", BUILT),
    ("{% for k in {'__class__': 1} %}{{ x[k] }}{% endfor %}", BUILT),
    ("{% for k, v in y | batch(2) %}{{ x[k] }}{% endfor %}", BUILT),
    ("{% set k = '_' ~ y %}{{ x[k] }}", BUILT),
    ("{% set a = '_' ~ y %}{% set b = a %}{% set c = b %}{{ x[c] }}", BUILT),
    ("{% set k %}__class__{% endset %}{{ x[k] }}", BUILT),
    ("{% set a, k = 1, '__class__' %}{{ x[k] }}", BUILT),
    ("{% with k = '__class__' %}{{ x[k] }}{% endwith %}", BUILT),
    ("{% set ns = namespace(k='__class__') %}{{ x[ns.k] }}", BUILT),
    ("{% set ns.k = '__class__' %}{{ x[ns.k] }}", BUILT),
    ("{% set ns.k = '__class__' %}{{ x[ns['k']] }}", BUILT),
    ("{% set ns.k = '__class__' %}{% set other = ns %}{{ x[other.k] }}", BUILT),
    ("{% macro m(k) %}{{ x[k] }}{% endmacro %}{{ m('__class__') }}", BUILT),
    ("{% macro m(k) %}{{ x[k] }}{% endmacro %}{{ m(k='__class__') }}", BUILT),
    ("{% macro m(k='__class__') %}{{ x[k] }}{% endmacro %}", BUILT),
    ("{% macro m() %}{{ caller('__class__') }}{% endmacro %}{% call(k) m() %}{{ x[k] }}{% endcall %}", BUILT),
    ("{% macro m() %}__class__{% endmacro %}{{ x[m()] }}", BUILT),
]


@pytest.mark.parametrize(("template", "problem"), REFUSED)
def test_what_no_chat_template_needs_is_a_problem(template: str, problem: str) -> None:
    assert problem in template_problems(template)


@pytest.mark.parametrize(
    "template",
    [
        "{{", "{% for %}", "{% nonsense %}", "{% generation %}", "{{ x }", "{% if a %}" * 20_000, "{{" + "(" * 100_000,
        "{{" + "9" * 100_000 + "}}", "{{ '\\N{none}' }}", "{{ x | }}",
    ],
)  # fmt: skip
def test_what_does_not_parse_is_not_harmless(template: str) -> None:
    (problem,) = template_problems(template)
    assert "parse" in problem


def test_names_that_never_settle_are_made_up() -> None:
    links = "".join(f"{{% set a{i} = a{i + 1} %}}" for i in range(30))
    assert template_problems(links + "{{ x[a0] }}") == ()
    assert template_problems(links + "{% set a30 = 'a' ~ y %}{{ x[a0] }}") == (BUILT,)


def test_problems_are_few_and_each_is_told_once() -> None:
    assert template_problems("{{ x.__a }}" * 3) == ("the attribute __a",)
    assert len(template_problems("".join(f"{{{{ x._{i} }}}}" for i in range(50)))) == 10
