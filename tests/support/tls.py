"""A company's network in small: a CA of its own, and a proxy that opens every encrypted connection and seals it anew.

Whatever a client wants to fetch, through `HTTPS_PROXY`, is answered by the proxy itself, from a table.
"""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
Answer = tuple[int, bytes]
"""Status and body."""


class Authority:
    """A CA; `file` is its certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a company's own CA")])
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        certificate = (
            _builder(self._name, self._name, self._key.public_key(), NOW + DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / "ca.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def context(self, host: str, expires: datetime.datetime) -> ssl.SSLContext:
        """What a server needs to be taken for this host."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server(host, expires))
        return context

    def server(self, host: str, expires: datetime.datetime = NOW + DAY) -> Path:
        """The same as a file: key and certificate."""
        file = self._folder / f"server-{host}.pem"
        key, certificate = self._issued("a server", expires, host)
        file.write_bytes(_pem(key) + certificate.public_bytes(serialization.Encoding.PEM))
        return file

    def member(self, name: str, *hosts: str) -> Path:
        """A file with key and certificate of several servers at these hosts, which also sign in to each other by it, as
        this name."""
        file = self._folder / f"member-{name}.pem"
        key, certificate = self._issued(name, NOW + DAY, *hosts, client=True)
        file.write_bytes(_pem(key) + certificate.public_bytes(serialization.Encoding.PEM))
        return file

    def client(
        self, name: str, expires: datetime.datetime = NOW + DAY, password: str | None = None
    ) -> tuple[Path, Path]:
        """Files with certificate and key of a client of that name; the key encrypted where there is a password."""
        key, certificate = self._issued(name, expires, client=True)
        mark = f"client-{name}-{expires:%Y%m%d}-{'open' if password is None else 'sealed'}"
        files = self._folder / f"{mark}.crt", self._folder / f"{mark}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(_pem(key, password))
        return files

    def _issued(
        self, name: str, expires: datetime.datetime, *hosts: str, client: bool = False
    ) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        uses = [ExtendedKeyUsageOID.SERVER_AUTH] * bool(hosts) + [ExtendedKeyUsageOID.CLIENT_AUTH] * client
        builder = _builder(subject, self._name, key.public_key(), expires)
        if hosts:
            names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        return key, builder.add_extension(issuer, critical=False).sign(self._key, hashes.SHA256())


def _pem(key: ec.EllipticCurvePrivateKey, password: str | None = None) -> bytes:
    sealed: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        sealed = serialization.BestAvailableEncryption(password.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed)


def _builder(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, expires: datetime.datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(NOW - 30 * DAY).not_valid_after(expires)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


@dataclass(slots=True)
class Proxy:
    """How it behaves. `connect`: what it answers to a client that wants to be connected; None: nothing, ever.
    `certified`: the host in its certificates, the wanted one by default. `files`: what it serves, by the end of a
    path; `status` for the rest."""

    authority: Authority
    connect: int | None = 200
    expires: datetime.datetime = NOW + DAY
    certified: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    status: int = 404
    port: int = 0
    wanted: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """For HTTPS_PROXY."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def serving(self) -> Iterator[Proxy]:
        """It, listening."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.port = listening.getsockname()[1]
            threading.Thread(target=self._accept, args=(listening,), daemon=True).start()
            yield self
            listening.shutdown(socket.SHUT_RDWR)

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):  # closed: the test has ended
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):  # a client that trusts nobody hangs up
            head = _head(connection)
            host = head.split()[1].decode().rpartition(":")[0]
            self.wanted.append(host)
            if self.connect is None:
                connection.recv(1)
                return
            extra = b"Proxy-Authenticate: Basic realm=x\r\n" if self.connect == 407 else b""
            connection.sendall(b"HTTP/1.1 %d .\r\n%sContent-Length: 0\r\n\r\n" % (self.connect, extra))
            if self.connect == 200:
                context = self.authority.context(self.certified or host, self.expires)
                with context.wrap_socket(connection, server_side=True) as sealed:
                    while request := _head(sealed):
                        self._answer(sealed, request.split()[1].decode())

    def _answer(self, sealed: ssl.SSLSocket, path: str) -> None:
        self.wanted.append(path)
        body = next((body for end, body in self.files.items() if path.endswith(end)), None)
        status = self.status if body is None else 200
        kind = b"text/html" if path.endswith("/") else b"application/octet-stream"
        body = body or b""
        sealed.sendall(
            b"HTTP/1.1 %d .\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (status, kind, len(body), body)
        )


def _head(connection: socket.socket) -> bytes:
    """A request as far as its first empty line; empty at the end of the connection."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return b""
        head += byte
    return head
