"""`baseplane user`, `org` and `token`. Not async: each command runs a loop of its own."""

import secrets

import pytest
from click.testing import CliRunner, Result

from baseplane.cli import main


@pytest.fixture
def email(platform: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("BASEPLANE_DATABASE_URL", platform)
    return f"{secrets.token_hex(6)}@example.test"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_a_user_is_made_once_listed_and_deleted(email: str) -> None:
    assert run("user", "create", email).output == f"user {email} is there\n"
    assert f"There is a user {email} already." in run("user", "create", email).output
    assert email in run("user", "list").output
    assert run("user", "delete", email).exit_code == 0
    assert email not in run("user", "list").output


def test_an_organization_keeps_its_last_owner(email: str) -> None:
    slug = f"org-{secrets.token_hex(4)}"
    run("user", "create", email)
    assert run("org", "create", "Shop", "--owner", email, "--slug", slug).exit_code == 0
    assert "Owner" in run("org", "members", slug).output
    for refused in (run("org", "remove", slug, email), run("user", "delete", email)):
        assert refused.exit_code == 1
        assert "owner" in refused.output


def test_a_token_is_printed_once_and_revoked(email: str) -> None:
    run("user", "create", email)
    made = run("token", "create", email).output.strip()
    assert made.startswith("sbp_")
    listed = run("token", "list").output
    assert made not in listed
    (line,) = [line for line in listed.splitlines() if email in line]
    assert run("token", "revoke", line.split()[0]).exit_code == 0
    assert email not in run("token", "list").output


def test_a_token_for_metrics_is_nobodys_and_is_revoked_like_others(email: str) -> None:
    name = secrets.token_hex(6)
    made = run("token", "metrics", "--name", name, "--days", "30").output.strip()
    assert made.startswith("bpm_")
    (line,) = [line for line in run("token", "list").output.splitlines() if name in line]
    assert made[:10] in line
    assert made not in line
    assert "until" in line
    assert run("token", "revoke", line.split()[0]).exit_code == 0
    assert name not in run("token", "list").output


def test_a_permission_that_there_is_not_is_refused(email: str) -> None:
    assert "fly is no permission" in run("token", "create", email, "--permission", "fly").output
