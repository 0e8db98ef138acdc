"""From the bytes of an answer to the values of a record."""
