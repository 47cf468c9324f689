"""Upgrades of projects' Postgres, what stands in their way, and changes of compute size."""

from pathlib import Path

from baseplane.database.migrations import run_sql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text())
