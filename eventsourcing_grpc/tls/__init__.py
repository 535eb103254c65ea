"""Certificate files: read, checked, replaced while they are used, and the connections that fail for them."""
