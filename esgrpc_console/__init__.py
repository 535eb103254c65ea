"""A terminal control console for event-sourced systems served with gRPC."""
