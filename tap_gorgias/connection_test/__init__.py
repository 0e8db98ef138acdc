"""The command `--test`: check the responses to a page or two of each stream."""
