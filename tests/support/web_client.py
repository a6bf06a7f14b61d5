"""Actions on the gateway for the tests of the web client, which run in Node: requested over HTTP, one a request."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from runtime.kafka import Kafka
from schemas.topics import MEDIA_UPDATES
from tests.support.events import films
from tests.support.forging import forge
from tests.support.gateway import Gateway
from tests.support.topic import NewRecord, pour, write
from tools import ROOT

WEB = ROOT / "web"
CLIENT = WEB / "client"

Action = Callable[[dict[str, Any]], dict[str, Any]]


def environment(**more: str) -> dict[str, str]:
    """Of a command that needs Node: the machine's, or that which the set-up has put beside Python."""
    beside = str(Path(sys.executable).parent)
    return os.environ | {"PATH": os.pathsep.join((beside, os.environ["PATH"]))} | more


def npm_tool(name: str) -> Path:
    """A command of the packages that the tests of the client need."""
    return WEB / "node_modules" / ".bin" / name


def actions(server: Gateway, log: Kafka) -> dict[str, Action]:
    """The actions by name."""

    def pour_films(body: dict[str, Any]) -> dict[str, Any]:
        pour(log, films(body["count"], first=body["first"]))
        return {}

    def break_one(_: dict[str, Any]) -> dict[str, Any]:
        write(log, NewRecord(MEDIA_UPDATES, b"no JSON", key=b"home"))
        return {}

    def kill(_: dict[str, Any]) -> dict[str, Any]:
        server.kill()
        return {}

    def stop(_: dict[str, Any]) -> dict[str, Any]:
        return {"code": server.stop()}

    def start(_: dict[str, Any]) -> dict[str, Any]:
        server.start()
        return {}

    def shorten(body: dict[str, Any]) -> dict[str, Any]:
        return {"token": forge(body["token"], exp=int(time.time()) + body["seconds"])}

    return {
        "films": pour_films, "broken": break_one, "kill": kill, "stop": stop, "start": start, "shorten": shorten,
    }  # fmt: skip


@contextmanager
def controlled(server: Gateway, log: Kafka) -> Iterator[str]:
    """The address at which the actions can be requested."""
    known = actions(server, log)
    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with one_at_a_time:
                answer = json.dumps(known[self.path.strip("/")](body)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http_server:
        thread = threading.Thread(target=http_server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{http_server.server_address[1]}"
        http_server.shutdown()
        thread.join()
