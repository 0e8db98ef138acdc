"""Generated rows of each object type."""
