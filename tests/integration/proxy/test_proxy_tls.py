"""The proxy speaks TLS with the certificate it is given, and takes a renewed one without a stop."""

import datetime
import hashlib
import ipaddress
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from raw_client import HOST, BrokenOff, Client, head
from recording_origin import Asked, Origin, Peer, answer, fresh
from running_proxy import ROOT, RunningProxy, until

from tests.ports import free_port

MIB = 1024 * 1024
LARGE, PART = 50 * MIB, MIB // 4
GROWTH = 12 * MIB  # what the worker may grow by while it passes LARGE
FILES = ("chain.pem", "key.pem")


def _issue(folder: Path) -> ssl.SSLContext:
    """Put a new self-signed certificate and its key into `folder`; return what trusts it alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    names: list[x509.GeneralName] = [
        x509.DNSName(HOST),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / FILES[0]).write_bytes(chain)
    (folder / FILES[1]).write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return ssl.create_default_context(cadata=chain.decode())


def _options(folder: Path) -> tuple[str, ...]:
    return ("--certfile", str(folder / FILES[0]), "--keyfile", str(folder / FILES[1]))


@pytest.fixture
def issued(tmp_path: Path) -> Path:
    folder = tmp_path / "tls"
    folder.mkdir()
    return folder


def test_requests_come_over_tls_and_upstreams_are_told_so(
    start: Callable[..., RunningProxy], service: Origin, issued: Path
) -> None:
    trust = _issue(issued)
    running = start(options=_options(issued))
    path = fresh("/service/")
    with Client(running.port, trust) as client:
        assert client.ask("GET", path).status == 200
        assert client.ask("GET", path).status == 200
    assert {value for asked in service.asked(path) for value in asked.values(b"x-forwarded-proto")} == {
        b"https"
    }


def test_a_cookie_minted_over_tls_is_secure(start: Callable[..., RunningProxy], issued: Path) -> None:
    trust = _issue(issued)
    running = start(options=_options(issued))
    with Client(running.port, trust) as client:
        assert "Secure" in client.ask("GET", fresh("/canary10/")).value("Set-Cookie")


def test_a_client_without_tls_reaches_nobody(
    start: Callable[..., RunningProxy], service: Origin, issued: Path
) -> None:
    _issue(issued)
    running = start(options=_options(issued))
    path = fresh("/service/")
    with Client(running.port) as client, pytest.raises((BrokenOff, ConnectionResetError)):
        client.ask("GET", path)
    assert service.asked(path) == []


def test_large_bodies_pass_whole_both_ways(
    start: Callable[..., RunningProxy], service: Origin, issued: Path
) -> None:
    trust = _issue(issued)
    running = start(options=_options(issued))
    path, body = fresh("/moved/"), bytes(range(256)) * (4 * MIB // 256)

    def back(peer: Peer, asked: Asked) -> None:
        peer.send(answer(peer.body(asked)))

    service.scripted(path, back)
    with Client(running.port, trust) as client:
        assert hashlib.sha256(client.ask("POST", path, body=body).body).digest() == (
            hashlib.sha256(body).digest()
        )


def test_a_large_answer_waits_for_a_slow_reader_in_bounded_memory(
    start: Callable[..., RunningProxy], service: Origin, issued: Path
) -> None:
    trust = _issue(issued)
    running = start(options=_options(issued), workers=1)
    path, most = fresh("/service/"), 0
    left: list[int] = []

    def pouring(peer: Peer, asked: Asked) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE)
        for _ in range(LARGE // PART):
            peer.send(b"x" * PART)
            left.append(PART)

    def stalled() -> bool:
        nonlocal most
        before, most = most, len(left)
        return 0 < before == most < LARGE // PART

    service.scripted(path, pouring)
    with Client(running.port, trust) as client:
        before = running.resident_bytes()
        client.send(head("GET", path))
        client.head()
        until(stalled, "the upstream waits for the client")
        held = running.resident_bytes()
        for _ in range(LARGE // PART):
            client.take(PART)
    assert held - before < GROWTH


def test_a_truncated_answer_is_seen_as_one(
    start: Callable[..., RunningProxy], service: Origin, issued: Path
) -> None:
    trust = _issue(issued)
    running = start(options=_options(issued))
    path = fresh("/service/")

    def truncated(peer: Peer, asked: Asked) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
        peer.close()

    service.scripted(path, truncated)
    with Client(running.port, trust) as client:
        client.send(head("GET", path))
        client.head()
        assert client.chunk() == b"half"
        with pytest.raises((BrokenOff, ssl.SSLError, ConnectionResetError)):
            client.chunk()


def test_an_early_answer_reaches_a_client_that_sends_on(
    start: Callable[..., RunningProxy], service: Origin, issued: Path
) -> None:
    trust = _issue(issued)
    running = start(options=_options(issued))
    path = fresh("/moved/")
    answered = threading.Event()

    def too_large(peer: Peer, asked: Asked) -> None:
        peer.send(answer(b"too large", status="413 Content Too Large"))
        assert peer.sees_the_end()
        answered.set()
        peer.close()

    service.scripted(path, too_large)
    with Client(running.port, trust) as client:
        client.send(head("POST", path, f"Content-Length: {50 * MIB}") + b"x" * 1000)
        assert answered.wait(10)
        for _ in range(8):
            client.send(b"x" * (MIB // 4))
        assert client.answer("POST").body == b"too large"


def _reload(running: RunningProxy) -> None:
    before = running.pids()
    running.process.send_signal(signal.SIGHUP)
    until(lambda: len(running.pids() - before) == len(before), "new workers answer")
    until(lambda: not running.pids() & before, "the old ones do not")


def test_a_renewed_certificate_is_shown_after_a_reload(
    start: Callable[..., RunningProxy], issued: Path
) -> None:
    _issue(issued)
    running = start(options=_options(issued))
    trust = _issue(issued)
    with pytest.raises(ssl.SSLCertVerificationError):
        Client(running.port, trust)
    _reload(running)
    with Client(running.port, trust) as client:
        assert client.ask("GET", fresh("/service/")).status == 200


def test_a_bad_renewal_leaves_the_last_good_certificate(
    start: Callable[..., RunningProxy], issued: Path
) -> None:
    trust = _issue(issued)
    running = start(options=_options(issued))
    (issued / FILES[0]).write_text("no certificate")
    _reload(running)
    with Client(running.port, trust) as client:
        assert client.ask("GET", fresh("/service/")).status == 200
    assert "the certificate in force serves on" in running.log()


def _encrypted(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    hidden = serialization.BestAvailableEncryption(b"secret")
    (folder / FILES[1]).write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden)
    )


SPOIL: dict[str, Callable[[Path], object]] = {
    "gone": lambda folder: (folder / FILES[0]).unlink(),
    "no PEM": lambda folder: (folder / FILES[0]).write_text("no certificate"),
    "another's key": lambda folder: (folder / FILES[0]).write_bytes(_another(folder)),
    "encrypted key": _encrypted,
}


def _another(folder: Path) -> bytes:
    other = folder / "other"
    other.mkdir()
    _issue(other)
    return (other / FILES[0]).read_bytes()


@pytest.mark.parametrize("spoil", SPOIL)
def test_a_certificate_that_cannot_be_shown_is_refused_at_the_start(
    tmp_path: Path, issued: Path, spoil: str
) -> None:
    _issue(issued)
    SPOIL[spoil](issued)
    table = tmp_path / "routes.toml"
    table.write_text('version = 1\n[upstreams.monolith]\nurl = "http://127.0.0.1:1"\n')
    command = [sys.executable, "-m", "proxy", "--table", str(table), "--control", str(tmp_path / "control")]
    command += ["--bind", f"127.0.0.1:{free_port()}", *_options(issued)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"cannot use the certificate {issued / FILES[0]} with ")
    assert done.stderr.endswith("wanted a PEM chain and its unencrypted key\n")
    assert "Traceback" not in done.stderr
