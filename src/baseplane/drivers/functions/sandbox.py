"""How Deno is called: for a function, which may do next to nothing, and to fetch what one imports."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from baseplane.drivers.functions import kernel
from baseplane.drivers.functions.confinement import EVERYTHING
from baseplane.drivers.functions.graph import ROOT
from baseplane.drivers.functions.places import Version
from baseplane.drivers.functions.program import Program
from baseplane.networks import address, is_public

NOT_PUBLIC = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4", "localhost", "[::]", "[::1]",
)  # fmt: skip
"""IANA's registry of special addresses. Deno compares them with what a name leads to, and with IPv4 inside of IPv6. It
has no networks of IPv6; the kernel's filter leaves a function without IPv6 (``kernel.sealed_calls``)."""
_MAIL = ("0.0.0.0/0:25", "0.0.0.0/0:587")
"""As on the platform: nobody sends spam from here."""
_PLAIN = {"DENO_NO_UPDATE_CHECK": "1", "DENO_NO_PACKAGE_JSON": "1", "NO_COLOR": "1"}
_OF_THE_MACHINE = (
    "DENO_AUTH_TOKENS", "DENO_CERT", "DENO_TLS_CA_STORE", "JSR_URL", "NODE_EXTRA_CA_CERTS", "SSL_CERT_DIR",
    "SSL_CERT_FILE",
)  # fmt: skip
_PREFIXES_OF_THE_MACHINE = ("NPM_CONFIG_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@dataclass(frozen=True, slots=True)
class Doors:
    """Sockets at which a function meets its own project: HTTP as the gateway serves it, and Postgres. Tenants' users
    must be able to connect to them; what they may do there is the doors' to know.
    """

    http: Path | None = None
    postgres: Path | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """``files`` as in Confinement."""

    arguments: list[str]
    environment: dict[str, str]
    folder: Path
    files: tuple[tuple[str, int], ...]


def run(program: Program, version: Version, socket: Path, doors: Doors, memory: int) -> Call:
    """Serve the version at ``socket``. ``memory`` is in bytes."""
    sockets = [str(path) for path in (socket, doors.http, doors.postgres) if path]
    heap = max(32, memory * 3 // 4 // 2**20)
    arguments = [
        *("deno", "run", "--quiet", "--no-prompt", "--no-lock", "--cached-only", "--no-code-cache"),
        *("--node-modules-dir=none", f"--config={version.configuration}", f"--preload={program.prelude}"),
        *("--allow-env", "--allow-net", f"--deny-net={','.join((*NOT_PUBLIC, *_MAIL, *_own_addresses()))}"),
        f"--allow-read={','.join((str(version.source), str(version.packages), *sockets))}",
        f"--allow-write={','.join(sockets)}",
        f"--v8-flags=--max-old-space-size={heap}",
        str(version.source / version.entrypoint),
    ]
    environment = {**_PLAIN, "DENO_DIR": str(version.cache), "DENO_SERVE_ADDRESS": f"unix:{socket}"}
    files = (
        (str(program.deno), kernel.READ | kernel.EXECUTE),
        *((str(path), kernel.READ) for path in (program.prelude, version.home)),
        (str(socket.parent), kernel.READ | kernel.MAKE_SOCK),
    )
    return Call(arguments, environment, version.home, files)


def _own_addresses() -> set[str]:
    """Those that are public; all others are refused anyway."""
    found = {nic.address for nics in psutil.net_if_addrs().values() for nic in nics if nic.family.name == "AF_INET"}
    return {text for text in found if is_public(address(text))}


def fetch(program: Program, version: Version, home: Path, *words: str) -> Call:
    """``deno WORDS`` on all of the version's modules, with the machine's own settings of registries. Runs no code of
    the function nor of what it imports.
    """
    arguments = [
        *("deno", *words, "--quiet", "--no-lock", "--node-modules-dir=none", f"--config={version.configuration}"),
        str(version.home / ROOT),
    ]
    machine = {
        name: value
        for name, value in os.environ.items()
        if name in _OF_THE_MACHINE or name.upper().startswith(_PREFIXES_OF_THE_MACHINE)
    }
    environment = {**machine, **_PLAIN, "DENO_DIR": str(version.cache), "HOME": str(home)}
    named = [path for name, paths in machine.items() if "CERT" in name for path in paths.split(":")]
    files = (
        (str(program.deno), kernel.READ | kernel.EXECUTE),
        *((path, kernel.READ) for path in ("/usr/share/ca-certificates", "/usr/local/share/ca-certificates", *named)),
        *((str(path), EVERYTHING & ~kernel.EXECUTE) for path in (version.cache, home)),
        (str(version.home), kernel.READ),
    )
    return Call(arguments, environment, version.home, files)


def tell(version: Version, environment: Mapping[str, str], doors: Doors) -> dict[str, Any]:
    """What the prelude is told. The project's addresses are those of its environment."""
    http, postgres = urlsplit(environment.get("SUPABASE_URL", "")), urlsplit(environment.get("SUPABASE_DB_URL", ""))
    return {
        "environment": {name: value for name, value in environment.items() if name != "DENO_SERVE_ADDRESS"},
        "node": version.node,
        "http": {"origin": f"{http.scheme}://{http.netloc}", "socket": str(doors.http)}
        if doors.http and http.netloc
        else None,
        "postgres": {"host": postgres.hostname, "port": postgres.port or 5432, "socket": str(doors.postgres)}
        if doors.postgres and postgres.hostname
        else None,
    }
