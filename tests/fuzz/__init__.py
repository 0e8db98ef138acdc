"""Hostile input: whatever comes in, the run ends, in words or in rows that load."""
