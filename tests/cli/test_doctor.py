"""`baseplane doctor` on data directories in several states."""

import json
import os
import secrets
from pathlib import Path

import pytest
from click.testing import CliRunner

from baseplane.cli import main
from baseplane.cli.doctor import CHECKS
from baseplane.drivers import deno

RUNNING = "this installation is running on api 1"
LEFT = "is left from a `baseplane up` that was killed"


def findings(data_dir: Path) -> str:
    return CliRunner().invoke(main, ["doctor", "--data-dir", str(data_dir)]).output


@pytest.mark.parametrize("reused", [False, True])
def test_what_a_killed_installation_left_is_not_taken_for_a_running_one(tmp_path: Path, *, reused: bool) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text(json.dumps({"pid": os.getpid(), "ports": {"api": 1}}))
    found = findings(tmp_path)
    assert RUNNING in found
    assert LEFT not in found
    if reused:
        os.utime(ready, (1, 1))
    else:
        ready.write_text(json.dumps({"pid": 2**31 - 1, "ports": {"api": 1}}))
    found = findings(tmp_path)
    assert RUNNING not in found
    assert f"note  ports: {ready} {LEFT}" in found
    assert "(listen)" in found


def report(data_dir: Path, **settings: str) -> tuple[int, dict[str, str]]:
    """The exit code, and what was found of each topic, the last word on it."""
    env = {f"BASEPLANE_{name.upper()}": value for name, value in settings.items()}
    done = CliRunner().invoke(main, ["doctor", "--data-dir", str(data_dir)], env=env)
    lines = [line.partition(": ") for line in done.output.splitlines()]
    assert all(before.split()[0] in ("ok", "note", "FAIL") for before, _, _ in lines), done.output
    return done.exit_code, {before[6:]: f"{before[:4].strip()} {said}" for before, _, said in lines}


@pytest.fixture
def place(data_dir: Path) -> Path:
    """A data directory that is not there yet, where everybody may go."""
    return data_dir / secrets.token_hex(4)


def test_every_part_has_its_line(place: Path) -> None:
    code, found = report(place)
    assert set(found) == set(CHECKS)
    assert code == 0
    assert found["archive"] == (
        f"note {place}/archive is on the disk that it is to save; BASEPLANE_ARCHIVE names a better place."
    )
    assert found["platform database"] == "note it does not run; `baseplane up` starts it."
    assert found["key"].startswith(f"note keep a copy of {place}/platform.key elsewhere")
    assert not place.exists(), "looking makes nothing"


def test_the_clock_is_told_once_also_beside_a_platform_database(place: Path, platform: str) -> None:
    output = CliRunner().invoke(main, ["doctor", "--data-dir", str(place)], env={"BASEPLANE_DATABASE_URL": platform})
    assert output.output.count("  clock: ") == 1
    assert "  ok  platform database: PostgreSQL " in output.output
    assert "note  platform database: it is yours (BASEPLANE_DATABASE_URL), and so are its backups." in output.output


def test_a_machine_without_deno_is_told_what_it_cannot_do(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deno, "find", lambda: None)
    assert report(place)[1]["functions"].startswith("note /functions/v1 answers 503. There is no Deno")


@pytest.mark.parametrize(
    ("where", "code", "said"),
    [
        ("off", 0, "note off, so nothing is backed up"),
        ("s3://backups?endpoint=http://127.0.0.1:1", 1, "FAIL The archive does not say what it keeps"),
    ],
)
def test_an_archive_that_keeps_nothing_is_told_so(
    place: Path, where: str, code: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    found = report(place, archive=where)
    assert found[0] == code
    assert found[1]["archive"].startswith(said)
