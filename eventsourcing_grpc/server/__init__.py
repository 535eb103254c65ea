"""The parts of a server, whose life cycle is in ``eventsourcing_grpc.application_server``."""
