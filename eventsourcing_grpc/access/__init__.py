"""Who calls, what they may, and what is told of it in the audit log."""
