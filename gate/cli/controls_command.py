"""`gate controls`."""

from __future__ import annotations

import click

from gate.app.controls import catalogue, find_control, modes, packaged_profiles
from gate.cli.output import show
from gate.formats.canonical_json import pretty
from gate.model.control import ControlInfo
from gate.model.json import JsonObject

_FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)


@click.group("controls")
def command() -> None:
    """List and show the controls.

    What each checks, which claims it needs, how to fix a refusal, and what evidence for it supports.
    """


@command.command("list")
@_FORMAT
def list_controls(form: str) -> int:
    """All controls, with what each profile wants of them."""
    controls = [(info, modes(info.id)) for info in catalogue().values()]
    if form == "json":
        show(pretty([_json(info) for info, _ in controls]))
        return 0
    width = max(len(info.id) for info, _ in controls)
    names = list(packaged_profiles())
    lines = [f"{'control':<{width}}  {'severity':<8}  " + "  ".join(f"{name:<8}" for name in names) + "  title"]
    for info, wanted in controls:
        columns = "  ".join(f"{wanted[name].value:<8}" for name in names)
        lines.append(f"{info.id:<{width}}  {info.severity:<8}  {columns}  {info.title}")
    lines.append("\nOne of them: gate controls show <control>")
    show("\n".join(lines))
    return 0


@command.command("show")
@click.argument("control")
@_FORMAT
def show_control(control: str, form: str) -> int:
    """One control: what it checks, its parameters, how to fix a refusal, and what evidence for it supports."""
    info = find_control(control)
    if form == "json":
        show(pretty(_json(info)))
        return 0
    lines = [
        f"{info.id}: {info.title}",
        f"  {info.description}",
        "",
        f"  severity   {info.severity}",
        f"  claims     {', '.join(info.claims) or 'none'}",
        f"  artifacts  {', '.join(info.artifacts)}",
        f"  targets    {', '.join(info.targets)}",
        f"  waivable   {'yes' if info.waivable else 'no'}",
        f"  profiles   {', '.join(f'{name}: {mode.value}' for name, mode in modes(info.id).items())}",
        f"  fix        {info.fix}",
    ]
    lines += [f"  parameter  {item.name} ({item.type}): {item.meaning}" for item in info.parameters]
    lines += [
        f"  evidence {reference.relation} {framework}: {', '.join(reference.ids)}"
        for framework, reference in info.frameworks.items()
    ]
    show("\n".join([*lines, f"  docs       docs/controls/{info.id.replace('.', '/')}.md"]))
    return 0


def _json(info: ControlInfo) -> JsonObject:
    return {
        "id": info.id,
        "title": info.title,
        "description": info.description,
        "severity": info.severity,
        "claims": list(info.claims),
        "artifacts": list(info.artifacts),
        "targets": list(info.targets),
        "waivable": info.waivable,
        "fix": info.fix,
        "profiles": {name: mode.value for name, mode in modes(info.id).items()},
        "parameters": [{"name": item.name, "type": item.type, "meaning": item.meaning} for item in info.parameters],
        "frameworks": {
            name: {"relation": reference.relation, "ids": list(reference.ids)}
            for name, reference in info.frameworks.items()
        },
    }
