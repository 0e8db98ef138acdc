"""Singer tap for the Gorgias helpdesk."""
