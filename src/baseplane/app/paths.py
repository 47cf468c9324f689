"""What lies where below the data directory."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """What lies where below the data directory."""

    root: Path

    @property
    def key(self) -> Path:
        return self.root / "platform.key"

    @property
    def authority(self) -> Path:
        return self.root / "ca"

    @property
    def access_token(self) -> Path:
        return self.root / "access-token"

    @property
    def profile(self) -> Path:
        return self.root / "supabase-profile.yaml"

    @property
    def ready(self) -> Path:
        return self.root / "ready.json"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def caddy(self) -> Path:
        return self.root / "caddy"

    @property
    def recovery(self) -> Path:
        """There while a recovery after the loss of a machine has not come to its end."""
        return self.root / "recovery.json"

    def log_of(self, part: str) -> Path:
        return self.caddy / "caddy.log" if part == "caddy" else self.logs / f"{part}.log"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def database_url(self) -> Path:
        """Written by `baseplane up`, for commands that speak to the platform database it runs."""
        return self.root / "platform" / "url"
