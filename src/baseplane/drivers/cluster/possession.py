"""The secrets of the platform's own roles inside a cluster: given once, and given back when a tenant has changed them."""

from pathlib import Path

from psycopg import sql

from baseplane.drivers.cluster import ClusterSpec, Role, bootstrap
from baseplane.drivers.cluster.connections import Connection, connect
from baseplane.drivers.cluster.layout import ClusterFiles
from baseplane.drivers.cluster.passwords import set_password
from baseplane.errors import Unavailable

INITIAL_PASSWORD = "initial-password"
"""A file beside the data of a cluster that still has the template's password."""
MENDING = 0x6D65_6E64
"""Advisory lock in the tenant's database: one mends at a time."""
ENCRYPT_ANEW = """
do $$
declare
  kept uuid;
begin
  if to_regprocedure('vault._open(uuid, text)') is null then
    return;
  end if;
  for kept in select id from vault.secrets loop
    begin
      update vault.secrets set secret = vault._seal(id, vault._open(id, secret)) where id = kept;
    exception when others then
      raise log 'secret % does not open, as in the project that it was copied from: %', kept, sqlerrm;
    end;
  end loop;
end $$
"""
"""As vault._rotate, but what cannot be opened stays as it is."""


async def take_possession(files: ClusterFiles, spec: ClusterSpec) -> None:
    """Give the roles this cluster's own secrets, once: until then they have the template's password, or none."""
    initial = files.home / INITIAL_PASSWORD
    if not initial.exists():
        return
    try:
        db = await connect(files.sockets, Role.ADMIN, initial.read_text())
    except Unavailable:  # we died after the change and before the file went
        db = await connect(files.sockets, Role.ADMIN, spec.secret)
    async with db, db.transaction():
        for role in Role:
            await set_password(db, role, spec.secret)
        await set_password(db, "postgres", spec.password)
    initial.unlink()


async def mend(sockets: Path, secret: str) -> None:
    """Give the platform's roles back their secrets: a tenant can change those of roles that his SQL runs as.

    Raises Unavailable.
    """
    async with await connect(sockets, Role.ADMIN, secret) as db, db.transaction():
        await db.execute("select pg_advisory_xact_lock(%s)", [MENDING])  # requests that fail come in crowds
        await db.execute(bootstrap.mend().encode())
        for role in Role:
            await set_password(db, role, secret)


async def take_over(db: Connection, spec: ClusterSpec) -> None:
    """Make a copy of another project's data ``spec``'s own, in the caller's transaction; ``db`` is supabase_admin's.

    Nobody gets in with a password that he had there, nothing is fetched for its subscriptions, and its vault opens with
    ``spec``'s first root key; the others of ``spec`` have to be the source's. Slots of replication were never copied.
    """
    cursor = await db.execute("select rolname from pg_authid where rolpassword is not null")
    for (role,) in await cursor.fetchall():
        await db.execute(sql.SQL("alter role {} password null").format(sql.Identifier(role)))
    for role in Role:
        await set_password(db, role, spec.secret)
    await db.execute("update pg_subscription set subenabled = false, subslotname = null")
    await db.execute(ENCRYPT_ANEW)
