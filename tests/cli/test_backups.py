"""`baseplane backups`. Not async: the command runs a loop of its own."""

import secrets

import psycopg
import pytest
from click.testing import CliRunner

from baseplane.cli import main


@pytest.fixture
def ref(platform: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A project, as far as the platform database knows."""
    monkeypatch.setenv("BASEPLANE_DATABASE_URL", platform)
    ref = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(20))
    with psycopg.connect(platform) as db:
        db.execute("insert into organizations (slug, name) values (%s, 'shop')", [ref])
        db.execute(
            "insert into projects (ref, organization_slug, name, region, size, engine, password, secret, jwt_secret,"
            " root_key, status) values (%s, %s, 'shop', 'eu-central-1', 'nano', 17, '', '', '', '', 'INACTIVE')",
            [ref, ref],
        )
    return ref


def lines(ref: str) -> list[str]:
    output = CliRunner().invoke(main, ["backups"]).output.splitlines()
    start = next(number for number, line in enumerate(output) if line.startswith(ref))
    return [line.strip() for line in output[start + 1 : start + 5]]


def test_a_project_without_a_backup_is_told(ref: str) -> None:
    assert lines(ref)[:3] == ["backup   none yet", "archive  up to date", "drill    none yet"]


def test_what_is_wrong_is_told_and_ends_with_an_error(ref: str, platform: str) -> None:
    with psycopg.connect(platform) as db:
        db.execute(
            "insert into archives (project_ref, generation, behind_since, error)"
            " values (%s, 'first', now() - interval '5 minutes', 'The archive is full')", [ref]
        )  # fmt: skip
        backup = db.execute(
            "insert into backups (project_ref, generation, kind, status, finished_at, stored)"
            " values (%s, 'first', 'full', 'COMPLETED', now() - interval '1 hour', 3 * 1024 * 1024) returning id", [ref]
        ).fetchone()  # fmt: skip
        assert backup is not None
        db.execute(
            "insert into drills (project_ref, backup, finished_at, passed, cause) values (%s, %s, now(), false, 'It is damaged')",
            [ref, backup[0]],
        )
    assert lines(ref)[:3] == [
        "backup   full, 60 min ago, 3.0 MB kept",
        "archive  behind since 5 min ago: The archive is full",
        "drill    failed: It is damaged, 0 min ago",
    ]
    assert CliRunner().invoke(main, ["backups"]).exit_code == 1
    with psycopg.connect(platform) as db:
        db.execute("update projects set status = 'REMOVED' where ref = %s", [ref])


def test_files_of_functions_are_counted_and_given_up(ref: str, platform: str) -> None:
    with psycopg.connect(platform) as db:
        db.execute("insert into archive_looks values (true, now()) on conflict do nothing")
        for digest, archived, until in (("a", True, None), ("b", True, "now"), ("c", False, "now"), ("c", False, None)):
            db.execute(
                "insert into function_history (project_ref, function_id, slug, name, verify_jwt, created_at, number,"
                " version, format, entrypoint, digest, since, until, archived) values (%s, gen_random_uuid(), %s, 'x', true,"
                " now(), 1, 1, 'source', 'index.ts', %s, 'yesterday', %s::timestamptz, %s)",
                [ref, f"of-{digest}", digest, until, archived],
            )
    assert lines(ref)[3] == "files    2 of functions in the archive, 1 waiting"
    given_up = CliRunner().invoke(main, ["backups", "--give-up", ref, "of-c"])
    assert given_up.output.strip() == f"Restores of project {ref} go on without of-c, where it served until now."
    again = CliRunner().invoke(main, ["backups", "--give-up", ref, "of-a"])
    assert (again.exit_code, "Delete what serves first" in again.output) == (1, True)
    with psycopg.connect(platform) as db:
        cursor = db.execute(
            "select since = until from function_history where digest = 'c' and project_ref = %s order by id", [ref]
        )
        assert cursor.fetchall() == [(True,), (None,)]
        db.execute("update projects set status = 'REMOVED' where ref = %s", [ref])
