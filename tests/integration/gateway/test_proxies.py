"""The proxies of docs/proxies.md, configured as documented: page, REST and socket work through each on a path, on a port and
with TLS, and sign-ins are counted for the client and not for the proxy.

A server that is not installed (`apt-get install nginx caddy`) is reported, and its test skipped. For proxies that cannot be
run here, what can be checked without them is checked.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from cli.settings import Settings
from cli.up import ports
from gateway.access.proxies import networks
from runtime.kafka import Kafka
from runtime.settings import load
from tests.support.command import ROOT
from tests.support.gateway import PASSWORD, Client, Gateway, gateway
from tests.support.waiting import wait_until

HOST = "media.example"
ASKS = "127.0.0.2"
"""The address of clients; the proxy connects to the gateway from 127.0.0.1."""
DOC = (ROOT / "docs" / "proxies.md").read_text()


def documented(language: str) -> str:
    """The only block of that language in the document."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", DOC, re.DOTALL)
    return str(block)


def installed(name: str) -> str:
    """The server's path; skips if it is not installed."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed (apt-get install {name}): its configuration was not executed")
    return found


def nginx(folder: Path, site: str) -> list[str]:
    """Its command, with all it writes in `folder`."""
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    http = f"http {{ access_log off; {temporary} {site} }}"
    whole = f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}} {http}"
    (folder / "nginx.conf").write_text(whole)
    return [
        installed("nginx"),
        "-p",
        str(folder),
        "-e",
        str(folder / "error.log"),
        "-c",
        str(folder / "nginx.conf"),
    ]


def caddy(folder: Path, site: str) -> list[str]:
    """Its command, with all it writes in `folder`."""
    (folder / "Caddyfile").write_text(f"{{\n admin off\n auto_https disable_redirects\n}}\n{site}")
    return [installed("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


SERVERS: dict[str, tuple[str, Callable[[Path, str], list[str]]]] = {
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
    command = command_of(folder, site)
    environment = os.environ | {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
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


def test_page_rest_and_socket_work_on_a_path_on_a_port_with_tls(proxied: Proxied) -> None:
    with proxied.http() as http:
        page = http.get("/")
        assert (page.status_code, 'src="app.js"' in page.text or "app.js" in page.text) == (200, True)
        assert http.get("/app.js").status_code == 200
        answer = http.post("/api/v1/auth/login", json={"username": "admin", "password": PASSWORD})
        assert answer.status_code == 200
        token = answer.json()["token"]
        assert http.get("/api/v1/media/stats", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    with proxied.socket(token) as client:
        assert client.subscribe("media_updates")["type"] == "subscribed"
    with pytest.raises(InvalidStatus) as refused, proxied.socket(token, f"https://{HOST}"):
        pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("spoofed", [{}, {"X-Forwarded-For": "203.0.113.7"}, {"Forwarded": "for=203.0.113.7"}])
def test_the_client_is_the_one_that_the_proxy_names_whatever_the_client_sends(
    proxied: Proxied, spoofed: dict[str, str]
) -> None:
    name = f"asks{secrets.token_hex(4)}"
    with proxied.http() as http:
        http.post("/api/v1/auth/login", json={"username": name, "password": "no"}, headers=spoofed)
    lines = [json.loads(line) for line in proxied.server.log.read_text().splitlines() if line.startswith("{")]
    assert [line["address"] for line in lines if line["event"] == "sign-in refused"][-1] == ASKS


def test_traefik_s_block_defines_all_that_it_uses() -> None:
    http = yaml.safe_load(documented("yaml"))["http"]
    (router,) = http["routers"].values()
    assert router["service"] in http["services"]
    used, reached = list(router["middlewares"]), []
    while used:
        name = used.pop()
        reached.append(name)
        used += http["middlewares"][name].get("chain", {}).get("middlewares", ())
    assert sorted(reached) == sorted(http["middlewares"])
    (path,) = http["middlewares"]["strip-catalog"]["stripPrefix"]["prefixes"]
    assert f"PathPrefix(`{path}/`)" in router["rule"]
    assert http["services"][router["service"]]["loadBalancer"]["servers"] == [{"url": "http://GATEWAY"}]


def test_the_load_balancer_s_settings_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    block = DOC.partition("## AWS Application Load Balancer")[2]
    found = re.findall(r"^(CATALOGIZER_\w+)=(.*)$", block, re.MULTILINE)
    assert len(found) == 3
    for name, value in found:
        monkeypatch.setenv(name, value.strip("'"))
    gateway = load(Settings).gateway
    assert gateway.public_url == "https://media.example"
    assert [str(network) for network in networks(gateway.trusted_proxies)] == ["10.0.1.0/24", "10.0.2.0/24"]
