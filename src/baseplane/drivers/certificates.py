"""The platform's certificate authority: what TLS doors show to clients, who need only trust ``ca.pem``."""

import fcntl
import hashlib
import ipaddress
import os
import ssl
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFETIME = timedelta(days=3652)
LEAF_LIFETIME = timedelta(days=365)
RENEW_BEFORE = timedelta(days=30)
# A machine whose clock is behind ours must still find a fresh certificate valid.
CLOCK_SKEW = timedelta(days=1)


class Authority:
    """A CA kept in ``directory``: ``ca.pem``, ``ca.key`` and, below ``leaves``, what was issued to files.

    Several processes may share the directory; one object belongs to one thread. ``cached`` bounds the contexts kept.
    """

    def __init__(self, directory: Path, *, cached: int = 256, clock: Callable[[], datetime] | None = None) -> None:
        self.certificate = directory / "ca.pem"
        self._directory = directory
        self._clock = clock or (lambda: datetime.now(UTC))
        self._cached = cached
        self._contexts: OrderedDict[tuple[tuple[str, ...], tuple[str, ...]], tuple[datetime, ssl.SSLContext]]
        self._contexts = OrderedDict()
        self._ca, self._ca_key = self._load_or_create()
        self._session_key = ec.generate_private_key(ec.SECP256R1())

    def issue(self, names: Sequence[str]) -> tuple[Path, Path]:
        """The certificate and key files for these DNS names and IP addresses, renewed when under 30 days are left.

        The key stays the same over renewals, so that the pair fits together at every moment.
        """
        folder = self._directory / "leaves" / hashlib.sha256("\n".join(sorted(set(names))).encode()).hexdigest()[:32]
        certificate, key = folder / "cert.pem", folder / "key.pem"
        with self._locked():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not key.exists():
                _write(key, _key_pem(ec.generate_private_key(ec.SECP256R1())), 0o600)
            if not self._is_current(certificate):
                leaf = self._sign(names, _load_key(key))
                _write(certificate, leaf.public_bytes(serialization.Encoding.PEM), 0o644)
        return certificate, key

    def server_context(self, *names: str, alpn: Sequence[str] = ()) -> ssl.SSLContext:
        """A TLS 1.2+ server context for these names, from memory if it was asked for before.

        Its certificate is kept in no file: names may come from strangers (SNI), who must not be able to fill the disk.
        """
        wanted = (names, tuple(alpn))
        now = self._clock()
        if (known := self._contexts.get(wanted)) and known[0] - now > RENEW_BEFORE:
            self._contexts.move_to_end(wanted)
            return known[1]
        leaf = self._sign(names, self._session_key)
        context = bare_context(alpn)
        # The ssl module loads keys from files only.
        with tempfile.NamedTemporaryFile(dir=self._directory) as file:
            file.write(_key_pem(self._session_key) + leaf.public_bytes(serialization.Encoding.PEM))
            file.flush()
            context.load_cert_chain(file.name)
        self._contexts[wanted] = (leaf.not_valid_after_utc, context)
        self._contexts.move_to_end(wanted)
        if len(self._contexts) > self._cached:
            self._contexts.popitem(last=False)
        return context

    def _load_or_create(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        self._directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        key_file = self._directory / "ca.key"
        with self._locked():
            # The certificate is written last: where it is, the key is complete.
            if not self.certificate.exists():
                key = ec.generate_private_key(ec.SECP256R1())
                _write(key_file, _key_pem(key), 0o600)
                certificate = _self_signed(key, self._clock())
                _write(self.certificate, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
            return x509.load_pem_x509_certificate(self.certificate.read_bytes()), _load_key(key_file)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the directory against other processes; the kernel lets go if this one dies."""
        descriptor = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _is_current(self, certificate: Path) -> bool:
        try:
            leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
            leaf.verify_directly_issued_by(self._ca)
        except (FileNotFoundError, ValueError, InvalidSignature):
            return False
        return leaf.not_valid_after_utc - self._clock() > RENEW_BEFORE

    def _sign(self, names: Sequence[str], key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        now = self._clock()
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        return (
            _builder("Baseplane", key.public_key(), issuer=self._ca.subject, now=now)
            .not_valid_after(min(now + LEAF_LIFETIME, self._ca.not_valid_after_utc))
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(usage, critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._ca_key.public_key()), critical=False
            )
            .sign(self._ca_key, hashes.SHA256())
        )


def bare_context(alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """A server context without a certificate: TLS 1.2 and newer, no renegotiation, no resumption."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.num_tickets = 0
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def _self_signed(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    # The number tells two installations apart in a trust store.
    name = f"Baseplane CA {x509.random_serial_number() % 16**8:08x}"
    return (
        _builder(name, key.public_key(), issuer=None, now=now)
        .not_valid_after(now + AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _builder(
    common_name: str, key: ec.EllipticCurvePublicKey, *, issuer: x509.Name | None, now: datetime
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} holds no elliptic curve key")
    return key


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write a whole file or none. It is private from its first byte on."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    Path(temporary).replace(path)
