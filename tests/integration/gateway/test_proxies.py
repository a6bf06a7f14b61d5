"""The proxies of docs/proxies.md, configured as documented: page, REST and socket work through each on a path, on a port and
with TLS, and sign-ins are counted for the client and not for the proxy.

For proxies that cannot be run here, what can be checked without them is checked.
"""

from __future__ import annotations

import json
import re
import secrets

import pytest
import yaml
from websockets.exceptions import InvalidStatus

from cli.settings import Settings
from gateway.access.proxies import networks
from runtime.configuration import load
from tests.support.gateway import PASSWORD
from tests.support.proxies import ASKS, DOC, HOST, Proxied, documented, proxied

__all__ = ["proxied"]


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
