"""The settings: their schema, their checks, and what they may name."""
