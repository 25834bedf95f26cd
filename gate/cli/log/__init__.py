"""The subcommands of `gate log`, one module each."""
