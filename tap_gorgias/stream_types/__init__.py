"""The base classes of streams."""
