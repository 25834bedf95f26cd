"""The benchmarks: `make bench`. Every figure is a median, and a ratio to something measured in the same run."""
