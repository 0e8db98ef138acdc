"""Whole runs of the tap against the sandbox."""
