"""Requests to the Gorgias API: signed, within the rate limit, retried."""
