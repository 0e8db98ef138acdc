"""What the tap costs, measured against the sandbox: `python -m tests.benchmarks`."""
