"""Temporary access: roles with an end, and who may log in with an access token."""

from pathlib import Path

from baseplane.database.migrations import run_sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text())
