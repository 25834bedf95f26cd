"""The commands of `gate policy`, one module each."""
