"""The console's screens. What they show comes from ``system_view``."""
