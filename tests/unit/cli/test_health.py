"""The health command: nothing where a process is well, one line and exit code 1 where it is not or does not answer."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from cli.health import LIVE, READY, look, main
from cli.up.ports import free_port


@contextmanager
def page(status: int, body: bytes) -> Iterator[int]:
    """A process whose `/health/ready` answers so; the port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            well = self.path == LIVE
            self.send_response(200 if well else status)
            self.end_headers()
            self.wfile.write(b"{}" if well else body)

        def log_message(self, *_words: object) -> None:
            """Standard error is the command's."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


UNREADY = json.dumps({"status": "unready", "problems": {"database": "refused", "log": "starting"}}).encode()


def test_a_process_that_is_well_is_not_spoken_of(capsys: pytest.CaptureFixture[str]) -> None:
    with page(200, b"{}") as port:
        assert main([str(port)]) == 0
    assert capsys.readouterr() == ("", "")


def test_what_is_wrong_is_one_line_and_the_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    with page(503, UNREADY) as port:
        assert main([str(port)]) == 1
        assert main([str(port), "--live"]) == 0
    assert capsys.readouterr() == ("", "database: refused; log: starting\n")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"problems": 3}'])
def test_another_program_on_that_port_is_not_well(body: bytes) -> None:
    with page(404, body) as port:
        assert look("127.0.0.1", port, READY, 4.0) == "HTTP 404"


def test_nobody_on_that_port_is_not_well() -> None:
    port = free_port()
    reason = look("127.0.0.1", port, READY, 4.0)
    assert reason is not None
    assert reason.startswith(f"no answer from 127.0.0.1:{port}: ")


def test_the_module_imports_nothing_of_the_platform() -> None:
    """It is started every few seconds for each container."""
    code = "import sys, cli.health; print(*(name for name in sys.modules if name in ('typer', 'pydantic', 'aiokafka')))"
    reported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert reported.stdout.strip() == ""
