"""The root key of a project's vault."""

from pathlib import Path

from baseplane.database.migrations import run_sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text())
