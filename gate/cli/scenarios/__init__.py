"""The subcommands of `gate scenarios`, one module each."""
