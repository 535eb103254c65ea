"""Widgets in which the arguments of a method are written: one for each kind of type."""
