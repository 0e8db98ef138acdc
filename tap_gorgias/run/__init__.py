"""One run of the tap, and what its streams share."""
