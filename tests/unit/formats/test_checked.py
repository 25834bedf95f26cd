"""Values of a checked document are what they are read as, or an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gate.formats.checked import Checked
from tests.support.evidence import digest_of

DIGEST = digest_of("x")
ROOT = Checked(
    {
        "text": "t",
        "number": 7,
        "flag": True,
        "null": None,
        "digest": DIGEST,
        "texts": ["a", "b"],
        "digests": [DIGEST],
        "numbers": [1, 2],
        "objects": [{"a": 1}],
        "object": {"one": {"a": 2}},
        "by_name": {"n": DIGEST},
        "words": {"n": "w"},
    }
)


def test_what_fits_is_read() -> None:
    assert (ROOT.text("text"), ROOT.number("number"), ROOT.flag("flag"), ROOT.digest("digest")) == (
        "t",
        7,
        True,
        DIGEST,
    )
    assert (ROOT.texts("texts"), ROOT.digests("digests"), ROOT.numbers("numbers")) == (("a", "b"), (DIGEST,), (1, 2))
    assert [item.number("a") for item in ROOT.objects("objects")] == [1]
    assert {name: item.number("a") for name, item in ROOT.members("object")} == {"one": 2}
    assert ROOT.object("object").value == {"one": {"a": 2}}
    assert (ROOT.digests_by_name("by_name"), ROOT.texts_by_name("words")) == ({"n": DIGEST}, {"n": "w"})


def test_null_is_nothing_where_it_may_stand() -> None:
    assert (ROOT.maybe_text("null"), ROOT.maybe_number("null"), ROOT.maybe_digest("null")) == (None, None, None)
    assert ROOT.maybe_object("null") is None
    assert (ROOT.maybe_text("text"), ROOT.maybe_number("number"), ROOT.maybe_digest("digest")) == ("t", 7, DIGEST)
    found = ROOT.maybe_object("object")
    assert found is not None
    assert found.object("one").number("a") == 2


WRONG: dict[str, Callable[[], Any]] = {
    "absent": lambda: ROOT.text("nowhere"),
    "text": lambda: ROOT.text("number"),
    "null text": lambda: ROOT.text("null"),
    "number": lambda: ROOT.number("text"),
    "true is no number": lambda: ROOT.number("flag"),
    "flag": lambda: ROOT.flag("number"),
    "digest": lambda: ROOT.digest("text"),
    "object": lambda: ROOT.object("text"),
    "list": lambda: ROOT.texts("text"),
    "numbers": lambda: ROOT.numbers("texts"),
    "digests": lambda: ROOT.digests("texts"),
    "objects": lambda: ROOT.objects("texts"),
    "no object at all": lambda: Checked([]),
    "members": lambda: list(ROOT.members("words")),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match=r"^(there is )?no|is no|not an object|neither"):
        WRONG[name]()
