"""A real `baseplane up` in a directory of its own, and the API as a script would call it."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

READY_WITHIN = 120  # seconds


@dataclass(frozen=True, slots=True)
class Installation:
    data_dir: Path
    facts: dict[str, Any]
    token: str
    http: httpx.Client
    slug: str

    def create(self, name: str, **fields: str) -> str:
        body = {"name": name, "db_pass": "correct horse", "organization_slug": self.slug, **fields}
        response = self.http.post("/v1/projects", json=body)
        response.raise_for_status()
        return str(response.json()["ref"])

    def await_status(self, ref: str, status: str, within: float = 60) -> None:
        """Ask every ten milliseconds; give up after so many seconds."""
        deadline = time.monotonic() + within
        while (seen := self.http.get(f"/v1/projects/{ref}").json()["status"]) != status:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{ref} is {seen}, not {status}")
            time.sleep(0.01)

    def secret(self, ref: str, name: str) -> str:
        """A sealed secret of the project, opened with the installation's own key."""
        import psycopg

        from baseplane.database.secrets import Keyring

        keyring = Keyring.parse((self.data_dir / "platform.key").read_text())
        with psycopg.connect((self.data_dir / "platform" / "url").read_text()) as db:
            row = db.execute(f"select {name} from projects where ref = %s".encode(), [ref]).fetchone()
        assert row is not None
        return keyring.open(row[0], f"projects.{name}:{ref}")


@contextlib.contextmanager
def running(**settings: str) -> Iterator[Installation]:
    """``settings`` are more variables of its environment."""
    data_dir = Path(tempfile.mkdtemp(prefix="bpbench-"))
    data_dir.chmod(0o711)
    environment = {
        **os.environ,
        "BASEPLANE_RATE_LIMIT": "0",
        "BASEPLANE_POSTGRES_PORT": "0",
        "BASEPLANE_POOLER_PORT": "0",
        "BASEPLANE_HTTP_PORT": "0",
        "BASEPLANE_HTTPS_PORT": "0",
        **settings,
        "BASEPLANE_OUTBOUND_ALLOW": "127.0.0.1/32",
    }
    command = [sys.executable, "-m", "baseplane", "up", "--data-dir", str(data_dir), "--listen", "127.0.0.1:0"]
    with (data_dir / "up.out").open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        yield _connect(data_dir, process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        shutil.rmtree(data_dir, ignore_errors=True)


def _connect(data_dir: Path, process: subprocess.Popen[bytes]) -> Installation:
    ready, deadline = data_dir / "ready.json", time.monotonic() + READY_WITHIN
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError((data_dir / "up.out").read_text())
        time.sleep(0.05)
    facts = json.loads(ready.read_text())
    token = Path(facts["access_token"]).read_text().strip()
    http = httpx.Client(base_url=facts["api_url"], headers={"Authorization": f"Bearer {token}"}, timeout=60)
    answer = http.get("/v1/organizations")
    assert answer.status_code == 200, answer.text
    slug = answer.json()[0]["slug"]
    return Installation(data_dir, facts, token, http, slug)
