"""The least that a ``grpcio`` server can do: bytes in, the same bytes out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc

from benchmarks.programs.conversation import converse

SERVICE = "benchmarks.Echo"
METHOD = "Echo"


def serve(address: str, workers: int) -> None:
    """Serves until this process ends.

    :param workers: how many threads answer.
    """
    server = grpc.server(ThreadPoolExecutor(workers), options=[("grpc.so_reuseport", 0)])
    handler = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),)
    )
    server.add_insecure_port(address)
    server.start()
    _servers.append(server)


_servers: list[grpc.Server] = []

if __name__ == "__main__":
    converse({"serve": serve})
