"""`gate diff` on decisions and documents of a real repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gate.formats import schema
from tests.acceptance.world import NOW, WEIGHTS, World, inside


@pytest.fixture
def pair(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """An approval, and a refusal after the model was changed; and the documents of both."""
    monkeypatch.chdir(world.root)
    for name, code in (("old", 0), ("new", 12)):
        assert inside("check", "--base", "main", "--now", NOW, "--output", f"{name}.json").code == code
        Path(f"{name}-input.json").write_text(inside("input", "--base", "main", "--now", NOW).out)
        world.write(WEIGHTS, b"\x00" * 64)
    return world


@pytest.mark.usefixtures("pair")
def test_it_says_what_turned_and_what_else_is_another() -> None:
    done = inside("diff", "old.json", "new.json")
    assert done.code == 0
    assert "artifact.signed: pass -> fail, REFUSES NOW" in done.out
    assert "      + artifact.signed.missing: summarizer: " in done.out
    assert "artifacts/summarizer/digest: sha256:" in done.out
    assert done.out.splitlines()[-1].startswith("ALLOW -> DENY: ")


@pytest.mark.usefixtures("pair")
def test_it_reads_documents_too() -> None:
    done = inside("diff", "old-input.json", "new-input.json")
    assert done.code == 0
    assert "summarizer/files/model.safetensors/digest: sha256:" in done.out
    value = json.loads(inside("diff", "old-input.json", "new-input.json", "--format", "json").out)
    assert schema.problem("diff.json", value) is None
    assert (value["kind"], value["same"], value["turned"]) == ("input document", False, [])


@pytest.mark.usefixtures("pair")
def test_the_answer_can_go_to_a_file() -> None:
    done = inside("diff", "old.json", "new.json", "--format", "markdown", "--output", "diff.md")
    assert done.out.startswith("ALLOW -> DENY: ")
    assert Path("diff.md").read_text().startswith(f"**{done.out.strip()}**\n")


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize(
    ("old", "new", "code", "why"),
    [
        ("old.json", "old-input.json", 2, "are not of one kind"),
        ("old.json", "gate.yaml", 3, "gate.yaml cannot be read: "),
        ("absent.json", "old.json", 3, "cannot read absent.json"),
    ],
)
def test_s37_what_cannot_be_compared_says_why_and_leaves_no_stale_answer(
    old: str, new: str, code: int, why: str
) -> None:
    Path("diff.md").write_text("stale")
    done = inside("diff", old, new, "--output", "diff.md")
    assert (done.code, done.out) == (code, "")
    assert why in done.err
    assert Path("diff.md").read_bytes() == b""


def test_decisions_in_the_log_are_named_by_id(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.root)
    world.on_main({"gate.yaml": Path("gate.yaml").read_bytes() + b"record: {sqlite: .gate/log.db}\n"})
    first = inside("check", "--base", "main", "--now", NOW, "--format", "json").decision["id"]
    world.write(WEIGHTS, b"\x00" * 64)
    assert inside("check", "--base", "main", "--now", NOW).code == 12
    done = inside("diff", first, "latest")
    assert done.out.splitlines()[-1].startswith("ALLOW -> DENY: ")
    Path("latest").write_text("{}")
    assert inside("diff", first, "latest").out == done.out
