"""Benchmarks: this tool beside its peers, in one run; `make bench` prints the table."""
