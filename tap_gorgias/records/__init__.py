"""Decoding, conversion and masking of records."""
