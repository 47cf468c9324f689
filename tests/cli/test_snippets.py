"""`baseplane snippet`. Not async: each command runs a loop of its own."""

import asyncio
import os
import secrets
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from baseplane.cli import main
from baseplane.database import Database
from baseplane.database.secrets import Keyring
from baseplane.resources.organizations import store as organizations
from baseplane.resources.projects import store as projects

EMAIL = f"{secrets.token_hex(6)}@example.test"


def run(*arguments: str, given: bytes = b"") -> Result:
    return CliRunner().invoke(main, arguments, input=given)


async def _insert_project(url: str, slug: str) -> str:
    async with Database(url, max_size=1) as database, database.transaction() as db:
        fields = {"name": "shop", "region": "local", "size": "micro", "engine": 17, "password": "correct horse"}
        project = await projects.insert(db, Keyring([os.urandom(32)]), organization_slug=slug, **fields)
        return project.ref


@pytest.fixture
def ref(platform: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A project of an organization that EMAIL owns."""
    monkeypatch.setenv("BASEPLANE_DATABASE_URL", platform)
    slug = organizations.new_slug()
    run("user", "create", EMAIL)
    run("org", "create", "Shop", "--owner", EMAIL, "--slug", slug)
    return asyncio.run(_insert_project(platform, slug))


def add(ref: str, *arguments: str, given: bytes = b"select 1", email: str = EMAIL) -> Result:
    return run("snippet", "add", *arguments, "--project", ref, "--user", email, "--name", "orders", given=given)


def test_a_snippet_is_added_from_standard_input_listed_and_removed(ref: str) -> None:
    made = add(ref, "--visibility", "org", "--favorite", "--description", "all of them").output.strip()
    (line,) = run("snippet", "list", "--project", ref).output.splitlines()
    assert line.split() == [made, ref, "org", EMAIL, "orders"]
    assert run("snippet", "remove", made).output == f"snippet {made} is gone\n"
    assert run("snippet", "list", "--project", ref).output == ""
    assert "There is no snippet" in run("snippet", "remove", made).output


def test_a_snippet_is_added_from_a_file(ref: str, tmp_path: Path) -> None:
    path = tmp_path / "orders.sql"
    path.write_text("select 'ä'", encoding="utf-8")
    assert add(ref, str(path)).exit_code == 0
    assert add(ref, str(tmp_path / "nowhere.sql")).exit_code == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [(b"", "is empty"), (b" \n", "is empty"), (b"\xff", "not UTF-8"), (b"a\0", "null"), (b"x" * 1048577, "larger")],
)
def test_what_cannot_be_kept_is_refused(ref: str, given: bytes, said: str) -> None:
    refused = add(ref, given=given)
    assert refused.exit_code == 2
    assert said in refused.output


def test_a_snippet_needs_a_project_that_its_owner_has(ref: str) -> None:
    other = f"{secrets.token_hex(6)}@example.test"
    run("user", "create", other)
    assert f"{other} has no project {ref}" in add(ref, email=other).output
    assert f"{EMAIL} has no project {'a' * 20}" in add("a" * 20).output
    assert "There is no user" in add(ref, email="nobody@example.test").output
    assert "There is no snippet" in run("snippet", "remove", str(uuid4())).output
