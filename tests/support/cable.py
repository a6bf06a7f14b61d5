"""A network of its own for a server, at the end of one virtual cable that a test can pull.

Needs the right to make network namespaces (root, mostly); iproute2 makes them."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

import pytest

_numbers = count()


@dataclass(frozen=True, slots=True)
class Cable:
    """From this machine to the namespace. `near`, `address`: the ends'; `name`: of the namespace, and of the near end."""

    name: str
    near: str
    address: str

    def lay(self) -> None:
        """Make both."""
        _ip("netns", "add", self.name)
        _ip("link", "add", self.name, "type", "veth", "peer", "name", "far", "netns", self.name)
        _ip("address", "add", f"{self.near}/30", "dev", self.name)
        _ip("link", "set", self.name, "up")
        _ip("-n", self.name, "address", "add", f"{self.address}/30", "dev", "far")
        _ip("-n", self.name, "link", "set", "lo", "up")
        self.plug()

    @property
    def inside(self) -> tuple[str, ...]:
        """Words before a command that is to run at the far end."""
        return ("ip", "netns", "exec", self.name)

    def pull(self) -> None:
        """Cut the connection in both directions, without notice to either side."""
        _ip("-n", self.name, "link", "set", "far", "down")

    def plug(self) -> None:
        """Restore the connection."""
        _ip("-n", self.name, "link", "set", "far", "up")

    def remove(self) -> None:
        """The namespace and both ends are gone, with whatever the far end's kernel knew of connections."""
        _tried("link", "delete", self.name)  # at once; a namespace goes when its last socket has
        _ip("netns", "delete", self.name)


def laid() -> Cable:
    """One with a namespace at its end. Skips the test where none may be made."""
    if shutil.which("ip") is None:
        pytest.skip("no iproute2 on this machine: no network was cut")
    number = os.getpid() * 16 + next(_numbers) % 16
    net = f"10.{number >> 14 & 255}.{number >> 6 & 255}"
    near, far = (f"{net}.{number % 64 * 4 + host}" for host in (1, 2))
    cable = Cable(f"cat{number}", near, far)
    try:
        cable.lay()
    except OSError as error:
        with suppress(OSError):
            cable.remove()
        pytest.skip(f"no network namespace may be made here ({error}): no network was cut")
    return cable


def _tried(*words: str) -> str | None:
    done = subprocess.run(("ip", *words), capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else done.stderr.strip()


def _ip(*words: str) -> None:
    if (why := _tried(*words)) is not None:
        raise OSError(f"ip {' '.join(words)}: {why}")
