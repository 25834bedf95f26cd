"""The command line: a thin shell around `gate.app`."""
