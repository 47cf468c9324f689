"""Secrets that are encrypted inside a project's cluster."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.drivers import bootstrapped
from tests.drivers.bootstrapped import Cluster


@pytest.fixture(scope="module", params=bootstrapped.engine_homes(), ids=lambda home: home.name)
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with bootstrapped.running(request.param) as cluster:
        give_keys(cluster, secrets.token_hex(32))
        yield cluster


def give_keys(cluster: Cluster, *keys: str) -> None:
    file = cluster.sockets / "root.key"
    file.write_text("\n".join(keys) + "\n")
    file.chmod(0o644)


def keys(cluster: Cluster) -> list[str]:
    return Path(cluster.sockets / "root.key").read_text().split()


def create(cluster: Cluster, secret: str, name: str | None = None, user: str = "postgres") -> Any:
    with cluster.connect(user) as session:
        row = session.execute("select vault.create_secret(%s, %s, 'for tests')", [secret, name]).fetchone()
        assert row
        return row[0]


def opened(cluster: Cluster, secret_id: Any, user: str = "postgres") -> Any:
    return cluster.value(user, f"select decrypted_secret from vault.decrypted_secrets where id = '{secret_id}'")


@pytest.mark.parametrize("text", ["s3cret", "", "grüße \N{SNOWMAN} '\\", "x" * 100_000])
def test_a_secret_comes_back_as_it_went_in(cluster: Cluster, text: str) -> None:
    secret_id = create(cluster, text)
    assert opened(cluster, secret_id) == text


def test_what_lies_in_the_table_tells_nothing(cluster: Cluster) -> None:
    stored = [
        cluster.value("postgres", f"select secret from vault.secrets where id = '{create(cluster, 'same')}'")
        for _ in "ab"
    ]
    assert "same" not in stored[0]
    assert stored[0] != stored[1]


def test_a_secret_is_changed_in_part(cluster: Cluster) -> None:
    secret_id = create(cluster, "before", "changing")
    cluster.rows("postgres", f"select vault.update_secret('{secret_id}', 'after')")
    assert cluster.rows(
        "postgres", f"select name, description, decrypted_secret from vault.decrypted_secrets where id = '{secret_id}'"
    ) == [("changing", "for tests", "after")]
    cluster.rows("postgres", f"select vault.update_secret('{secret_id}', new_name => 'changed')")
    assert opened(cluster, secret_id) == "after"


def test_a_name_is_taken_once(cluster: Cluster) -> None:
    create(cluster, "one", "unique")
    with pytest.raises(psycopg.errors.UniqueViolation):
        create(cluster, "two", "unique")


def test_a_ciphertext_opens_in_its_own_row_alone(cluster: Cluster) -> None:
    mine, other = create(cluster, "mine"), create(cluster, "other")
    sealed = cluster.value("postgres", f"select secret from vault.secrets where id = '{other}'")
    with pytest.raises(psycopg.errors.RaiseException, match="of another secret"):
        cluster.rows("postgres", f"select vault._open('{mine}', '{sealed}')")


def test_without_its_key_a_secret_is_named_and_not_lost(cluster: Cluster) -> None:
    secret_id, before = create(cluster, "kept"), keys(cluster)
    give_keys(cluster, secrets.token_hex(32))
    with pytest.raises(psycopg.errors.RaiseException, match="another root key"):
        opened(cluster, secret_id)
    give_keys(cluster, *before)
    assert opened(cluster, secret_id) == "kept"


def test_a_new_key_takes_over_every_secret(cluster: Cluster) -> None:
    secret_id, (old,), new = create(cluster, "travels"), keys(cluster), secrets.token_hex(32)
    give_keys(cluster, new, old)
    assert cluster.value("supabase_admin", "select vault._rotate()") > 0
    assert cluster.value("supabase_admin", "select vault._rotate()") == 0
    give_keys(cluster, new)
    assert opened(cluster, secret_id) == "travels"


@pytest.mark.parametrize(
    "attack",
    [
        "select vault._root_keys()",
        "select vault._rotate()",
        "select vault._seal(gen_random_uuid(), 'x')",
        "select vault._pgp_decrypt('x', 'y')",
        "insert into vault.secrets (secret) values ('plain')",
        "update vault.secrets set secret = 'plain'",
        "alter table vault.secrets owner to postgres",
        "create or replace function vault._root_keys() returns text[] language sql return array['00']",
        "create trigger t before insert on vault.secrets execute function suppress_redundant_updates_trigger()",
        "drop view vault.decrypted_secrets",
        "drop schema vault cascade",
    ],
)
def test_the_tenant_cannot(cluster: Cluster, attack: str) -> None:
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.DependentObjectsStillExist)):
        cluster.rows("postgres", attack)


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_the_apis_callers_see_nothing(cluster: Cluster, role: str) -> None:
    for query in (
        "select * from vault.secrets",
        "select * from vault.decrypted_secrets",
        "select vault.create_secret('x')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            cluster.rows("postgres", f"set role {role}", query)


def test_it_does_not_stand_on_the_tenants_pgcrypto(cluster: Cluster) -> None:
    secret_id = create(cluster, "safe")
    cluster.rows("supabase_admin", "drop extension pgcrypto cascade")
    cluster.rows(
        "postgres",
        "create function extensions.pgp_sym_decrypt_bytea(bytea, text) returns bytea language sql return 'stolen'::bytea",
    )
    assert opened(cluster, secret_id) == "safe"
