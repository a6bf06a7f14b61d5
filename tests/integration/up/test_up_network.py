"""Behind a company's proxy: pip, uv and the fetching of jars trust the same, and each failure names its cause.

The tools are the real ones; the proxy and its CA are made here.
"""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cli.up import network
from cli.up.embedded.jars import Jar, from_maven
from cli.up.errors import JarsUnavailable
from tests.support.command import ROOT
from tests.support.tls import DAY, NOW, Authority, Proxy

BIN = Path(sys.executable).parent
BODY = b"a jar" * 1000
JAR = Jar("org.example.deep", "part", "1.0", hashlib.sha256(BODY).hexdigest(), len(BODY))
FILES = {"/org/example/deep/part/1.0/part-1.0.jar": BODY}
QUICK = {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "2", "PIP_RETRIES": "0", "PIP_TIMEOUT": "2"}
TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "UV_SYSTEM_CERTS")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(autouse=True)
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of this machine."""
    for name in list(os.environ):
        if name in TRUST or name.lower().endswith("_proxy") or name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    for name, value in ({"HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull} | QUICK).items():
        monkeypatch.setenv(name, value)


def pip(folder: Path) -> str:
    log = folder / "log"
    argv = (sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps")
    subprocess.run((*argv, "--log", str(log), "-d", str(folder), "tiny==1.0"), capture_output=True)
    return network.cause(log.read_text())


def uv(folder: Path) -> str:
    (folder / "wanted").write_text(f"tiny==1.0 --hash=sha256:{'0' * 64}\n")
    argv = (str(BIN / "uv"), "pip", "sync", "--no-cache", "--require-hashes", "--target", str(folder / "target"))
    done = subprocess.run((*argv, str(folder / "wanted")), capture_output=True, text=True, cwd=folder)
    return network.cause(done.stderr)


def jars(folder: Path) -> str:
    with pytest.raises(JarsUnavailable) as raised:
        from_maven(JAR, folder, lambda _: None)
    return str(raised.value).partition("repository: ")[2]


TOOLS = pytest.mark.parametrize("tool", [pip, uv, jars])
Tool = Callable[[Path], str]
FAULTS: dict[str, tuple[Callable[[Authority], Proxy], str]] = {
    "expired": (lambda ca: Proxy(ca, expires=NOW - DAY), "has expired"),
    "another's": (lambda ca: Proxy(ca, certified="other.example"), "for another host name"),
    "sign in": (lambda ca: Proxy(ca, connect=407), "the proxy wants a sign-in"),
    "forbidden by the proxy": (lambda ca: Proxy(ca, connect=403), "refused (403)"),
    "forbidden": (lambda ca: Proxy(ca, status=403), "refused (403)"),
    "not there": (lambda ca: Proxy(ca, status=404), "does not have it (404)"),
    "out of order": (lambda ca: Proxy(ca, status=503), "out of order"),
    "silent": (lambda ca: Proxy(ca, connect=None), "no answer in time"),
}


@TOOLS
@pytest.mark.parametrize("fault", FAULTS)
def test_a_failure_names_its_cause(
    tool: Tool, fault: str, authority: Authority, stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, words = FAULTS[fault]
    proxy = stack.enter_context(make(authority).serving())
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(authority.file))
    monkeypatch.setattr("cli.up.embedded.jars.TIMEOUT_SECONDS", 2)
    assert words in tool(tmp_path)


@TOOLS
def test_an_untrusted_certificate_is_called_that_and_not_the_network(
    tool: Tool, authority: Authority, stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = stack.enter_context(Proxy(authority, files=FILES).serving())
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    printed = tool(tmp_path)
    assert "is not trusted" in printed
    assert "SSL_CERT_FILE" in printed
    assert "network" not in printed


@TOOLS
@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("http://127.0.0.1:{closed}", "connection was refused"),
        ("http://proxy.invalid:1", "cannot be resolved (DNS)"),
    ],
)
def test_failures_to_reach_a_registry_are_distinguished(
    tool: Tool, proxy: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", proxy.format(closed=port))
    assert words in tool(tmp_path)


@pytest.mark.parametrize("configured", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "the system"])
def test_jars_are_fetched_where_a_list_of_the_user_or_the_system_trusts_the_proxy(
    configured: str, authority: Authority, stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = stack.enter_context(Proxy(authority, files=FILES).serving())
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    if configured == "SSL_CERT_DIR":
        (tmp_path / "certs").mkdir()
        (tmp_path / "certs" / "company.pem").write_bytes(authority.file.read_bytes())
        subprocess.run(["openssl", "rehash", str(tmp_path / "certs")], check=True)
        monkeypatch.setenv(configured, str(tmp_path / "certs"))
    elif configured == "the system":
        monkeypatch.setattr(network, "LISTS", ("/nonexistent", str(authority.file)))
    else:
        monkeypatch.setenv(configured, str(authority.file))
    came: list[int] = []
    assert from_maven(JAR, tmp_path, came.append).read_bytes() == BODY
    assert sum(came) == JAR.size


def test_a_list_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere.pem"))
    assert jars(tmp_path) == f"SSL_CERT_FILE names {tmp_path}/nowhere.pem, which is not a file"


def test_a_list_that_is_none_is_called_that(
    authority: Authority, stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = stack.enter_context(Proxy(authority, files=FILES).serving())
    (tmp_path / "empty.pem").write_text("nothing\n")
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "empty.pem"))
    assert "the list of trusted certificates is none" in jars(tmp_path)


def test_a_full_disk_is_called_that(
    authority: Authority, stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = stack.enter_context(Proxy(authority, files=FILES).serving())
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    (tmp_path / JAR.filename).symlink_to("/dev/full")
    assert jars(tmp_path) == "the disk is full"


@pytest.mark.parametrize(
    ("printed", "meant"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("\x1b[1;31merror\x1b[0m: Failed\n  \x1b[1mcause\x1b[0m: dns\n    error", "cannot be resolved (DNS)"),
        ("[Errno 101] Network is unreachable", "there is no network"),
        ("cause: Connection reset by peer (os error 104)", "the connection broke"),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate is not yet valid",
            "clock right?",
        ),
        ("ssl.SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number", "does not speak TLS"),
        ("2026-01-01T00:00:00,403 something, 404 of 503", ""),
    ],
)
def test_words_and_what_they_mean(printed: str, meant: str) -> None:
    assert meant in network.cause(printed)
    assert bool(network.cause(printed)) == bool(meant)


def test_it_can_be_read_before_anything_is_installed() -> None:
    argv = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import cli.up.network",
    ]
    assert subprocess.run(argv).returncode == 0
