"""Operator settings: defaults here, then ``settings.toml`` in the data directory, then ``BASEPLANE_*`` variables."""

import os
import tomllib
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from baseplane.networks import parse_allowed

IS_ROOT = os.geteuid() == 0


def _share(name: str) -> Path:
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path("/var/lib") / name if IS_ROOT else Path(home) / name


class Settings(BaseSettings):
    """Every field may be set as ``BASEPLANE_<NAME>`` or, in lower case, in ``settings.toml``."""

    model_config = SettingsConfigDict(env_prefix="BASEPLANE_", extra="forbid", frozen=True)

    data_dir: Path = Field(default_factory=lambda: _share("baseplane"))
    """Everything this installation owns: platform database, clusters, keys, logs."""
    engines_dir: Path = Field(default_factory=lambda: _share("baseplane") / "engines")
    """Unpacked Postgres engines; shared by all installations of the machine."""
    listen: str = "127.0.0.1:8080"
    """Where the API is served, HOST:PORT."""
    public_url: str | None = None
    """How clients reach the API when that is not http://<listen>, for instance behind a TLS proxy."""
    ingress_host: str = "127.0.0.1"
    """The address that the Postgres and HTTP doors bind, and at which the other parts reach them."""
    database_url: SecretStr | None = None
    """The platform database. Unset, `baseplane up` runs one in the data directory."""
    platform_key: SecretStr | None = None
    """Keys that encrypt secrets, as in DIR/platform.key; unset, that file is used."""
    artifacts: str = ""
    """Where files of users are kept that are no database: a directory or s3://bucket/prefix?endpoint=https://…&region=…;
    unset, a directory below the data directory."""
    artifacts_key_id: str = ""
    artifacts_secret: SecretStr = SecretStr("")
    """Credentials of the bucket; unset, the usual AWS_* variables."""
    rate_limit: int = Field(60, ge=0)
    """Requests a minute and user; 0 is off."""
    rate_limit_storage: str = "memory://"
    """Where requests are counted: memory:// for one API process, redis:// or valkey:// for several."""
    project_host: str = "baseplane.test"
    """Domain below which projects are addressed: db.<ref>.<project_host>."""
    project_url: str = ""
    """How projects are reached over HTTP: https://{ref}.example.com; unset, by path at the gateway's port."""
    postgres_port: int = Field(5432, ge=0, le=65535)
    pooler_port: int = Field(6543, ge=0, le=65535)
    http_port: int = Field(8000, ge=0, le=65535)
    https_port: int = Field(443 if IS_ROOT else 8443, ge=0, le=65535)
    acme_email: str = ""
    """Set, projects' hosts get certificates from ``acme_directory``, which must reach them on port 443."""
    acme_directory: str = "https://acme-v02.api.letsencrypt.org/directory"
    http_user: str = "baseplane-http"
    """The system user that runs Caddy when Baseplane runs as root."""
    engine: int = 17
    """The Postgres major of new projects."""
    postgres_user: str = "baseplane-pg"
    """The system user that runs Postgres when Baseplane runs as root."""
    functions_uid: int = Field(0, ge=0, le=2_147_000_000)
    """As root, functions run as users of their own, without names: 65,536 numbers from this one on; 0 chooses them."""
    functions_max: int = Field(200, gt=0)
    """Processes of functions that a gateway keeps at a time."""
    regions: tuple[str, ...] = ()
    """Region codes on offer; empty means all."""
    sizes: tuple[str, ...] = ()
    """Compute sizes on offer; empty means all."""
    query_timeout: float = Field(60, gt=0)
    """Seconds that SQL sent through the API may run."""
    query_max_rows: int = Field(100_000, gt=0)
    query_max_bytes: int = Field(32 * 1024 * 1024, gt=0)
    """Limits of one query's answer."""
    advisors_all: bool = False
    """Answer advisors with lints, too, whose names the contract does not list; strict clients refuse these."""
    upgrades_all: bool = False
    """List versions of Postgres as targets of an upgrade, too, that the contract does not know, such as 18."""
    migration_timeout: float = Field(600, gt=0)
    """Seconds that a migration may run."""
    migration_lock_timeout: float = Field(10, gt=0)
    """Seconds that a migration waits for a lock that others hold, and for a migration before it."""
    max_body: int = Field(10 * 1024 * 1024, gt=0)
    """Bytes of a request body."""
    sleep_after: float = Field(0, ge=0)
    """Minutes without a connection after which a project's cluster is stopped, to be woken by the next; 0 is never."""
    disk_size: float = Field(8, gt=0)
    """Gigabytes (of 2**30 bytes) that a project may take on disk, until it is given more."""
    disk_max_size: float = Field(64, gt=0)
    """Gigabytes to which a project's disk may be made larger, by its users or by growing on its own."""
    archive: str = ""
    """Where backups and the write-ahead log go: a directory or s3://bucket/prefix?endpoint=…; unset, DIR/archive; or off."""
    archive_rpo: float = Field(60, ge=2)
    """Seconds of work that may be outside the archive when a cluster and its directory are lost."""
    archive_encrypt: bool = True
    """Encrypt what is archived, with keys that the platform key seals."""
    backup_retention: float = Field(7, gt=0)
    """Days back to which projects can be brought."""
    backup_full_every: float = Field(7, gt=0)
    """Days between two full backups of a project; increments are taken between them where that pays."""
    backup_incremental_from: float = Field(1, ge=0)
    """Gigabytes of data from which on increments are taken. It costs a project 1.6 MB of memory."""
    backup_drill_every: float = Field(7, ge=0)
    """Days after which the newest backup of a project is brought back aside and checked; 0 is never."""
    restore_grace: float = Field(24, ge=0)
    """Hours that the data before a restore stays on disk."""
    login_role_ttl: int = Field(3600, gt=0, le=86_400)
    """Seconds that a role which the CLI asks for lives, with its sessions."""
    outbound_allow: str = ""
    """Addresses beside the public ones that tenants' webhooks may call: 10.0.0.0/8,127.0.0.1:9000."""
    ban_after: int = Field(10, ge=0)
    """Failed logins to a project's database after which their address is banned from it; 0 is never."""
    ban_within: float = Field(10, gt=0, le=60 * 24 * 7)
    """Minutes in which they must have failed."""
    ban_for: float = Field(10, gt=0, le=60 * 24 * 365)
    """Minutes that a ban lasts."""
    ban_never: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks whose addresses are never banned, such as those of load balancers and of API processes elsewhere."""
    trusted_proxies: int = Field(0, ge=0)
    """How many reverse proxies stand before the API, each of which appends its client to X-Forwarded-For."""
    worker_concurrency: int = Field(8, gt=0)
    """Runs that one worker process carries on at a time."""
    log_level: str = "INFO"

    @field_validator("data_dir", "engines_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("listen")
    @classmethod
    def _has_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            message = f"{value!r} is not HOST:PORT, such as 127.0.0.1:8080"
            raise ValueError(message)
        return value

    @field_validator("project_url")
    @classmethod
    def _names_the_project(cls, value: str) -> str:
        if value and "{ref}" not in value:
            message = f"{value!r} does not say where {{ref}} goes, such as https://{{ref}}.example.com"
            raise ValueError(message)
        return value.rstrip("/")

    @field_validator("outbound_allow")
    @classmethod
    def _names_networks(cls, value: str) -> str:
        parse_allowed(value)
        return value

    @property
    def listen_host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def listen_port(self) -> int:
        return int(self.listen.rpartition(":")[2])

    @property
    def api_url(self) -> str:
        return (self.public_url or f"http://{self.listen}").rstrip("/")

    @property
    def door_address(self) -> str:
        """At what this machine reaches the doors: ``ingress_host``, unless that is every address."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.ingress_host, self.ingress_host)  # noqa: S104

    @property
    def door_host(self) -> str:
        """The same as it stands in a URL."""
        return f"[{self.door_address}]" if ":" in self.door_address else self.door_address

    def url_of(self, ref: str) -> str:
        """Where the project is reached over HTTP."""
        url = self.project_url or f"http://{self.door_host}:{self.http_port}/{{ref}}"
        return url.replace("{ref}", ref)

    @classmethod
    def load(cls, **given: object) -> Self:
        """Read the settings; ``given`` wins over everything. Raises pydantic.ValidationError, tomllib.TOMLDecodeError."""
        given = {name: value for name, value in given.items() if value is not None}
        file = Path(cls(**given).data_dir) / "settings.toml"  # type: ignore[arg-type]
        if not file.is_file():
            return cls(**given)  # type: ignore[arg-type]
        from_file = tomllib.loads(file.read_text())
        from_environment = {name for name in from_file if f"BASEPLANE_{name.upper()}" in os.environ}
        return cls(**{**{k: v for k, v in from_file.items() if k not in from_environment}, **given})
