"""Replacements for parts of the Singer SDK."""
