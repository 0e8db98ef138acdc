"""What `--test` does: ask each stream's endpoint once and tell how Gorgias answers."""
