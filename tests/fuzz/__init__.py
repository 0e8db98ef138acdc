"""Fuzz tests: with any input, a run writes valid rows or fails with a clear error."""
