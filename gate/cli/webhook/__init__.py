"""The commands of `gate webhook`."""
