"""Why Valkey cannot be used: the one true cause, told apart on a real server, behind TLS too."""

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ops.local.embedded.postgres import EmbeddedPostgres
from storage.reachability import Cause
from storage.valkey.obstacles import find_obstacle


def find_cause(url: str) -> Cause | None:
    """The cause, if there is an obstacle."""
    obstacle = find_obstacle(url, name="CARILLON_VALKEY_URL", seconds=2.0)
    return None if obstacle is None else obstacle.cause


def find_place(url: str) -> str:
    """The host and the port of `url`."""
    return urlsplit(url).netloc.rpartition("@")[2]


def test_every_cause_is_told_apart(valkey_url: str) -> None:
    """A wrong password, none, a database that does not exist, an unknown host and a dead server are five causes."""
    assert find_cause(valkey_url) is None
    place = find_place(valkey_url)
    causes = {
        Cause.WRONG_PASSWORD: f"redis://:wrong@{place}/0",
        Cause.NO_PASSWORD: f"redis://{place}/0",
        Cause.UNKNOWN_DATABASE: valkey_url.replace("/0", "/99"),
        Cause.UNKNOWN_HOST: "redis://no.such.invalid:6379/0",
        Cause.NOBODY_LISTENS: "redis://127.0.0.1:1/0",
        Cause.NO_TLS: f"rediss://{place}/0",
        Cause.MALFORMED: "http://localhost",
    }
    assert {cause: find_cause(url) for cause, url in causes.items()} == {one: one for one in causes}


def test_another_kind_of_server_does_not_pass(postgres: EmbeddedPostgres) -> None:
    """A server that does not speak our protocol is named as such."""
    assert find_cause(f"redis://{find_place(postgres.url)}/0") is Cause.WRONG_SERVER


@contextmanager
def speak_tls(folder: Path, behind: str) -> Iterator[int]:
    """The port of a proxy with a certificate of its own making in front of the server at `behind`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_make_certificate(folder))
    host, _, port = behind.rpartition(":")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    taken, _ = listener.accept()
                    with suppress(OSError), context.wrap_socket(taken, server_side=True) as inner:
                        _pass_on(inner, (host, int(port)))

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def _pass_on(inner: socket.socket, place: tuple[str, int]) -> None:
    with socket.create_connection(place) as outer:
        while data := inner.recv(4096):
            outer.sendall(data)
            inner.sendall(outer.recv(4096))


def _make_certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize(
    ("scheme", "options", "cause"),
    [
        ("redis", "", Cause.TLS_WANTED),
        ("rediss", "", Cause.BAD_CERTIFICATE),
        ("rediss", "?ssl_ca_certs={certificate}", None),
    ],
)
def test_tls_is_told_from_everything_else(
    valkey_url: str, tmp_path: Path, scheme: str, options: str, cause: Cause | None
) -> None:
    """A server that wants TLS is no dead one, and a certificate that is not trusted is no wrong password."""
    password = urlsplit(valkey_url).password
    with speak_tls(tmp_path, find_place(valkey_url)) as port:
        more = options.format(certificate=tmp_path / "certificate.pem")
        assert find_cause(f"{scheme}://:{password}@localhost:{port}/0{more}") is cause
