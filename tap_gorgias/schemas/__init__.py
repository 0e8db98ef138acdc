"""JSON schemas, one for each stream and named after it."""
