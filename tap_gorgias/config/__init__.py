"""The settings of the tap: JSON schema, validation and typed values."""
