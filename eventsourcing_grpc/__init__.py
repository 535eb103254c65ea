"""Event-sourced applications and systems as gRPC servers."""
