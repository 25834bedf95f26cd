"""What the readers of configuration ask of a node, and how it answers."""

from __future__ import annotations

import pytest

from gate.formats.strict_yaml import YamlError, loads, suggestion


class TestNodes:
    ROOT = (
        b"map: {a: 1}\nlist: [x, y]\ntext: hello\nint: 5\nbool: true\nnull_: ~\n"
        b"blank: '  '\nempty: ''\none: 1\nzero: 0\n"
    )

    @pytest.mark.parametrize(
        ("name", "found"),
        [
            ("list", "a list"),
            ("text", "text"),
            ("int", "5"),
            ("bool", "true"),
            ("null_", "nothing"),
            ("empty", "empty text"),
        ],
    )
    def test_s18_where_a_mapping_is_needed_nothing_else_will_do(self, name: str, found: str) -> None:
        with pytest.raises(YamlError, match=f"expected a mapping, found {found}$"):
            loads(self.ROOT).members()[name].members()

    @pytest.mark.parametrize(
        ("name", "found"),
        [("map", "a mapping"), ("text", "text"), ("int", "5"), ("bool", "true"), ("null_", "nothing")],
    )
    def test_s18_where_a_list_is_needed_nothing_else_will_do(self, name: str, found: str) -> None:
        with pytest.raises(YamlError, match=f"expected a list, found {found}$"):
            loads(self.ROOT).members()[name].items()

    @pytest.mark.parametrize(
        ("name", "found"),
        [
            ("map", "a mapping"),
            ("list", "a list"),
            ("int", "5"),
            ("bool", "true"),
            ("null_", "nothing"),
            ("blank", "empty text"),
            ("empty", "empty text"),
        ],
    )
    def test_s18_where_text_is_needed_nothing_else_will_do(self, name: str, found: str) -> None:
        with pytest.raises(YamlError, match=f"expected text, found {found}$"):
            loads(self.ROOT).members()[name].text()

    def test_members_items_and_text_are_given_as_they_are(self) -> None:
        members = loads(self.ROOT).members()
        assert members["text"].text() == "hello"
        assert members["list"].texts() == ("x", "y")
        assert members["map"].fields("a", "b").keys() == {"a"}

    def test_s18_true_is_not_the_integer_one(self) -> None:
        members = loads(self.ROOT).members()
        assert [name for name in members if members[name].is_integer(1)] == ["one"]
        assert [name for name in members if members[name].is_integer(0)] == ["zero"]

    def test_s18_an_unknown_key_is_an_error_at_its_place_with_a_suggestion(self) -> None:
        with pytest.raises(YamlError, match="unknown key 'frist'; did you mean 'first'") as caught:
            loads(b"a: 1\nb: {frist: 1}").members()["b"].fields("first", "second")
        assert (caught.value.line, caught.value.column) == (2, 5)

    def test_a_word_out_of_a_few_is_needed(self) -> None:
        node = loads(b"a: refuze").members()["a"]
        assert loads(b"a: allow").members()["a"].choice("refuse", "allow") == "allow"
        with pytest.raises(YamlError, match="'refuze' is not one of refuse, allow; did you mean 'refuse'"):
            node.choice("refuse", "allow")

    def test_a_suggestion_is_the_nearest_word_or_all_of_a_few(self) -> None:
        assert suggestion("prmpt", ["prompt", "slo"]) == "; did you mean 'prompt'?"
        assert suggestion("zzz", ["prompt", "corpus"]) == "; known are corpus, prompt"
        assert suggestion("zzz", [f"word{n}" for n in range(25)]) == ""
