"""The parts of the feed in ``eventsourcing_grpc.notification_feed``, and logs that are somewhere else."""
