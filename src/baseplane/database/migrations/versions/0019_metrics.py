"""Tokens that read /metrics, and indexes for what is counted there."""

from pathlib import Path

from baseplane.database.migrations import run_sql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text())
