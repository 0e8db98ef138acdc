"""A run of the tap: its shared context, its streams and their progress."""
