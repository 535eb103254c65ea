"""Generated from proto/. Never edited: see `make grpc-stubs`."""
