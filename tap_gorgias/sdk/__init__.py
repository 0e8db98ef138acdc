"""What replaces parts of the Singer SDK."""
