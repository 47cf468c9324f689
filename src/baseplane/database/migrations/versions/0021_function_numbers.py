"""Versions of functions are counted when they load, not when they are asked for."""

from pathlib import Path

from baseplane.database.migrations import run_sql

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text())
