"""Benchmarks of the tap against the sandbox: `python -m tests.benchmarks`."""
