"""The set-up: nothing to do is done at once, what fails is one line that names the cause, what was killed is made
anew, and a terminal that closes ends it."""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import json
import os
import re
import resource
import shlex
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from tests.support.terminal import Terminal
from tests.support.tls import Authority, Proxy
from tests.support.waiting import wait_until

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the set-up needs of a checkout, no environment in it."""
    for name in (
        "infra/bootstrap.py", "cli/__init__.py", "cli/up/__init__.py", "cli/up/network.py",
        "gateway/log/compiling.py", "gateway/log/frames.c",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, tmp_path / name)
    shutil.copytree(CHECKOUT / "requirements", tmp_path / "requirements")
    (tmp_path / "web").mkdir()
    shutil.copy(CHECKOUT / "web" / "package-lock.json", tmp_path / "web" / "package-lock.json")
    return tmp_path


def bootstrap(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(checkout / "infra" / "bootstrap.py"), *arguments]
    return subprocess.run(argv, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120)


def without_network(checkout: Path) -> subprocess.CompletedProcess[str]:
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_RETRIES": "0",
        "PIP_FIND_LINKS": "",
        "PIP_NO_CACHE_DIR": "1",
    }
    return bootstrap(checkout, "run", **nowhere)


def made(checkout: Path, wanted: str) -> None:
    """An environment with a marker that it is complete."""
    code = (
        "import sys; sys.path.insert(0, 'infra'); import bootstrap as b; b.VENV.mkdir();"
        f"b.STAMP.write_text('{wanted} ' + b._fingerprint()); b.COMPILED.write_text(b._compiled_fingerprint());"
        "b.WEB_STAMP.parent.mkdir(); b.WEB_STAMP.write_text(b._web_fingerprint())"
    )
    subprocess.run([sys.executable, "-c", code], cwd=checkout, check=True)


@pytest.mark.parametrize(("has", "wanted"), [("run", "run"), ("dev", "dev"), ("dev", "run")])
def test_what_is_there_is_left_alone_and_at_once(checkout: Path, has: str, wanted: str) -> None:
    made(checkout, has)
    before = (checkout / ".venv" / ".synced").stat().st_mtime_ns
    began = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = bootstrap(checkout, wanted)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - began < 0.3
    assert (checkout / ".venv" / ".synced").stat().st_mtime_ns == before


def test_without_a_network_it_is_one_line_and_a_failure(checkout: Path) -> None:
    done = without_network(checkout)
    assert done.returncode == 1
    assert done.stderr.startswith("set-up failed: the installer uv could not be installed: ")
    assert done.stderr.count("\n") == 1


def test_what_was_killed_half_way_is_made_anew(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / ".half-made").touch()
    (checkout / ".venv" / "bin" / "python").write_text("half")
    done = without_network(checkout)
    assert done.stdout.splitlines()[0] == "recreating .venv"
    assert (checkout / ".venv" / ".half-made").exists()


@pytest.mark.parametrize("arguments", [(), ("all",), ("run", "dev")])
def test_what_it_does_not_know_is_reported(checkout: Path, arguments: tuple[str, ...]) -> None:
    done = bootstrap(checkout, *arguments)
    assert (done.returncode, done.stderr) == (1, "set-up failed: usage: python3 infra/bootstrap.py run|dev\n")


def test_an_older_python_reports_which_one_is_needed(checkout: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, 'infra'); sys.version_info = (3, 9, 2); import bootstrap;"
        "sys.exit(bootstrap.main(['run']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("set-up failed: Python 3.11 or newer is needed, ")
    assert done.stderr.count("\n") == 1


OF_THIS_MACHINE = re.compile("PIP_.*|UV_.*|SSL_CERT_.*|(REQUESTS|CURL)_CA_BUNDLE|.*_proxy", re.IGNORECASE)
NOTICED_SECONDS = 2


def plain(home: Path, **environment: str) -> dict[str, str]:
    """An environment without any setting about trusted certificates."""
    kept = {name: value for name, value in os.environ.items() if not OF_THIS_MACHINE.fullmatch(name)}
    quick = {"PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0", "UV_HTTP_RETRIES": "0", "UV_NO_CACHE": "1"}
    return {**kept, **quick, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), **environment}


def wheel(name: str, script: str) -> bytes:
    """A package of one command."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}-1.0.data/scripts/{name}": script,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},\n"
        for path, text in files.items()
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in (files | {f"{info}/RECORD": record + f"{info}/RECORD,,\n"}).items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (stat.S_IFREG | 0o755) << 16
            archive.writestr(entry, text)
    return packed.getvalue()


def registry(checkout: Path) -> Mapping[str, bytes]:
    """What a registry serves, and the lock files that name it: the real uv, and one package for it to install."""
    real = shlex.quote(str(Path(sys.executable).with_name("uv")))
    packages = {"uv": f'#!/bin/sh\nexec {real} "$@"\n', "tiny": "#!/bin/sh\necho here\n"}
    files: dict[str, bytes] = {}
    for name, lock in (("uv", "bootstrap"), ("tiny", "run")):
        file, packed = f"{name}-1.0-py3-none-any.whl", wheel(name, packages[name])
        pinned = hashlib.sha256(packed).hexdigest()
        files |= {f"/{name}/": f'<a href="{file}#sha256={pinned}">{file}</a>'.encode(), f"/{file}": packed}
        (checkout / "requirements" / f"{lock}.txt").write_text(f"{name}==1.0 --hash=sha256:{pinned}\n")
    return files


def test_behind_a_proxy_whose_ca_is_named_all_is_set_up_and_without_the_name_it_is_reported(
    checkout: Path,
) -> None:
    authority = Authority(checkout)
    with Proxy(authority, files=registry(checkout)).serving() as proxy:
        environment = plain(checkout, HTTPS_PROXY=proxy.url)
        argv = [sys.executable, str(checkout / "infra" / "bootstrap.py"), "run"]
        refused = subprocess.run(argv, env=environment, capture_output=True, text=True)
        environment["SSL_CERT_FILE"] = str(authority.file)
        done = subprocess.run(argv, env=environment, capture_output=True, text=True)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "is not trusted" in refused.stderr
    assert "SSL_CERT_FILE" in refused.stderr
    assert "network" not in refused.stderr
    assert (done.returncode, done.stderr) == (0, "")
    assert subprocess.check_output([checkout / ".venv" / "bin" / "tiny"]) == b"here\n"
    compiled = [path.name for path in checkout.glob(".venv/lib/*/site-packages/catalogizer_frames*")]
    assert len(compiled) == 1 or "more slowly: there is no" in done.stdout


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ({}, ("system", "1")),
        ({"SSL_CERT_FILE": "{home}/ca.pem"}, ("{home}/ca.pem", "1")),
        ({"SSL_CERT_DIR": "{home}"}, ("{home}", "1")),
        ({"PIP_CERT": "{home}/mine", "SSL_CERT_FILE": "{home}/ca.pem"}, ("{home}/mine", "1")),
        ({"REQUESTS_CA_BUNDLE": "{home}/mine"}, (None, "1")),
        ({"PIP_CONFIG_FILE": "{home}/pip.conf"}, (None, "1")),
        ({"UV_SYSTEM_CERTS": "0"}, ("system", "0")),
        ({"UV_CONFIG_FILE": "{home}/uv.toml"}, ("system", None)),
    ],
)
def test_pip_and_uv_get_the_trusted_certificates_unless_the_user_configured_them(
    checkout: Path, reported: dict[str, str], expected: tuple[str | None, str | None]
) -> None:
    (checkout / "ca.pem").touch()
    (checkout / "pip.conf").write_text("[global]\ncert = /mine\n")
    (checkout / "uv.toml").write_text("system-certs = false\n")
    code = (
        "import json, sys; sys.path.insert(0, 'infra'); import bootstrap as b; b._network().LISTS = ('system',);"
        "e = b._trusting(sys.executable); print(json.dumps([e.get('PIP_CERT'), e.get('UV_SYSTEM_CERTS')]))"
    )
    (checkout / "system").touch()
    environment = plain(checkout) | {name: value.format(home=checkout) for name, value in reported.items()}
    printed = subprocess.check_output([sys.executable, "-c", code], cwd=checkout, env=environment)
    assert json.loads(printed) == [value and value.format(home=checkout) for value in expected]


def test_on_a_terminal_the_cause_is_named_too(checkout: Path) -> None:
    environment = plain(checkout, HTTPS_PROXY="http://127.0.0.1:9")
    terminal = Terminal(
        (sys.executable, checkout / "infra" / "bootstrap.py", "run"), controlling=True, env=environment
    )
    try:
        terminal.until("set-up failed: the installer uv could not be installed: the connection was refused")
        assert terminal.process.wait(10) == 1
    finally:
        terminal.end()


@pytest.mark.parametrize("controlling", [True, False])
def test_a_terminal_that_is_closed_ends_it_and_what_it_started(checkout: Path, controlling: bool) -> None:
    with Proxy(Authority(checkout), connect=None).serving() as silent:
        environment = plain(checkout, HTTPS_PROXY=silent.url)
        argv = (sys.executable, checkout / "infra" / "bootstrap.py", "run")
        terminal = Terminal(argv, controlling=controlling, env=environment)
        try:
            wait_until(lambda: bool(silent.wanted), 60, what="pip to ask the registry")
            family = psutil.Process(terminal.process.pid).children(recursive=True)
            terminal.close()
            assert terminal.process.wait(NOTICED_SECONDS) == 1
            assert not any(process.is_running() for process in family)
        finally:
            terminal.end()


def test_a_reader_that_has_gone_changes_nothing(checkout: Path) -> None:
    argv = [sys.executable, str(checkout / "infra" / "bootstrap.py"), "run"]
    reading, writing = os.pipe()
    os.close(reading)
    environment = plain(checkout, HTTPS_PROXY="http://127.0.0.1:9")
    done = subprocess.run(argv, env=environment, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert done.returncode == 1
    assert "the connection was refused" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("streams", ["<&- >&- 2>&-", "</dev/null >/dev/full 2>&1"])
def test_as_cron_and_systemd_start_it(checkout: Path, streams: str) -> None:
    files = registry(checkout)
    authority = Authority(checkout)
    with Proxy(authority, files=files).serving() as proxy:
        environment = {"PATH": "/usr/bin:/bin", "HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(authority.file)}
        script = f"exec {shlex.quote(sys.executable)} {checkout}/infra/bootstrap.py run {streams}"
        cache = {"UV_NO_CACHE": "1", "PIP_NO_CACHE_DIR": "1", "PIP_CONFIG_FILE": os.devnull}
        done = subprocess.run(["/bin/sh", "-c", script], env=environment | cache, cwd="/")
    assert done.returncode == 0
    assert subprocess.check_output([checkout / ".venv" / "bin" / "tiny"]) == b"here\n"


def test_every_python_3_7_can_read_it() -> None:
    ast.parse((CHECKOUT / "infra" / "bootstrap.py").read_text(), feature_version=(3, 7))
