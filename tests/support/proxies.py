"""The proxies of docs/proxies.md in front of a gateway, configured as documented: on a path, on a port, with TLS.

Where a program is not to be had, its tests are skipped, and say why."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

from cli.up import ports
from runtime.kafka import Kafka
from tests.support.command import ROOT
from tests.support.debian import program
from tests.support.gateway import Client, Gateway, gateway
from tests.support.waiting import wait_until

HOST = "media.example"
ASKS = "127.0.0.2"
"""The address of clients; the proxy connects to the gateway from 127.0.0.1."""
DOC = (ROOT / "docs" / "proxies.md").read_text()


def documented(language: str) -> str:
    """The only block of that language in the document."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", DOC, re.DOTALL)
    return str(block)


def nginx(folder: Path, site: str) -> tuple[list[str], dict[str, str]]:
    """Its command, with all it writes in `folder`; and its environment."""
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    http = f"http {{ access_log off; {temporary} {site} }}"
    whole = f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}} {http}"
    (folder / "nginx.conf").write_text(whole)
    found, environment = program("nginx")
    return [
        found,
        "-p",
        str(folder),
        "-e",
        str(folder / "error.log"),
        "-c",
        str(folder / "nginx.conf"),
    ], environment


def caddy(folder: Path, site: str) -> tuple[list[str], dict[str, str]]:
    """The same."""
    (folder / "Caddyfile").write_text(f"{{\n admin off\n auto_https disable_redirects\n}}\n{site}")
    found, environment = program("caddy")
    return [found, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"], environment


SERVERS: dict[str, tuple[str, Callable[[Path, str], tuple[list[str], dict[str, str]]]]] = {
    "nginx": ("nginx", nginx),
    "caddy": ("caddyfile", caddy),
}


@dataclass(frozen=True)
class Proxied:
    """A gateway behind a proxy. `url`: the page's address."""

    server: Gateway
    port: int
    trust: ssl.SSLContext

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}/catalog"

    def http(self) -> httpx.Client:
        """A client that resolves the name to this machine."""
        transport = httpx.HTTPTransport(verify=self.trust, local_address=ASKS)
        return httpx.Client(transport=_Here(transport, self.port), base_url=self.url, timeout=30)

    @contextmanager
    def socket(self, token: str, origin: str | None = None) -> Iterator[Client]:
        """A socket, opened like the page does."""
        with connect(
            f"wss://{HOST}:{self.port}/catalog/ws?token={token}",
            sock=socket.create_connection(("127.0.0.1", self.port), timeout=10),
            ssl=self.trust,
            origin=Origin(origin or f"https://{HOST}:{self.port}"),
        ) as opened:
            yield Client(opened)


class _Here(httpx.BaseTransport):
    def __init__(self, inner: httpx.HTTPTransport, port: int) -> None:
        self._inner, self._port = inner, port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = HOST
        request.url = request.url.copy_with(host="127.0.0.1")
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for the name; and its key."""
    pem, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", str(key), "-out", str(pem), "-days", "2", "-subj", f"/CN={HOST}",
         "-addext", f"subjectAltName=DNS:{HOST}"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return pem, key


@pytest.fixture(params=SERVERS, scope="module")
def proxied(
    request: pytest.FixtureRequest, log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxied]:
    """Each server in front of a gateway of its own."""
    language, command_of = SERVERS[request.param]
    folder, port = tmp_path_factory.mktemp(request.param), ports.free_port()
    pem, key = certificate(folder)
    settings = {"PUBLIC_URL": f"https://{HOST}:{port}/catalog", "TRUSTED_PROXIES": '["127.0.0.1"]'}
    server = gateway(log, tables, tmp_path_factory.mktemp("gateway"), settings)
    site = documented(language).replace("GATEWAY", f"127.0.0.1:{server.port}").replace("8443", str(port))
    site = site.replace("/etc/ssl/media.example.pem", str(pem)).replace("/etc/ssl/media.example.key", str(key))
    command, environment = command_of(folder, site)
    environment |= {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    server.start()
    with (folder / "out.log").open("wb") as out:
        running = subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd=folder)
    try:
        found = Proxied(server, port, ssl.create_default_context(cafile=str(pem)))
        wait_until(lambda: answers(found, running, folder), 30, what=f"{request.param} to answer")
        yield found
    finally:
        running.terminate()
        running.wait(20)
        server.kill()


def answers(proxied: Proxied, running: subprocess.Popen[bytes], folder: Path) -> bool:
    """Whether the proxy answers; fails if it has ended."""
    assert running.poll() is None, (folder / "out.log").read_text()
    try:
        with proxied.http() as http:
            return http.get("/health").status_code == 200
    except httpx.TransportError:
        return False
