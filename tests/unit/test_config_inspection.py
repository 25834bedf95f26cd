"""The section `inspection` of the configuration."""

from __future__ import annotations

import pytest

from gate.formats.pickle_names import problem_of_allowed
from tests.unit.config_cases import changed, load, refused, text_of


def test_globals_are_allowed_by_their_full_names() -> None:
    names = ["sklearn.tree._tree.Tree", "sklearn.tree._tree.Tree", "pathlib.PosixPath", "acme.models.Net"]
    settings = load(text_of(changed("inspection", {"allow_globals": names})))
    assert settings.allow_globals == set(names)
    assert load(text_of(changed("inspection", {"allow_globals": []}))).allow_globals == frozenset()
    assert load(text_of(changed("environment", "e"))).allow_globals == frozenset()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("os.system", "standard library"),
        ("posix.system", "standard library"),
        ("builtins.eval", "standard library"),
        ("builtins.getattr", "standard library"),
        ("__builtin__.eval", "standard library"),
        ("__main__.Net", "standard library"),
        ("functools.partial", "standard library"),
        ("pathlib.Path.write_text", "standard library"),
        ("subprocess.Popen", "standard library"),
        ("commands.getoutput", "module that runs code"),
        ("torch.serialization.os.system", "module that runs code"),
        ("torch.hub.load", "module that runs code"),
        ("numpy.f2py.crackfortran.getlincoef", "module that runs code"),
        ("numpy.core.multiarray.fromfile", "module that runs code"),
        ("acme.os.thing", "module that runs code"),
        ("torch.load", "runs code"),
        ("numpy.load", "runs code"),
        ("acme.util.eval", "runs code"),
        ("acme.util.__import__", "runs code"),
        ("acme.__class__.Net", "runs code"),
        ("acme", "is not the full name"),
        ("acme.a:b", "is not the full name"),
        ("a." + "b" * 200, "is not the full name"),
    ],
)
def test_what_runs_code_is_never_allowed(name: str, why: str) -> None:
    assert why in str(problem_of_allowed(name))
    message = refused(changed("inspection", {"allow_globals": [name]}))
    assert why in message
    assert message.startswith("gate.yaml:")
