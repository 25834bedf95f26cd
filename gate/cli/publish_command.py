"""`gate publish`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.publish import Publication, PublishRequest, publish
from gate.cli.attest.create import source_date_epoch
from gate.cli.output import progress, show
from gate.cli.registry import registry_access, registry_options, shown_path
from gate.errors import ConfigError
from gate.formats.canonical_json import pretty
from gate.model.json import JsonObject
from gate.report.escape import terminal


@click.command(
    "publish",
    epilog="""\b
Examples:
  gate publish --in .gate/attestations --subject registry.example/llm/server@sha256:6105d6cc...
  gate publish --in prompt.sigstore.json --oci registry.example/llm/server:1.4 --format json
  gate publish --in .gate/attestations --oci localhost:5000/llm/server:1.4
""",
)
@click.option(
    "--in",
    "source",
    required=True,
    type=click.Path(path_type=Path, exists=True),
    metavar="PATH",
    help="A bundle, or a folder: of it every *.sigstore.json.",
)
@click.option("--subject", metavar="IMAGE", help="The image they are attached to, as registry/name@sha256:...")
@click.option("--oci", metavar="IMAGE", help="The same, also by tag, which is looked up once.")
@click.option("--repository", metavar="NAME", help="Another repository to store them in  [default: the image's]")
@registry_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(source: Path, subject: str | None, oci: str | None, repository: str | None, form: str) -> None:
    """Attach signed bundles to an image in a registry.

    Each becomes a manifest that refers to the image, as cosign stores them: `gate pull` and `evidence: - oci:` find
    it. Where a registry has no referrers API, the tag sha256-<digest> lists them. Publishing again changes nothing.
    What is no signed bundle is refused before anything is sent. Credentials come from Docker's configuration
    (docker login) or its helpers, for exactly the registry's host.
    """
    if (subject is None) == (oci is None):
        raise ConfigError("give the image by --subject with its digest, or by --oci")
    request = PublishRequest(
        source=source,
        image=subject or oci or "",
        access=registry_access(),
        repository=repository,
        must_be_pinned=subject is not None,
        created_s=source_date_epoch(),
    )
    made = publish(request, progress)
    show(pretty(_json(made)) if form == "json" else _text(made))


def _json(made: Publication) -> JsonObject:
    return {
        "subject": made.subject,
        "listed_by": made.tag or "referrers",
        "published": [
            {
                "file": shown_path(item.path),
                "reference": item.reference,
                "bundle": item.bundle,
                "predicate_type": item.predicate_type,
                "new": item.is_new,
            }
            for item in made.items
        ],
        "ignored": [shown_path(path) for path in made.ignored],
    }


def _text(made: Publication) -> str:
    lines = [f"image     {terminal(made.subject)}"]
    for item in made.items:
        lines.append(f"{'published' if item.is_new else 'there':<10}{terminal(shown_path(item.path))}")
        lines.append(f"          {terminal(item.reference)}")
    lines += [f"ignored   {terminal(shown_path(path))}: not named *.sigstore.json" for path in made.ignored]
    if made.tag is not None:
        lines.append(f"listed    by the tag {made.tag}: this registry has no referrers API")
    lines.append(f"next      gate pull {terminal(made.subject)} --out DIR, or evidence: - oci: in gate.yaml")
    return "\n".join(lines)
