"""Asks a project's database for everything that its lints find: one statement, one read of the catalogs.

Tenants are hostile, and their database sets how our session starts. So the settings that decide what our SQL means are
fixed first; pg_catalog is searched before anything of theirs (an empty search_path would put the session's temporary
objects first); nothing of theirs is run, and no operator or cast of theirs can be meant.
"""

import asyncio
from collections.abc import Iterator, Sequence

import psycopg
from psycopg import sql

from baseplane.errors import Invalid
from baseplane.resources.advisors.lints import LINTS, SHARED, Lint, Needs
from baseplane.resources.advisors.schemas import ProjectLint
from baseplane.resources.projects.exposed import EXPOSED_SCHEMAS
from baseplane.resources.projects.inside import Connection, refusal

EXPOSED = ",".join(EXPOSED_SCHEMAS)
"""Schemas that the API serves, unless the project's role authenticator says otherwise (pgrst.db_schemas)."""
WITHIN = 10
"""Seconds that Postgres may take."""
GRACE = 5
"""Seconds after those in which we give up ourselves."""
LATE = (
    f"The advisors found no end within {WITHIN} seconds; a lock on a table with policies may hold them up. Try again."
)
MOST = 1000
"""Findings of one lint; the last one says if there are more."""

SETUP = f"""
begin transaction isolation level repeatable read, read only;
set local search_path = pg_catalog, pg_temp;
set local statement_timeout = {WITHIN * 1000};
set local standard_conforming_strings = on;
set local quote_all_identifiers = off;
set local client_encoding = 'UTF8';
set local jit = off;
"""


async def run(db: Connection, lints: Sequence[Lint]) -> list[ProjectLint]:
    """The findings, in the order of the lints and then by cache key. Raises Invalid, Unavailable."""
    query = SETUP
    try:
        async with asyncio.timeout(WITHIN + GRACE):
            await db.execute(SETUP)
            askable = [lint for lint in lints if lint.needs is None or await _is_there(db, lint.needs)]
            query = statement(askable)
            rows = await (await db.execute(query.encode())).fetchall()
    except (TimeoutError, psycopg.errors.QueryCanceled) as error:
        raise Invalid(LATE) from error
    except psycopg.Error as error:
        raise refusal(error, query) from error
    found: dict[str, list[ProjectLint]] = {lint.name: [] for lint in askable}
    for name, row in rows:
        found[name].append(LINTS[name].finding(row))
    return [finding for findings in found.values() for finding in _bounded(findings)]


def statement(lints: Sequence[Lint]) -> str:
    """One query whose rows are the name of a lint and what it found, as JSON."""
    shared = SHARED.replace(":exposed", sql.Literal(EXPOSED).as_string())
    parts = [
        f"(select '{lint.name}', to_jsonb(f) from (\n{lint.query}) as f order by f.schema, f.name limit {MOST + 1})"
        for lint in lints
    ]
    return "\n".join(["with", shared, "\nunion all ".join(parts)])


async def _is_there(db: Connection, needs: Needs) -> bool:
    """Whether it is a plain table with these columns: reading it runs nothing of the tenant's."""
    query = """
        select count(*) from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid
        join unnest(%s::text[], %s::text[]) as w(name, type)
          on a.attname = w.name and format_type(a.atttypid, null) = w.type
        where c.oid = to_regclass(%s) and c.relkind = 'r'
    """
    cursor = await db.execute(query, [list(needs.columns), list(needs.columns.values()), needs.table])
    counted = await cursor.fetchone()
    return counted == (len(needs.columns),)


def _bounded(findings: list[ProjectLint]) -> Iterator[ProjectLint]:
    findings.sort(key=lambda finding: finding.cache_key)
    yield from findings[: MOST - 1]
    if len(findings) <= MOST:
        yield from findings[MOST - 1 :]
    else:
        last = findings[MOST - 1]
        yield last.model_copy(update={"detail": f"{last.detail} There are more findings of this kind."})
