"""What screens are made of: one module a widget, with its style sheet beside it."""
