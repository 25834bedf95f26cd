"""The subcommands of `gate attest`, one module each."""
