"""The subcommands of `gate demo`, one module each."""
