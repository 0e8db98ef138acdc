"""The distribution: package, catalog and definitions."""
