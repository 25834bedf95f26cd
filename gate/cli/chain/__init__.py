"""The subcommands of `gate chain`, one module each."""
