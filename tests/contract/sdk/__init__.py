"""What the tap relies on in the SDK."""
