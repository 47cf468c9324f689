"""The platform's certificate authority, checked by OpenSSL through Python's ssl module."""

import ssl
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from baseplane.drivers.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


def handshake(server: ssl.SSLContext, trusted: Path, name: str) -> ssl.SSLObject:
    """Both ends in memory; raises what the client finds wrong."""
    client_in, server_in = ssl.MemoryBIO(), ssl.MemoryBIO()
    client_context = ssl.create_default_context(cafile=trusted)
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    client = client_context.wrap_bio(client_in, server_in, server_hostname=name)
    serving = server.wrap_bio(server_in, client_in, server_side=True)
    for _ in range(3):
        for end in (client, serving):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return client


def lifetime(certificate: Path) -> timedelta:
    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    return loaded.not_valid_after_utc - datetime.now(UTC)


def test_the_key_is_private_and_the_certificate_is_not(authority: Authority, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "ca/ca.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(authority.certificate.stat().st_mode) == 0o644
    assert timedelta(days=3640) < lifetime(authority.certificate) < timedelta(days=3660)


def test_a_second_start_finds_the_same_authority(authority: Authority, tmp_path: Path) -> None:
    before = authority.certificate.read_bytes()
    assert Authority(tmp_path / "ca").certificate.read_bytes() == before


def test_processes_that_start_at_once_agree_on_one_authority(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from baseplane.drivers.certificates import Authority;"
        "print(Authority(Path(sys.argv[1])).certificate.read_text())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "ca")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(6)]
    assert len({process.communicate()[0] for process in running}) == 1
    assert all(process.returncode == 0 for process in running)


def test_a_start_after_a_crash_between_key_and_certificate_makes_both(tmp_path: Path) -> None:
    (tmp_path / "ca.key").write_text("half")
    authority = Authority(tmp_path)
    handshake(authority.server_context("a.test"), authority.certificate, "a.test")


@pytest.mark.parametrize("name", ["db.abc.sb.test", "127.0.0.1", "::1"])
def test_clients_that_trust_the_authority_trust_its_names(authority: Authority, name: str) -> None:
    context = authority.server_context("db.abc.sb.test", "127.0.0.1", "::1")
    assert handshake(context, authority.certificate, name).version() == "TLSv1.3"


def test_another_name_is_not_trusted(authority: Authority) -> None:
    context = authority.server_context("a.test")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(context, authority.certificate, "b.test")


def test_another_authority_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(authority.server_context("a.test"), other.certificate, "a.test")


def test_issued_files_serve_and_stay_until_renewal(authority: Authority) -> None:
    certificate, key = authority.issue(["a.test", "10.0.0.1"])
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    handshake(context, authority.certificate, "10.0.0.1")
    before = certificate.read_bytes()
    assert authority.issue(["10.0.0.1", "a.test"]) == (certificate, key)
    assert certificate.read_bytes() == before


@pytest.fixture
def clock() -> list[datetime]:
    return [datetime.now(UTC)]


def test_certificates_are_renewed_when_under_30_days_are_left(tmp_path: Path, clock: list[datetime]) -> None:
    authority = Authority(tmp_path, clock=lambda: clock[0])
    certificate, key = authority.issue(["a.test"])
    context = authority.server_context("a.test")
    key_before, leaf_before = key.read_bytes(), certificate.read_bytes()
    clock[0] += timedelta(days=330)
    assert authority.issue(["a.test"]) == (certificate, key)
    assert certificate.read_bytes() == leaf_before
    assert authority.server_context("a.test") is context
    clock[0] += timedelta(days=10)
    authority.issue(["a.test"])
    assert certificate.read_bytes() != leaf_before
    assert key.read_bytes() == key_before
    assert authority.server_context("a.test") is not context


def test_a_leaf_of_an_earlier_authority_is_replaced(tmp_path: Path) -> None:
    before = Authority(tmp_path).issue(["a.test"])[0].read_bytes()
    (tmp_path / "ca.pem").unlink()
    assert Authority(tmp_path).issue(["a.test"])[0].read_bytes() != before


def test_contexts_are_kept_in_bounded_number_and_leave_no_files(tmp_path: Path) -> None:
    authority = Authority(tmp_path, cached=2)
    first = authority.server_context("a.test")
    assert authority.server_context("a.test") is first
    authority.server_context("b.test")
    authority.server_context("c.test")
    assert authority.server_context("a.test") is not first
    assert {file.name for file in tmp_path.iterdir()} == {"ca.pem", "ca.key", "lock"}


def test_old_tls_is_refused(authority: Authority) -> None:
    assert authority.server_context("a.test").minimum_version is ssl.TLSVersion.TLSv1_2
