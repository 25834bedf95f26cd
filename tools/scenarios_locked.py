"""Scenarios of lock files: one of which every dependency is locked, and one that follows a branch."""

from __future__ import annotations

from typing import Final

from tools.scenario_draft import Draft, config, profile, scenario
from tools.scenario_evidence import bundle, key, sha256, statement

LOCK: Final = "service/uv.lock"
WHEEL: Final = sha256(b"acme_tool-1.2-py3-none-any.whl")
SOURCE: Final = sha256(b"acme_tool-1.2.tar.gz")
INDEX: Final = "pypi"
PYPI: Final = f"https://docs.{INDEX}.org/attestations/publish/v1"
ASKED: Final = "parameters: {deps.pinned: {attested: [acme-tool]}}\n"


def uv(source: str) -> bytes:
    """A lock file of uv with the project itself and one dependency."""
    return f"""\
version = 1
requires-python = ">=3.11"

[[package]]
name = "acme-tool"
version = "1.2"
source = {{ {source} }}
sdist = {{ url = "acme_tool-1.2.tar.gz", hash = "sha256:{SOURCE}", size = 10 }}
wheels = [{{ url = "acme_tool-1.2-py3-none-any.whl", hash = "sha256:{WHEEL}", size = 10 }}]

[[package]]
name = "service"
version = "0.1"
source = {{ virtual = "." }}
dependencies = [{{ name = "acme-tool" }}]
""".encode()


def locked(draft: Draft, lock: bytes) -> None:
    """A service whose lock file changes, with the publication of both files of its dependency."""
    text = config(["service: {kind: package, path: service}"], gates="", profile="profile.yaml", more=ASKED)
    draft.configure(text.replace(b"prompt, eval", b"package.publication"))
    draft.base["profile.yaml"] = profile({"artifact.pinned": "enforce", "deps.pinned": "enforce"})
    draft.base["service/pyproject.toml"] = b'[project]\nname = "service"\nversion = "0.1"\n'
    draft.change[LOCK] = lock
    for name, digest in {"acme_tool-1.2-py3-none-any.whl": WHEEL, "acme_tool-1.2.tar.gz": SOURCE}.items():
        published = statement(PYPI, [{"name": name, "digest": {"sha256": digest}}], {})
        draft.evidence[f"{name}.sigstore.json"] = bundle(published, key("release"))


@scenario(
    "allow/deps-pinned",
    "A service whose dependency is locked by hash and attested by its index",
    passing=["deps.pinned", "artifact.pinned"],
    words=["ALLOW"],
)
def _(draft: Draft) -> None:
    locked(draft, uv('registry = "https://index.example/simple"'))


@scenario(
    "deny/deps-pinned",
    "A service whose dependency comes from a branch",
    13,
    failing=["deps.pinned"],
    passing=["artifact.pinned"],
    words=["deps.pinned", "acme-tool@1.2 is not locked with a hash from a source that stays"],
)
def _(draft: Draft) -> None:
    locked(draft, uv('git = "https://code.example/acme/tool?branch=main#0123456"'))
