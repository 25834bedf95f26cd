"""`gate completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from gate.cli.output import show
from gate.errors import ConfigError


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the shell's completion script.

    \b
    bash:  gate completion bash > ~/.local/share/bash-completion/completions/gate
    zsh:   gate completion zsh > "${fpath[1]}/_gate"
    fish:  gate completion fish > ~/.config/fish/completions/gate.fish
    """  # noqa: D301 - click reads the control character
    from gate.cli.main import COMPLETE, main

    found = get_completion_class(shell)
    if found is None:
        raise ConfigError(f"there is no completion for {shell}")
    show(found(main, {}, "gate", COMPLETE).source())
    return 0
