"""Complete runs of the tap against the sandbox."""
