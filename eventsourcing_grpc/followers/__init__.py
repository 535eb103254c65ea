"""The parts of a follower's loop, which is in ``eventsourcing_grpc.following``."""
