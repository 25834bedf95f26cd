"""The page about the evidence that is read: predicate types, claims and facts, as the readers themselves state them."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

from gate.formats import predicates
from gate.formats.intoto import REVISION_TYPES, STATEMENT_TYPES
from gate.formats.predicates import DRAFTS, claims_of, publication, readers

OWN = "urn:promotion-gate:"
# Addresses of registries are written nowhere in this project.
NAMED = {publication.PYPI: "PyPI's publish attestation v1"}
INTRODUCTION = """\
A statement is read when its frame is one of {frames}.
Its predicate type decides, exactly, which reader turns it into the facts of one claim; controls see claims and facts,
never formats. Who may make a claim is said in `trust.signers`.

- A type that is not here is refused as `statement.predicate_unknown`, unless a signer in `gate.yaml` lists that very
  URI among its `claims`. Then its claim is the URI: a gate can require it (`required_attestations`), `evidence.fresh`
  can limit its age and `trust.thresholds` can ask for several signers. It has no facts and feeds no other claim:
  what it says, good or bad, is not looked at.
- Drafts ({drafts}) are read only where `drafts` in `gate.yaml` names them.
- Subjects have a sha256, sha384 or sha512. Statements of {revisions}
  may be about a Git commit instead; a commit is compared with the commits that provenance names and never with files.
- Members that a specification does not know are ignored; those that it knows have its types, or the statement is
  refused. Fractions become text or thousandths, and texts are cut to 4096 characters.
- The level of a build is nothing that a document says: `trust.builders` says which builder deserves which.

```yaml
version: 1
target: deployment
artifacts: {{app: {{kind: prompt, path: app}}}}
evidence: [{{directory: .gate/attestations}}]
trust:
  signers:
    release:
      key: keys/release.pub
      claims: [build.provenance, eval.result, "https://example.com/inspection/v1"]
  builders:
    forge: {{id: "https://forge.example/builder@v1", signers: [release], level: 2}}
drafts: [eval-result]
gates:
  - {{id: inspected, trigger_paths: ["app/**"], required_attestations: ["https://example.com/inspection/v1"]}}
parameters: {{evidence.fresh: {{"https://example.com/inspection/v1": 30d}}}}
```
"""


def evidence_page(note: str) -> str:
    """The page in Markdown."""
    drafts = ", ".join(f"`{name}`" for name in DRAFTS)
    frames = " and ".join(f"`{name}`" for name in STATEMENT_TYPES)
    revisions = " and ".join(f"`{name}`" for name in sorted(REVISION_TYPES))
    text = INTRODUCTION.format(frames=frames, drafts=drafts, revisions=revisions)
    rows = [f"| {NAMED.get(kind, f'`{kind}`')} | {', '.join(claims_of(kind))} |" for kind in sorted(known())]
    table = "\n".join(["| predicate type | claim |", "|---|---|", *rows])
    parts = "\n".join(sections())
    return f"# The evidence that is read\n\n{note}\n{text}\n{table}\n\n{parts}"


def known() -> set[str]:
    """Every predicate type with a reader."""
    return {*readers(), *(kind for found in DRAFTS.values() for kind in found)}


def sections() -> Iterator[str]:
    """What the module of each format of others says about itself."""
    for found in pkgutil.iter_modules(predicates.__path__):
        module = importlib.import_module(f"{predicates.__name__}.{found.name}")
        kinds = [kind for kind in getattr(module, "READERS", {}) if not kind.startswith(OWN)]
        if not kinds:
            continue
        title, _, body = (module.__doc__ or "").partition("\n")
        body = re.sub(r"`gate\.verify\.\w+`", "verification", body.strip())
        heading = title.rstrip(".:")
        yield f"## {heading}\n\n{body}\n"
