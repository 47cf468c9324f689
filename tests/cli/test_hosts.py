"""`baseplane hosts` in a hosts file of the test's own."""

import asyncio
from pathlib import Path

import pytest
from click import ClickException
from click.testing import CliRunner

from baseplane.cli import main
from baseplane.cli.hosts import block, put
from tests.conftest import Client
from tests.resources.replicas import set_up

HOST = "sb.test"
A, B = "a" * 20, "b" * 20


def text(*refs: str) -> str:
    return block(HOST, "127.0.0.1", list(refs))


def test_every_project_and_the_pooler_have_names() -> None:
    lines = text(A).splitlines()[1:-1]
    assert lines == ["127.0.0.1 pooler.sb.test", f"127.0.0.1 db.{A}.sb.test {A}.sb.test"]


@pytest.mark.parametrize("rest", [b"", b"127.0.0.1 localhost\n", b"\xff\r\n::1\tlocalhost # no newline"])
def test_all_else_stays_byte_for_byte(tmp_path: Path, rest: bytes) -> None:
    path = tmp_path / "hosts"
    path.write_bytes(rest)
    path.chmod(0o640)
    assert put(path, HOST, text(A))
    assert not put(path, HOST, text(A))
    path.write_bytes(path.read_bytes() + b"10.0.0.1 later\n")
    assert put(path, HOST, text(B))
    after = path.read_bytes()
    assert after.startswith(rest)
    assert after.endswith(text(B).encode() + b"10.0.0.1 later\n")
    assert A.encode() not in after
    assert path.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["hosts"]


def test_installations_keep_to_their_own_blocks(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    put(path, HOST, text(A))
    put(path, "other.test", block("other.test", "127.0.0.1", [B]))
    put(path, HOST, text())
    assert path.read_text() == text() + block("other.test", "127.0.0.1", [B])


def test_a_file_that_is_missing_is_made(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    assert put(path, HOST, text(A))
    assert path.read_text() == text(A)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("")
    (tmp_path / "hosts").symlink_to(tmp_path / "real")
    put(tmp_path / "hosts", HOST, text(A))
    assert (tmp_path / "hosts").is_symlink()
    assert (tmp_path / "real").read_text() == text(A)


@pytest.mark.parametrize("broken", ["# baseplane sb.test: begin\n", "# baseplane sb.test: end\n", text(A) + text(B)])
def test_a_broken_block_is_not_touched(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "hosts"
    path.write_text(broken)
    with pytest.raises(ClickException, match="broken block"):
        put(path, HOST, text(A))
    assert path.read_text() == broken


async def test_the_names_are_those_of_projects_that_are_there(api: Client, platform: str, tmp_path: Path) -> None:
    kept, gone = [(await api.create_project())["ref"] for _ in range(2)]
    await api.drain()
    replica = await set_up(api, kept)
    await api.call("DELETE", f"/v1/projects/{gone}")
    await api.drain()
    environment = {"BASEPLANE_DATABASE_URL": platform, "BASEPLANE_DATA_DIR": str(tmp_path)}

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(main, ["hosts", *arguments], env=environment)
        assert done.exit_code == 0, done.output
        return done.output

    printed = await asyncio.to_thread(run)
    assert f"db.{kept}.baseplane.test {kept}.baseplane.test\n" in printed
    assert f"db.{replica}.baseplane.test {replica}.baseplane.test\n" in printed
    assert gone not in printed
    file = tmp_path / "hosts"
    await asyncio.to_thread(run, "--write", "--file", str(file))
    assert file.read_text() == printed
