"""Edge functions and their versions."""

from pathlib import Path

from baseplane.database.migrations import run_sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text())
