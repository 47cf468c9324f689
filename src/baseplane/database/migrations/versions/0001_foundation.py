"""People, organizations, projects, runs, and procrastinate's tables."""

from pathlib import Path

import procrastinate.schema

from baseplane.database.migrations import run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql(procrastinate.schema.SchemaManager.get_schema())
    run_sql(Path(__file__).with_suffix(".sql").read_text())
