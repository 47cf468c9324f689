"""SQL snippets, and who marked which as a favourite."""

from pathlib import Path

from baseplane.database.migrations import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text())
