"""What can be done, and by which keys: one module a place."""
