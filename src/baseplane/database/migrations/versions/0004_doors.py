"""Ingress processes and what they have followed; projects that sleep."""

from pathlib import Path

from baseplane.database.migrations import run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text())
