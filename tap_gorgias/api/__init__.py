"""Access to the Gorgias API: authentication, rate limit, retries and pagination."""
