"""Tests, the sandbox they run against, benchmarks and the demo."""
