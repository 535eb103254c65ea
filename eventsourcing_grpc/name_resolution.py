"""How this package's programs find the addresses of hosts: as all other programs of the machine do."""

from __future__ import annotations

import os

_DNS_RESOLVER = "GRPC_DNS_RESOLVER"


def resolve_as_other_programs() -> None:
    """Lets gRPC ask the machine's own resolver, unless the environment says otherwise.

    gRPC's own one asks a name server also for names that the file of hosts has, and waits for
    as long as none answers. Is called before grpc is imported: that is when the variable is read.
    See https://grpc.github.io/grpc/core/md_doc_environment_variables.html.
    """
    os.environ.setdefault(_DNS_RESOLVER, "native")
