"""Hosts of a network on this machine, each in namespaces of its own: its addresses, its links, its
name, and its file of names. A router joins them.

The namespaces have no names: they end with the processes in them, which end with the process that
started them, however it ends. Nothing else of the machine is touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tests.waiting import DEADLINE

_PROGRAMS = ("ip", "unshare", "nsenter", "setpriv", "mount", "hostname")
_AS_ROOT = ("--user", "--map-root-user")
# Until nobody can write to its standard input any more.
_STAY = "echo ready && exec cat"
_INTERFACE = "eth0"
_NOBODY = "10.77.255.53"
"""Where no name server answers."""


def missing_for_namespaces() -> str:
    """Returns why no namespaces can be made here. Empty: they can."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"network namespaces need {', '.join(missing)} (of iproute2 and util-linux)"
    probe = (
        "mount --bind /dev/null /etc/hosts && ip link add veth0 type veth peer name veth1 && "
        "ip rule add from 10.1.1.1 blackhole"
    )
    command = ["unshare", *_user_namespace(), "--net", "--mount", "--uts", "sh", "-c", probe]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEADLINE)
    said = done.stderr.strip().replace("\n", "; ")
    return f"network namespaces can't be made: {said}" if done.returncode else ""


class Network:
    """A router, and the hosts that it joins. Each host finds the others by their names."""

    def __init__(self, names: Sequence[str], directory: Path) -> None:
        """:param directory: has the files that say where names are found."""
        addresses = {name: f"10.77.{number}.2" for number, name in enumerate(names, 1)}
        self._addresses = addresses
        self._names_file = directory / "hosts"
        self._write_names()
        self._resolver_file = directory / "resolv.conf"
        self._resolver_file.write_text(f"nameserver {_NOBODY}\n", encoding="utf-8")
        self._namespaces: dict[str, _Namespaces] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            forward = "echo 1 > /proc/sys/net/ipv4/ip_forward"
            new = ("unshare", *_user_namespace(), "--net")
            self._router = _Namespaces(stack, new, f"{forward} && {_STAY}")
            for name, address in self._addresses.items():
                self._namespaces[name] = self._connect(stack, name, address)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends all that has been started on the hosts, and them."""
        self._stack.close()

    def __getitem__(self, name: str) -> Host:
        return Host(name, self._namespaces[name])

    def address_of(self, host: str) -> str:
        """Returns where a host is found."""
        return self._addresses[host]

    @contextmanager
    def cut(self, host: str) -> Iterator[None]:
        """Pulls the cable of a host. The router tells the others that it can't be reached."""
        self._router.run("ip", "link", "set", host, "down")
        try:
            yield
        finally:
            self._router.run("ip", "link", "set", host, "up")

    @contextmanager
    def dropped(self, one: str, other: str) -> Iterator[None]:
        """Drops all packets between two hosts. Nobody is told."""
        self._change_rules("add", one, other)
        try:
            yield
        finally:
            self._change_rules("del", one, other)

    def move(self, host: str) -> None:
        """Gives a host another address, at which the others find it from now on."""
        old = self._addresses[host]
        network, _, number = old.rpartition(".")
        new = f"{network}.{int(number) + 1}"
        namespaces = self._namespaces[host]
        namespaces.run("ip", "address", "del", f"{old}/24", "dev", _INTERFACE)
        namespaces.run("ip", "address", "add", f"{new}/24", "dev", _INTERFACE)
        namespaces.run("ip", "route", "replace", "default", "via", f"{network}.1")
        self._addresses[host] = new
        self._write_names()

    def _write_names(self) -> None:
        lines = ["127.0.0.1 localhost"]
        lines += [f"{address} {name}" for name, address in self._addresses.items()]
        # Not as another file: this one is what the hosts have.
        self._names_file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _change_rules(self, action: str, one: str, other: str) -> None:
        for source, target in ((one, other), (other, one)):
            addresses = ("from", self._addresses[source], "to", self._addresses[target])
            self._router.run("ip", "rule", action, *addresses, "blackhole")

    def _connect(self, stack: ExitStack, name: str, address: str) -> _Namespaces:
        make = (*self._router.entered(with_mounts=False), "unshare", "--net", "--mount", "--uts")
        settings = (
            f"mount --bind {self._names_file} /etc/hosts && hostname {name} && "
            f"mount --bind {self._resolver_file} /etc/resolv.conf"
        )
        namespaces = _Namespaces(stack, make, f"{settings} && {_STAY}")
        gateway = f"{address.rpartition('.')[0]}.1"
        peer = ("peer", "name", _INTERFACE, "netns", str(namespaces.pid))
        self._router.run("ip", "link", "add", name, "type", "veth", *peer)
        self._router.run("ip", "address", "add", f"{gateway}/24", "dev", name)
        self._router.run("ip", "link", "set", name, "up")
        namespaces.run("ip", "link", "set", "lo", "up")
        namespaces.run("ip", "address", "add", f"{address}/24", "dev", _INTERFACE)
        namespaces.run("ip", "link", "set", _INTERFACE, "up")
        namespaces.run("ip", "route", "add", "default", "via", gateway)
        return namespaces


class Host:
    """Runs programs where they see this host's network, names and host name."""

    def __init__(self, name: str, namespaces: _Namespaces) -> None:
        self.name = name
        self._namespaces = namespaces

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Returns the command line of a program that runs here, and ends with this process."""
        return ["setpriv", "--pdeathsig", "KILL", *self._namespaces.entered(), *arguments]

    def start(
        self,
        arguments: Sequence[str],
        env: Mapping[str, str],
        *,
        cwd: Path,
        stdin: int | IO[Any] = subprocess.DEVNULL,
        stdout: int | IO[Any] = subprocess.DEVNULL,
        stderr: int | IO[Any] | None = subprocess.DEVNULL,
    ) -> subprocess.Popen[str]:
        """Starts a program, whose process ID is that of the result."""
        return subprocess.Popen(
            self.command(arguments),
            env=env,
            cwd=cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            text=True,
        )

    def run(
        self,
        arguments: Sequence[str],
        env: Mapping[str, str],
        *,
        cwd: Path,
        timeout: float = 2 * DEADLINE,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a program to its end."""
        return subprocess.run(
            self.command(arguments),
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


class _Namespaces:
    """Namespaces that a process holds, which does nothing else."""

    def __init__(self, stack: ExitStack, new: Sequence[str], settings: str) -> None:
        """:param new: makes them.
        :param settings: what a shell does in them first.
        """
        holder = subprocess.Popen(
            [*new, "sh", "-c", settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.callback(holder.communicate, timeout=DEADLINE)
        self.pid = holder.pid
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n", f"{new} failed"

    def entered(self, *, with_mounts: bool = True) -> tuple[str, ...]:
        """Returns the beginning of a command that runs in them."""
        user = () if _is_root() else ("--user", "--preserve-credentials")
        mounts = ("--mount", "--uts") if with_mounts else ()
        return ("nsenter", "--target", str(self.pid), *user, "--net", *mounts, "--")

    def run(self, *arguments: str) -> None:
        """Runs a program to its end, which has to succeed."""
        command = [*self.entered(with_mounts=False), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=DEADLINE
        )
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"


def _is_root() -> bool:
    return os.geteuid() == 0


def _user_namespace() -> Sequence[str]:
    """Who isn't root is root where it is about nothing but these namespaces."""
    return () if _is_root() else _AS_ROOT
