"""Run on a host: asks a server once whether it serves, with given files, and writes how that ended.

Without files it is asked in plaintext; with a root only, no certificate is shown.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub

from eventsourcing_grpc.calls.error_receiving import rpc_code

_TIMEOUT = 5.0


def call(address: str, files: Sequence[str]) -> str:
    """Returns the name of a status code.

    :param files: the root, the key and the certificate.
    """
    contents = [Path(path).read_bytes() for path in files]
    channel = (
        grpc.secure_channel(address, grpc.ssl_channel_credentials(*contents))
        if contents
        else grpc.insecure_channel(address)
    )
    with channel:
        try:
            HealthStub(channel).Check(HealthCheckRequest(), timeout=_TIMEOUT)
        except grpc.RpcError as e:
            return rpc_code(e).name
    return grpc.StatusCode.OK.name


if __name__ == "__main__":
    sys.stdout.write(f"{call(sys.argv[1], sys.argv[2:])}\n")
