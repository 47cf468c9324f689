"""`baseplane doctor` on data directories in several states."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from baseplane.cli import main

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
    assert "(listen) is" in found


def test_it_is_told_where_backups_are_and_whose_the_platform_databases_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"they are in {tmp_path / 'archive'}, and are lost with this machine's disk" in findings(tmp_path)
    monkeypatch.setenv("BASEPLANE_ARCHIVE", str(tmp_path / "elsewhere"))
    assert "are lost with" not in findings(tmp_path)
    assert f"keep a copy of {tmp_path / 'platform.key'} elsewhere" in findings(tmp_path)
    monkeypatch.setenv("BASEPLANE_DATABASE_URL", f"postgresql:///none?host={tmp_path}")
    assert "it is yours (BASEPLANE_DATABASE_URL), and so are its backups" in findings(tmp_path)
