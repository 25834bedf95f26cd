"""llamafile: one file that is a program on every system and carries its model at its end."""

from __future__ import annotations

from gate.inspect.context import Context, Findings
from gate.inspect.source import Source
from gate.model.scan import FileInspection, Severity


def inspect_llamafile(_path: str, _source: Source, context: Context) -> FileInspection:
    """A program, whatever it carries: that it is there is the finding."""
    found = Findings(context.limits.findings)
    message = "is a program with a model inside; take the GGUF file out of it and admit that"
    found.add("remote_code.llamafile", Severity.HIGH, message)
    return FileInspection("llamafile", inspected=True, findings=found.done())
