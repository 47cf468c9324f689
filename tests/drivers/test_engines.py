"""Engines: what is installed runs and does what a cluster needs, and what is on the machine is found."""

import dataclasses
import os
import platform
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from psycopg import sql

from baseplane.drivers.cluster import engines
from baseplane.drivers.cluster.engines import Engine

IS_ROOT = os.geteuid() == 0
DEFAULT_ROOT = "/var/lib/baseplane/engines" if IS_ROOT else "~/.local/share/baseplane/engines"
ROOT = Path(os.environ.get("BASEPLANE_ENGINES_DIR", DEFAULT_ROOT)).expanduser()
NOBODY = pwd.getpwnam("nobody")
PASSWORD = "a-password-of-the-test"
MAJORS = [recipe.major for recipe in engines.RECIPES]

needs_our_platform = pytest.mark.skipif(
    f"{sys.platform} {platform.machine()}" != "linux x86_64", reason="engines are installed on Linux x86-64 only"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    engine: Engine
    folder: Path
    port: int

    def run(self, program: str, *arguments: str | Path) -> None:
        """As an unprivileged user: Postgres refuses root."""
        who = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []} if IS_ROOT else {}
        # libpq looks for certificates in HOME, and fails where root's is closed.
        environment = {**os.environ, **self.engine.environment, "HOME": str(self.folder)}
        log = self.folder / "output"
        # Into a file: a pipe would stay open for as long as the server that pg_ctl leaves behind.
        with log.open("w") as output:
            done = subprocess.run(
                [self.engine.program(program), *arguments],
                check=False,
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **who,  # type: ignore[call-overload]
            )
        logged = self.folder / "log"
        assert done.returncode == 0, log.read_text() + (logged.read_text() if logged.exists() else "")

    def connect(self, **how: object) -> psycopg.Connection:
        where = {
            "host": str(self.folder),
            "port": self.port,
            "user": "admin",
            "password": PASSWORD,
            "dbname": "postgres",
        }
        return psycopg.connect(**{**where, **how}, autocommit=True)  # type: ignore[arg-type]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "server.key").chmod(0o600)


@pytest.fixture(params=MAJORS, scope="module")
def engine(request: pytest.FixtureRequest) -> Engine:
    return engines.install(request.param, ROOT, print)


@pytest.fixture(scope="module")
def server(engine: Engine) -> Iterator[Server]:
    # Not tmp_path: its parents are closed to other users, and a socket's path has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="bp"))
    (folder / "password").write_text(PASSWORD)
    write_certificate(folder)
    if IS_ROOT:
        for path in (folder, *folder.iterdir()):
            os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
    server = Server(engine, folder, free_port())
    data = folder / "data"
    try:
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
        login = ("--username=admin", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}")
        server.run("initdb", "--no-sync", *locale, *login, "-D", data)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(server.port),
            "unix_socket_directories": str(folder),
            "ssl": "on",
            "ssl_cert_file": str(folder / "server.crt"),
            "ssl_key_file": str(folder / "server.key"),
            "shared_preload_libraries": "pg_stat_statements",
            "shared_buffers": "16MB",
        }
        with (data / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        server.run("pg_ctl", "start", "-w", "-D", data, "-l", folder / "log")
        yield server
        server.run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", data)
    finally:
        shutil.rmtree(folder)


@needs_our_platform
def test_the_server_is_the_version_that_the_recipe_names(server: Server) -> None:
    with server.connect() as db:
        assert db.execute("show server_version").fetchone() == (server.engine.version,)


@needs_our_platform
def test_the_server_orders_text_without_the_system_s_locales(server: Server) -> None:
    with server.connect() as db:
        row = db.execute("select datlocprovider, datlocale from pg_database where datname = 'postgres'").fetchone()
    assert row == ("b", "C.UTF-8")


@needs_our_platform
@pytest.mark.parametrize("extension", engines.EXTENSIONS)
def test_every_promised_extension_can_be_created(server: Server, extension: str) -> None:
    with server.connect() as db:
        db.execute(sql.SQL("create extension if not exists {}").format(sql.Identifier(extension)))


@needs_our_platform
def test_every_extension_that_is_offered_can_be_created(server: Server) -> None:
    with server.connect() as db:
        db.execute("create database offered")
    with server.connect(dbname="offered") as db:
        offered = [name for (name,) in db.execute("select name from pg_available_extensions order by 1")]
        assert set(engines.EXTENSIONS) < set(offered)
        for name in offered:
            db.execute(sql.SQL("create extension if not exists {} cascade").format(sql.Identifier(name)))


@needs_our_platform
def test_uuids_are_generated(server: Server) -> None:
    with server.connect() as db:
        db.execute('create extension if not exists "uuid-ossp"')
        assert db.execute("select uuid_generate_v4() <> uuid_generate_v4()").fetchone() == (True,)


@needs_our_platform
def test_vectors_are_found_through_an_hnsw_index(server: Server) -> None:
    with server.connect() as db:
        db.execute("create extension if not exists vector")
        db.execute("create temp table item (id int, at vector(3))")
        db.execute("insert into item select i, array[i, i * i, 1]::vector from generate_series(1, 100) i")
        db.execute("create index on item using hnsw (at vector_l2_ops)")
        db.execute("set enable_seqscan = off")
        nearest = "select id from item order by at <-> '[7,49,1]' limit 1"
        assert "Index Scan" in str(db.execute(f"explain {nearest}").fetchall())
        assert db.execute(nearest).fetchone() == (7,)


@needs_our_platform
def test_a_foreign_table_reads_over_the_engine_s_own_libpq(server: Server) -> None:
    with server.connect() as db, db.transaction(force_rollback=True):
        db.execute("create extension if not exists postgres_fdw")
        options = sql.SQL("host {}, port {}, dbname 'postgres'").format(str(server.folder), str(server.port))
        login = sql.SQL("user 'admin', password {}").format(PASSWORD)
        db.execute(sql.SQL("create server itself foreign data wrapper postgres_fdw options ({})").format(options))
        db.execute(sql.SQL("create user mapping for admin server itself options ({})").format(login))
        db.execute(
            "create foreign table there (relname text) server itself options (schema_name 'pg_catalog', "
            "table_name 'pg_class')"
        )
        assert db.execute("select relname from there where relname = 'pg_class'").fetchone() == ("pg_class",)


@needs_our_platform
def test_a_connection_is_encrypted_and_the_certificate_verified(server: Server) -> None:
    certificate = str(server.folder / "server.crt")
    where = {"host": "localhost", "hostaddr": "127.0.0.1", "sslmode": "verify-full", "sslrootcert": certificate}
    with server.connect(**where) as db:
        row = db.execute("select ssl, version from pg_stat_ssl where pid = pg_backend_pid()").fetchone()
    assert row == (True, "TLSv1.3")


@needs_our_platform
def test_a_dump_is_taken_and_compressed(server: Server) -> None:
    dump = server.folder / "dump"
    url = f"postgresql://admin:{PASSWORD}@127.0.0.1:{server.port}/postgres?sslmode=require"
    server.run("pg_dump", "--format=custom", "--compress=zstd", f"--file={dump}", url)
    server.run("pg_restore", "--list", dump)


@needs_our_platform
def test_an_engine_needs_nothing_of_the_machine_but_its_c_library(engine: Engine) -> None:
    files = [*(engine.home / "bin").iterdir(), *(engine.home / "lib").glob("*.so*")]
    listing = subprocess.run(
        ["ldd", *files], check=True, capture_output=True, text=True, env={**os.environ, **engine.environment}
    ).stdout
    found = {line.split(" => ")[0].strip(): line.split(" => ")[1] for line in listing.splitlines() if " => " in line}
    outside = {name for name, place in found.items() if not place.startswith(str(engine.home))}
    assert "not found" not in listing
    assert outside <= {"libc.so.6", "libm.so.6", "libresolv.so.2", "libpthread.so.0", "libdl.so.2", "librt.so.1"}


@needs_our_platform
def test_every_user_may_read_an_engine(engine: Engine) -> None:
    for path in (engine.home, *engine.home.rglob("*")):
        assert path.stat().st_mode & 0o005 == (0o005 if path.is_dir() or path.parent.name == "bin" else 0o004)


@needs_our_platform
def test_an_installed_engine_is_picked_and_not_fetched_again(engine: Engine) -> None:
    said: list[str] = []
    assert engines.install(engine.major, ROOT, said.append) == engine
    assert said == []
    assert engine in engines.installed(ROOT)
    assert engines.pick(engine.major, ROOT) == engine


@needs_our_platform
@pytest.mark.parametrize(
    "layout",
    ["usr/lib/postgresql/{}", "usr/pgsql-{}", "opt/homebrew/opt/postgresql@{}", "usr/local/opt/postgresql@{}"],
)
def test_a_postgres_is_found_where_its_packager_put_it(layout: str, engine: Engine, tmp_path: Path) -> None:
    home = tmp_path / layout.format(engine.major)
    home.parent.mkdir(parents=True)
    home.symlink_to(engine.home)
    (found,) = engines.found(tmp_path)
    assert found == Engine(engine.major, engine.version, home, "found")
    assert found.environment == {}


def test_a_program_that_is_no_postgres_is_not_found(tmp_path: Path) -> None:
    for major, text in ((16, "#!/bin/sh\nexit 1\n"), (17, "#!/bin/sh\necho hello\n"), (18, "")):
        program = tmp_path / f"usr/lib/postgresql/{major}/bin/postgres"
        program.parent.mkdir(parents=True)
        program.write_text(text)
        program.chmod(0o755)
    assert engines.found(tmp_path) == []


def test_an_engine_that_is_not_there_is_missing_and_the_message_says_how_to_get_it(tmp_path: Path) -> None:
    missing = next((m for m in MAJORS if m not in {engine.major for engine in engines.found()}), None)
    if missing:
        with pytest.raises(engines.EngineMissing, match=f"baseplane engines install {missing}"):
            engines.pick(missing, tmp_path)
    with pytest.raises(engines.EngineMissing, match="package manager"):
        engines.pick(9, tmp_path)


def test_a_found_engine_is_picked_where_none_is_installed(tmp_path: Path) -> None:
    for engine in engines.found():
        assert engines.pick(engine.major, tmp_path).origin == "found"
