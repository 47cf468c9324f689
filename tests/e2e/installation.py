"""An installation as its operator has it: `baseplane up` in a data directory, seen from outside."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
import psycopg

Found = TypeVar("Found")
PASSWORD = "correct horse"


def until(find: Callable[[], Found], within: float, what: str) -> Found:
    """The first true answer of ``find``."""
    deadline = time.monotonic() + within
    while not (found := find()):
        assert time.monotonic() < deadline, f"{what} took more than {within:g} seconds"
        time.sleep(0.02)
    return found


class Installation:
    def __init__(self, **environment: str) -> None:
        self.data_dir = Path(tempfile.mkdtemp(prefix="bp-e2e-"))
        self.data_dir.chmod(0o711)
        self.output = self.data_dir.with_suffix(".out")
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, name: str, *arguments: str) -> dict[str, Any]:
        """Arguments for subprocess."""
        zero = dict.fromkeys(("POSTGRES_PORT", "POOLER_PORT", "HTTP_PORT", "HTTPS_PORT", "RATE_LIMIT"), "0")
        variables = {f"BASEPLANE_{name}": value for name, value in {**zero, **self.environment}.items()}
        return {
            "args": [sys.executable, "-m", "baseplane", name, "--data-dir", str(self.data_dir), *arguments],
            "env": {**os.environ, **variables},
            "stdin": subprocess.DEVNULL,
        }

    def run(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command, to its end."""
        command = self.command(name, *arguments)
        return subprocess.run(**command, capture_output=True, text=True, timeout=120, check=False)

    def up(self) -> None:
        with self.output.open("ab") as output:
            command = self.command("up", "--listen", "127.0.0.1:0")
            self.process = subprocess.Popen(**command, stdout=output, stderr=output)
        process = self.process

        def is_ready() -> bool:
            assert process.poll() is None, self.output.read_text()
            with contextlib.suppress(FileNotFoundError):
                return bool(json.loads((self.data_dir / "ready.json").read_text())["pid"] == process.pid)
            return False

        until(is_ready, 90, "getting ready")

    def refused(self, listen: str = "127.0.0.1:0") -> str:
        """What another `up` on this directory says before it ends with an error."""
        done = self.run("up", "--listen", listen)
        assert done.returncode == 1, done.stdout
        return done.stderr

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def ready(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.data_dir / "ready.json").read_text())
        return facts

    def processes(self) -> dict[psutil.Process, list[str]]:
        """Every living process whose command line names the data directory, with that line."""
        alive = {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess):
                line = process.cmdline()
                if any(str(self.data_dir) in word for word in line) and process.status() != psutil.STATUS_ZOMBIE:
                    alive[process] = line
        return alive

    def part(self, name: str) -> int | None:
        """The pid of the part called ``name``."""
        found = [
            process.pid
            for process, line in self.processes().items()
            if line[1:4] == ["-m", "baseplane", name] or (Path(line[0]).name == name and line[1:2] == ["run"])
        ]
        return found[0] if found else None

    def kill_part(self, name: str) -> None:
        """End the part, and wait until another one has taken its place."""
        pid = self.part(name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.part(name) not in (None, pid), 15, f"starting the {name} again")

    def postmaster(self, ref: str) -> int:
        return int((self.data_dir / "clusters" / ref / "data" / "postmaster.pid").read_text().split()[0])

    def call(self, method: str, path: str, body: object = None, timeout: float = 10) -> httpx.Response:
        token = Path(self.ready["access_token"]).read_text().strip()
        url, headers = self.ready["api_url"] + path, {"Authorization": f"Bearer {token}"}
        return httpx.request(method, url, json=body, headers=headers, timeout=timeout)

    def answers(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return self.call("GET", "/v1/projects").status_code == 200
        return False

    def create_project(self) -> str:
        """The ref of a project that has been asked for."""
        slug = self.call("GET", "/v1/organizations").json()[0]["slug"]
        name = f"p{time.monotonic_ns()}"
        answer = self.call("POST", "/v1/projects", {"name": name, "db_pass": PASSWORD, "organization_slug": slug})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["ref"])

    def await_healthy(self, ref: str) -> str:
        """Wait for ACTIVE_HEALTHY and a session through the door; gives the ref."""
        until(lambda: self.status(ref) == "ACTIVE_HEALTHY" and self._serves(ref), 45, "getting healthy")
        return ref

    def status(self, ref: str) -> str:
        return str(self.call("GET", f"/v1/projects/{ref}").json().get("status"))

    def _serves(self, ref: str) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            return self.query(ref, "select 1") == [(1,)]
        return False

    def query(self, ref: str, statement: str) -> list[tuple[Any, ...]]:
        """Rows for role postgres through the public door."""
        with self.connect(ref) as db:
            cursor = db.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def connect(self, ref: str) -> psycopg.Connection[Any]:
        facts = self.ready
        return psycopg.connect(
            host="127.0.0.1", port=facts["ports"]["postgres"], user=f"postgres.{ref}", password=PASSWORD,
            dbname="postgres", sslmode="verify-ca", sslrootcert=facts["ca"], connect_timeout=5, autocommit=True,
        )  # fmt: skip

    def stop(self) -> None:
        """As its operator stops it: with Ctrl-C."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(timeout=60) == 0

    def end(self) -> None:
        """Leave nothing behind, whatever state a test left things in: `up` first, which would start parts again."""
        self.kill()
        shutil.rmtree(self.data_dir, ignore_errors=True)
        self.output.unlink(missing_ok=True)

    def kill(self) -> None:
        """End every process at once."""
        for process in [*([psutil.Process(self.pid)] if self._is_up() else []), *self.processes()]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self.process:
            self.process.wait()
        until(lambda: not self.processes(), 30, "ending")

    def _is_up(self) -> bool:
        return self.process is not None and self.process.poll() is None
